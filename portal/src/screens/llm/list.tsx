/** LLM Services: the list, with health; opening it asks no vendor. */
import { useMutation } from "@tanstack/react-query";
import { BrainCircuit, Plus } from "lucide-react";
import { Link } from "wouter";
import type { LlmCredential, VendorManifest } from "../../api/types";
import { useText } from "../../text";
import { HealthStatus } from "../../ui/health";
import { Badge, Button, Empty, LinkButton, Loaded, Page, Table } from "../../ui/parts";
import { useToast } from "../../ui/toast";
import { endOf, hostOf, isGood, useLlmActions, useLlmServices, useManifests } from "./data";

export default function LlmServices() {
  const { t } = useText();
  const services = useLlmServices();
  const manifests = useManifests();
  const add = (
    <LinkButton href="/account/llm-services/new" look="main" icon={Plus}>
      {t("llm.add")}
    </LinkButton>
  );
  return (
    <Page title={t("nav.llm")} lead={t("llm.lead")} actions={add}>
      <Loaded query={services}>
        {(rows) =>
          rows.length ? (
            <Services rows={rows} manifests={manifests.data ?? []} />
          ) : (
            <Empty icon={BrainCircuit} title={t("llm.empty")} action={add}>
              {t("llm.empty.text")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function Services({ rows, manifests }: { rows: LlmCredential[]; manifests: VendorManifest[] }) {
  const { t } = useText();
  const nameOf = (vendor: string) => manifests.find((one) => one.vendor === vendor)?.displayName ?? vendor;
  return (
    <Table
      caption={t("nav.llm")}
      rows={rows}
      id={(row) => row.llm_credential_sid}
      columns={[
        {
          title: t("service"),
          cell: (row) => (
            <div className="two-lines">
              <Link href={`/account/llm-services/${row.llm_credential_sid}`}>
                {nameOf(row.vendor)}
                {row.label && ` · ${row.label}`}
              </Link>
              <span>
                <Badge>{row.is_default ? t("service.default") : row.vendor}</Badge>
              </span>
            </div>
          ),
        },
        { title: t("service.host"), cell: (row) => <code>{hostOf(row.base_url ?? "") || t("service.vendorHost")}</code> },
        { title: t("service.key"), cell: (row) => <KeyTrace row={row} /> },
        { title: t("service.health"), cell: (row) => <HealthStatus health={row} /> },
        { title: t("actions"), quiet: true, cell: (row) => <TestButton row={row} /> },
      ]}
    />
  );
}

/** The little that is shown of a key: its last four characters and a fingerprint. */
export function KeyTrace({ row }: { row: { api_key?: string; fingerprints: Record<string, string> } }) {
  const { t } = useText();
  if (!row.api_key) return <span className="muted">–</span>;
  return (
    <span className="key-trace">
      <code>{`···· ${endOf(row.api_key)}`}</code>
      <small title={t("service.fingerprint")}>{row.fingerprints.api_key}</small>
    </span>
  );
}

function TestButton({ row }: { row: LlmCredential }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useLlmActions();
  const test = useMutation({
    mutationFn: () => actions.test(row.llm_credential_sid),
    onSuccess: (report) => toast(isGood(report) ? t("test.passed") : report.reason || t("test.failed"), isGood(report) ? "good" : "bad"),
    onError: (error) => toast(error.message, "bad"),
    onSettled: actions.refresh,
  });
  return (
    <Button busy={test.isPending} onClick={() => test.mutate()} aria-label={t("test.one", { what: row.label || row.vendor })}>
      {t("test")}
    </Button>
  );
}
