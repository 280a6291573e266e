/** Recent calls, with filters. */
import { PhoneIncoming, PhoneOutgoing, PhoneOff } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import type { Call } from "../../api/types";
import { useText } from "../../text";
import { Badge, Empty, Loaded, Page, Pages, Table } from "../../ui/parts";
import { shownNumber } from "../../ui/number";
import { Ago, clock } from "../../ui/time";
import { SelectField, TextField } from "../../ui/form";
import { ActiveCalls } from "./active";
import { type CallFilters, endedWell, endingOf, PAGE_SIZE, useCalls } from "./data";

const ALL: CallFilters = { page: 1, days: 7, direction: "", answered: "", filter: "" };

export default function Calls() {
  const { t } = useText();
  const [filters, setFilters] = useState(ALL);
  const change = (changes: Partial<CallFilters>) => setFilters((before) => ({ ...before, page: 1, ...changes }));
  const calls = useCalls(filters);
  return (
    <Page title={t("nav.calls")} lead={t("calls.lead")}>
      <ActiveCalls />
      <Filters filters={filters} change={change} />
      <Loaded query={calls}>
        {({ data, total }) =>
          data.length ? (
            <>
              <CallTable calls={data} />
              <Pages page={filters.page} total={Number(total)} size={PAGE_SIZE} go={(page) => change({ page })} />
            </>
          ) : (
            <Empty icon={PhoneOff} title={t("calls.empty")}>
              {t("calls.empty.text")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function Filters({ filters, change }: { filters: CallFilters; change: (changes: Partial<CallFilters>) => void }) {
  const { t } = useText();
  return (
    <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
      <TextField label={t("calls.search")} required type="search" placeholder={t("calls.search.help")} value={filters.filter} onChange={(filter) => change({ filter })} />
      <SelectField
        label={t("alerts.period")}
        required
        value={String(filters.days)}
        onChange={(days) => change({ days: Number(days) })}
        options={["1", "7", "30", "365"].map((value) => ({ value, label: value === "1" ? t("days.one") : t("days", { count: value }) }))}
      />
      <SelectField
        label={t("calls.direction")}
        required
        value={filters.direction}
        onChange={(direction) => change({ direction: direction as CallFilters["direction"] })}
        options={[
          { value: "", label: t("any") },
          { value: "inbound", label: t("calls.inbound") },
          { value: "outbound", label: t("calls.outbound") },
        ]}
      />
      <SelectField
        label={t("calls.answered")}
        required
        value={filters.answered}
        onChange={(value) => change({ answered: value as CallFilters["answered"] })}
        options={[
          { value: "", label: t("any") },
          { value: "true", label: t("yes") },
          { value: "false", label: t("no") },
        ]}
      />
    </form>
  );
}

export function CallTable({ calls }: { calls: Call[] }) {
  const { t } = useText();
  return (
    <Table
      caption={t("nav.calls")}
      rows={calls}
      id={(call) => call.call_sid}
      columns={[
        {
          title: t("calls.call"),
          cell: (call) => {
            const Icon = call.direction === "outbound" ? PhoneOutgoing : PhoneIncoming;
            return (
              <Link href={`/calls/${call.call_sid}`} className="call-link">
                <Icon aria-label={t(call.direction === "outbound" ? "calls.outbound" : "calls.inbound")} />
                {shownNumber(call.from) || t("calls.unknown")} → {shownNumber(call.to) || t("calls.unknown")}
              </Link>
            );
          },
        },
        { title: t("calls.started"), cell: (call) => <Ago at={call.attempted_at} /> },
        { title: t("calls.duration"), numeric: true, cell: (call) => clock(call.duration) },
        { title: t("calls.trunk"), cell: (call) => <span className="muted">{call.trunk ?? call.transport}</span> },
        { title: t("calls.ended"), cell: (call) => <Ending call={call} /> },
      ]}
    />
  );
}

export function Ending({ call }: { call: Call }) {
  const { t } = useText();
  const key = endingOf(call);
  return <Badge tone={endedWell(call) ? "good" : "bad"}>{key ? t(key) : call.termination_reason}</Badge>;
}
