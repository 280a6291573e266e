/** Alerts: what went wrong, how often, since when, and what to do. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { BellOff, Check } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { answered, api } from "../api/client";
import type { Alert } from "../api/types";
import { useAccountSid } from "../session";
import { useText } from "../text";
import { SelectField } from "../ui/form";
import { Badge, Button, Empty, Loaded, Page } from "../ui/parts";
import { Reason } from "../ui/reason";
import { Ago } from "../ui/time";

export function useAlerts(days: number, count = 100, state?: "open") {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["alerts", account_sid, days, count, state],
    refetchInterval: 30_000,
    queryFn: () =>
      answered(
        api.GET("/v1/Accounts/{account_sid}/Alerts", { params: { path: { account_sid }, query: { page: 1, count, days, state } } }),
      ),
  });
}

export default function Alerts() {
  const { t } = useText();
  const [days, setDays] = useState("7");
  const alerts = useAlerts(Number(days));
  const filter = (
    <SelectField
      label={t("alerts.period")}
      required
      value={days}
      onChange={setDays}
      options={["1", "7", "30", "365"].map((value) => ({ value, label: value === "1" ? t("days.one") : t("days", { count: value }) }))}
    />
  );
  return (
    <Page title={t("nav.alerts")} lead={t("alerts.lead")} actions={filter}>
      <Loaded query={alerts}>
        {({ data }) =>
          data.length ? (
            <AlertList alerts={data} />
          ) : (
            <Empty icon={BellOff} title={t("alerts.empty")}>
              {t("alerts.empty.text")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

export function AlertList({ alerts }: { alerts: Alert[] }) {
  const { t, said } = useText();
  return (
    <ul className="alerts">
      {alerts.map((alert) => (
        <li key={`${alert.alert_type} ${alert.message} ${alert.first_seen}`}>
          <div className="alert-head">
            <Badge tone={alert.cleared_at ? "good" : "bad"}>{said("", alert.alert_type) || alert.alert_type}</Badge>
            <strong>
              <Reason text={alert.message} />
            </strong>
          </div>
          {alert.detail && <p>{said(alert.detail)}</p>}
          <p className="muted">
            {alert.count > 1 ? `${t("alerts.count", { count: alert.count })} · ` : ""}
            {t("alerts.last")} <Ago at={alert.last_seen} />
            {alert.count > 1 && (
              <>
                {" · "}
                {t("alerts.first")} <Ago at={alert.first_seen} />
              </>
            )}
            {alert.call_sid && (
              <>
                {" · "}
                <Link href={`/calls/${alert.call_sid}`}>{t("alerts.call")}</Link>
              </>
            )}
            {alert.cleared_at && (
              <>
                {" · "}
                {t(alert.cleared_by === "recovery" ? "alerts.recovered" : "alerts.seen")} <Ago at={alert.cleared_at} />
              </>
            )}
          </p>
          {!alert.cleared_at && <TakeNote alert={alert} />}
        </li>
      ))}
    </ul>
  );
}

/** Somebody has seen to it; when it happens again it is open again. */
function TakeNote({ alert }: { alert: Alert }) {
  const { t } = useText();
  const queries = useQueryClient();
  const clear = useMutation({
    mutationFn: () =>
      answered(
        api.PUT("/v1/Accounts/{account_sid}/Alerts/{alert_id}", {
          params: { path: { account_sid: alert.account_sid, alert_id: alert.alert_id } },
          body: { cleared: true },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["alerts"] }),
  });
  return (
    <Button
      look="quiet"
      icon={Check}
      busy={clear.isPending}
      onClick={() => clear.mutate()}
      aria-label={`${t("alerts.clear")}: ${alert.message}`}
    >
      {t("alerts.clear")}
    </Button>
  );
}
