/** Speech Services: the list, with health; opening it asks no vendor. */
import { useMutation } from "@tanstack/react-query";
import { AudioLines, Plus } from "lucide-react";
import { Link } from "wouter";
import type { SpeechCredential } from "../../api/types";
import { useText } from "../../text";
import { HealthStatus } from "../../ui/health";
import { Badge, Button, Empty, LinkButton, Loaded, Page, Table } from "../../ui/parts";
import { useToast } from "../../ui/toast";
import { hostOf } from "../llm/data";
import { KeyTrace } from "../llm/list";
import { failureOf, useSpeechActions, useSpeechServices, vendorOf, wasTested } from "./data";

export default function SpeechServices() {
  const { t } = useText();
  const services = useSpeechServices();
  const add = (
    <LinkButton href="/account/speech-services/new" look="main" icon={Plus}>
      {t("speech.add")}
    </LinkButton>
  );
  return (
    <Page title={t("nav.speech")} lead={t("speech.lead")} actions={add}>
      <Loaded query={services}>
        {(rows) =>
          rows.length ? (
            <Services rows={rows} />
          ) : (
            <Empty icon={AudioLines} title={t("speech.empty")} action={add}>
              {t("speech.empty.text")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function Services({ rows }: { rows: SpeechCredential[] }) {
  const { t } = useText();
  return (
    <Table
      caption={t("nav.speech")}
      rows={rows}
      id={(row) => row.speech_credential_sid}
      columns={[
        {
          title: t("service"),
          cell: (row) => (
            <div className="two-lines">
              <Link href={`/account/speech-services/${row.speech_credential_sid}`}>
                {vendorOf(row.vendor)?.displayName ?? row.vendor}
                {row.label && ` · ${row.label}`}
              </Link>
              <span>
                {row.use_for_stt ? <Badge>{t("speech.stt")}</Badge> : null} {row.use_for_tts ? <Badge>{t("speech.tts")}</Badge> : null}
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

function TestButton({ row }: { row: SpeechCredential }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useSpeechActions();
  const test = useMutation({
    mutationFn: () => actions.test(row.speech_credential_sid),
    onSuccess: (report) => {
      const failure = failureOf(report);
      toast(failure ?? t(wasTested(report) ? "test.passed" : "test.notTested"), failure ? "bad" : "good");
    },
    onError: (error) => toast(error.message, "bad"),
    onSettled: actions.refresh,
  });
  return (
    <Button busy={test.isPending} onClick={() => test.mutate()} aria-label={t("test.one", { what: row.label || row.vendor })}>
      {t("test")}
    </Button>
  );
}
