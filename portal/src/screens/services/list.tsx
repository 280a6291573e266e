/** LLM or Speech Services: the list, with health; opening it asks no vendor. */
import { useMutation } from "@tanstack/react-query";
import { AudioLines, BrainCircuit, Plus } from "lucide-react";
import { Link } from "wouter";
import type { VendorManifest } from "../../api/types";
import { useText } from "../../text";
import { HealthStatus } from "../../ui/health";
import { Badge, Button, Empty, LinkButton, Loaded, Page, Table } from "../../ui/parts";
import { delay } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { useSystem } from "../lists";
import { endOf, hostOf, isGood, type Kind, KINDS, nameOf, outcomeOf, reasonOf, type Service, type Use, useManifests, useServiceActions, useServices } from "./data";

const ICONS = { llm: BrainCircuit, speech: AudioLines };

export default function ServiceList({ kind }: { kind: Kind }) {
  const { t } = useText();
  const services = useServices(kind);
  const manifests = useManifests(kind);
  const system = useSystem();
  const add = (
    <LinkButton href={`${KINDS[kind].list}/new`} look="main" icon={Plus}>
      {t(`${kind}.add`)}
    </LinkButton>
  );
  return (
    <Page title={t(`nav.${kind}`)} lead={t(`${kind}.lead`)} actions={add}>
      <Loaded query={services}>
        {(rows) =>
          rows.length ? (
            <Services kind={kind} rows={rows} manifests={manifests.data ?? []} />
          ) : (
            <Empty icon={ICONS[kind]} title={t(`${kind}.empty`)} action={add}>
              {t(`${kind}.empty.text`)} {system.data && t(system.data.sandbox ? "service.sandbox" : "service.noSandbox")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function Services({ kind, rows, manifests }: { kind: Kind; rows: Service[]; manifests: VendorManifest[] }) {
  const { t } = useText();
  return (
    <Table
      caption={t(`nav.${kind}`)}
      rows={rows}
      id={(row) => row.sid}
      columns={[
        {
          title: t("service"),
          cell: (row) => (
            <div className="two-lines">
              <Link href={`${KINDS[kind].list}/${row.sid}`}>{nameOf(row, manifests)}</Link>
              <Marks row={row} offered={manifests.find((one) => one.vendor === row.vendor)?.uses} />
            </div>
          ),
        },
        { title: t("service.host"), cell: (row) => <code>{hostOf(row.base_url ?? "") || t("service.vendorHost")}</code> },
        { title: t("service.key"), cell: (row) => <KeyTrace row={row} /> },
        { title: t("service.health"), cell: (row) => <HealthStatus health={row} /> },
        { title: t(`${kind}.first`), numeric: true, cell: (row) => (row.first_ms === null ? <span className="muted">–</span> : delay(row.first_ms)) },
        { title: t("actions"), quiet: true, cell: (row) => <TestButton kind={kind} row={row} name={nameOf(row, manifests)} /> },
      ]}
    />
  );
}

function Marks({ row, offered }: { row: Service; offered?: Use[] }) {
  const { t } = useText();
  return (
    <span className="marks">
      {row.uses.filter((use) => !offered || offered.includes(use)).map((use) => (
        <Badge key={use}>{t(`speech.${use}`)}</Badge>
      ))}
      {row.is_default && <Badge>{t("service.default")}</Badge>}
      {row.fallback?.map((one) => <Badge key={`${one.vendor} ${one.model}`}>{t("service.thenTo", { model: one.model })}</Badge>)}
    </span>
  );
}

/** The little that is shown of a key: its last four characters and a fingerprint. */
function KeyTrace({ row }: { row: Service }) {
  const { t } = useText();
  if (!row.api_key) return <span className="muted">–</span>;
  return (
    <span className="key-trace">
      <code>{`···· ${endOf(row.api_key)}`}</code>
      <small title={t("service.fingerprint")}>{row.fingerprints.api_key}</small>
    </span>
  );
}

function TestButton({ kind, row, name }: { kind: Kind; row: Service; name: string }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useServiceActions(kind);
  const test = useMutation({
    mutationFn: () => actions.test(row.sid),
    onSuccess: (report) => {
      if (outcomeOf(report) === "not_tested") return toast(t("test.notTested"));
      return toast(isGood(report) ? t("test.passed") : reasonOf(report) || t("test.failed"), isGood(report) ? "good" : "bad");
    },
    onError: (error) => toast(error, "bad"),
    onSettled: actions.refresh,
  });
  return (
    <Button busy={test.isPending} onClick={() => test.mutate()} aria-label={t("test.one", { what: name })}>
      {t("test")}
    </Button>
  );
}
