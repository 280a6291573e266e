/** Overview: is this server ready for calls, what went wrong, what happened last. */
import { FlaskConical } from "lucide-react";
import { Link } from "wouter";
import { useText } from "../text";
import { Loaded, Page, Panel } from "../ui/parts";
import { AlertList, useAlerts } from "./alerts";
import { ActiveCalls } from "./calls/active";
import { useCalls } from "./calls/data";
import { CallTable } from "./calls/list";
import { Checklist } from "./checklist";
import { useSystem } from "./lists";

const LATEST = { page: 1, days: 365, direction: "", answered: "", filter: "" } as const;

export default function Overview() {
  const { t } = useText();
  const alerts = useAlerts(7, 5, "open");
  const calls = useCalls(LATEST);
  return (
    <Page title={t("nav.overview")}>
      <ActiveCalls />
      <Sandbox />
      <Checklist calls={Number(calls.data?.total ?? 0)} answered={calls.data?.data.some((call) => call.answered) ?? false} />
      <Panel title={t("overview.alerts")} actions={<Link href="/alerts">{t("overview.all")}</Link>}>
        <Loaded query={alerts}>{({ data }) => (data.length ? <AlertList alerts={data} /> : <p className="muted">{t("alerts.empty.text")}</p>)}</Loaded>
      </Panel>
      <Panel title={t("overview.calls")} actions={<Link href="/calls">{t("overview.all")}</Link>}>
        <Loaded query={calls}>
          {({ data }) => (data.length ? <CallTable calls={data.slice(0, 6)} /> : <p className="muted">{t("calls.empty.text")}</p>)}
        </Loaded>
      </Panel>
    </Page>
  );
}

/** Says that vendors are simulated, so that nobody takes a rehearsal for the real thing. */
function Sandbox() {
  const { t } = useText();
  if (!useSystem().data?.sandbox) return null;
  return (
    <aside className="notice" aria-label={t("overview.sandbox.title")}>
      <FlaskConical aria-hidden />
      <p>
        <strong>{t("overview.sandbox.title")}</strong> {t("overview.sandbox")}
      </p>
    </aside>
  );
}
