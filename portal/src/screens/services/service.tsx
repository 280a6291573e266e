/** One LLM or Speech Service: add, edit, test, delete. */
import { useMutation } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { useText } from "../../text";
import { HealthStatus } from "../../ui/health";
import { Button, Confirm, Loaded, Page, Panel, Problem } from "../../ui/parts";
import { Ago, delay } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { type Kind, KINDS, nameOf, type Service, useManifests, useServiceActions, useServices } from "./data";
import { ServiceForm } from "./form";

export default function ServicePage({ kind, sid }: { kind: Kind; sid: string }) {
  const { t } = useText();
  const services = useServices(kind);
  const manifests = useManifests(kind);
  const back = { href: KINDS[kind].list, label: t(`nav.${kind}`) };
  if (sid === "new") {
    return (
      <Page title={t(`${kind}.new`)} lead={t(`${kind}.new.lead`)} back={back} narrow>
        <Loaded query={manifests}>{(vendors) => <ServiceForm kind={kind} manifests={vendors} />}</Loaded>
      </Page>
    );
  }
  const stored = services.data?.find((one) => one.sid === sid);
  const name = stored ? nameOf(stored, manifests.data) : t("service");
  return (
    <Page title={name} back={back} actions={stored && <Remove kind={kind} stored={stored} name={name} />} narrow>
      <Loaded query={services}>
        {() => (stored ? <Stored kind={kind} stored={stored} /> : <Problem error={new Error(t("service.gone"))} />)}
      </Loaded>
    </Page>
  );
}

function Stored({ kind, stored }: { kind: Kind; stored: Service }) {
  const manifests = useManifests(kind);
  return (
    <>
      <Facts kind={kind} stored={stored} />
      <Loaded query={manifests}>{(vendors) => <ServiceForm key={stored.sid} kind={kind} manifests={vendors} stored={stored} />}</Loaded>
    </>
  );
}

function Facts({ kind, stored }: { kind: Kind; stored: Service }) {
  const { t } = useText();
  const facts: [string, ReactNode][] = [
    [t("service.health"), <HealthStatus health={stored} />],
    [t("service.lastTest"), <Ago at={stored.tested_at} />],
    [t("service.lastUse"), <Ago at={stored.last_used_at} />],
    [t(`${kind}.first`), stored.first_ms === null ? "–" : delay(stored.first_ms)],
    [t("service.fingerprint"), <code>{stored.fingerprints.api_key ?? "–"}</code>],
  ];
  return (
    <Panel>
      <dl className="facts">
        {facts.map(([name, fact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Remove({ kind, stored, name }: { kind: Kind; stored: Service; name: string }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useServiceActions(kind);
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => actions.remove(stored.sid),
    onSuccess: async () => {
      await actions.refresh();
      toast(t("deleted", { what: name }));
      go(KINDS[kind].list);
    },
  });
  return (
    <>
      <Button look="quiet" icon={Trash2} onClick={() => setAsked(true)}>
        {t("delete")}
      </Button>
      {asked && (
        <Confirm
          title={t("delete.title", { what: name })}
          text={t("service.delete.text")}
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
