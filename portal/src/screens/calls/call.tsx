/** One call: why it ended, what was said, where the time went, its audio, and every event. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { answered, api, ApiFailure } from "../../api/client";
import type { Call, TimelineLine } from "../../api/types";
import { useAccountSid } from "../../session";
import { useText } from "../../text";
import { Badge, Button, Confirm, Loaded, Page, Panel } from "../../ui/parts";
import { Reason } from "../../ui/reason";
import { shownNumber } from "../../ui/number";
import { clock, dateTime } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { turns, utterances } from "./data";
import { Ending } from "./list";
import { Recording } from "./recording";
import { Waterfall } from "./waterfall";

export default function CallPage({ sid }: { sid: string }) {
  const { t } = useText();
  const account_sid = useAccountSid();
  const call = useQuery({
    queryKey: ["call", account_sid, sid],
    queryFn: () => answered(api.GET("/v1/Accounts/{account_sid}/RecentCalls/{call_sid}", { params: { path: { account_sid, call_sid: sid } } })),
  });
  const timeline = useQuery({
    queryKey: ["timeline", account_sid, sid],
    retry: false,
    queryFn: async () => {
      const request = api.GET("/v1/Accounts/{account_sid}/Calls/{call_sid}/timeline", { params: { path: { account_sid, call_sid: sid } } });
      return (await answered(request).catch(emptyWhenGone)) as unknown as TimelineLine[];
    },
  });
  const title = call.data ? `${shownNumber(call.data.from) || t("calls.unknown")} → ${shownNumber(call.data.to) || t("calls.unknown")}` : t("calls.call");
  return (
    <Page title={title} back={{ href: "/calls", label: t("nav.calls") }} actions={call.data && <Remove call={call.data} />}>
      <Loaded query={call}>{(data) => <Summary call={data} />}</Loaded>
      {call.data?.recording_url && (
        <Panel title={t("call.recording")}>
          <Recording url={call.data.recording_url} />
        </Panel>
      )}
      <Loaded query={timeline}>{(lines) => <Story lines={lines} />}</Loaded>
    </Page>
  );
}

/** A call without an event log has a page all the same. */
function emptyWhenGone(error: unknown): [] {
  if (error instanceof ApiFailure && error.status === 404) return [];
  throw error;
}

function Summary({ call }: { call: Call }) {
  const { t, language } = useText();
  const facts: [string, React.ReactNode][] = [
    [t("call.why"), <Ending key="why" call={call} />],
    [t("calls.started"), call.attempted_at ? dateTime(call.attempted_at, language) : "–"],
    [t("calls.duration"), clock(call.duration)],
    [t("calls.trunk"), `${call.trunk ?? "–"} · ${call.transport}`],
    [t("call.sip"), String(call.sip_status)],
    [t("call.sid"), <code key="sid">{call.call_sid}</code>],
  ];
  return (
    <Panel>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Story({ lines }: { lines: TimelineLine[] }) {
  const { t, said: inMyWords } = useText();
  const said = utterances(lines);
  const measured = turns(lines);
  if (!lines.length) {
    return (
      <Panel title={t("call.transcript")}>
        <p className="muted">{t("call.noTimeline")}</p>
      </Panel>
    );
  }
  return (
    <div className="columns">
      <Panel title={t("call.transcript")}>
        {said.length ? (
          <ol className="transcript">
            {said.map((one, index) => (
              <li key={index} className={one.who}>
                <div>
                  <strong>{t(`call.${one.who}`)}</strong>
                  <time>{clock(one.at)}</time>
                  {one.interrupted && <Badge tone="warn">{t("call.interrupted")}</Badge>}
                </div>
                {one.who === "trouble" ? <Reason text={one.text} /> : <p>{one.text}</p>}
                {one.remedy && <p className="muted">{inMyWords(one.remedy)}</p>}
              </li>
            ))}
          </ol>
        ) : (
          <p className="muted">{t("call.nothingSaid")}</p>
        )}
      </Panel>
      <div className="stack">
        <Panel title={t("call.delays")}>
          <Waterfall turns={measured} />
        </Panel>
        <Panel title={t("call.events")}>
          <details>
            <summary>{t("call.events.show", { count: lines.length })}</summary>
            <EventList lines={lines} />
          </details>
        </Panel>
      </div>
    </div>
  );
}

function EventList({ lines }: { lines: TimelineLine[] }) {
  return (
    <ol className="events">
      {lines.map(({ kind, at_s, ...facts }, index) => (
        <li key={index}>
          <span>{at_s.toFixed(3)}</span>
          <b>{kind}</b>
          <code>{JSON.stringify(facts)}</code>
        </li>
      ))}
    </ol>
  );
}

function Remove({ call }: { call: Call }) {
  const { t } = useText();
  const toast = useToast();
  const queries = useQueryClient();
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => {
      const path = { account_sid: call.account_sid, call_sid: call.call_sid };
      return answered(api.DELETE("/v1/Accounts/{account_sid}/RecentCalls/{call_sid}", { params: { path } }));
    },
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["calls"] });
      toast(t("deleted", { what: t("calls.call") }));
      go("/calls");
    },
  });
  return (
    <>
      <Button look="quiet" icon={Trash2} onClick={() => setAsked(true)}>
        {t("delete")}
      </Button>
      {asked && (
        <Confirm
          title={t("call.delete")}
          text={t("call.delete.text")}
          action={t("delete")}
          busy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={() => setAsked(false)}
        />
      )}
    </>
  );
}
