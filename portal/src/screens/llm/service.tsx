/** One LLM Service: add, edit, test, delete. */
import { useMutation } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import type { LlmCredential } from "../../api/types";
import { useText } from "../../text";
import { HealthStatus } from "../../ui/health";
import { Button, Confirm, Loaded, Page, Panel, Problem } from "../../ui/parts";
import { Ago } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { useLlmActions, useLlmServices, useManifests } from "./data";
import { ServiceForm } from "./form";

const LIST = "/account/llm-services";

export default function LlmService({ sid }: { sid: string }) {
  const { t } = useText();
  const services = useLlmServices();
  const manifests = useManifests();
  const back = { href: LIST, label: t("nav.llm") };
  if (sid === "new") {
    return (
      <Page title={t("llm.new")} lead={t("llm.new.lead")} back={back} narrow>
        <Loaded query={manifests}>{(vendors) => <ServiceForm manifests={vendors} />}</Loaded>
      </Page>
    );
  }
  const stored = services.data?.find((one) => one.llm_credential_sid === sid);
  const vendor = manifests.data?.find((one) => one.vendor === stored?.vendor);
  const name = stored ? [vendor?.displayName ?? stored.vendor, stored.label].filter(Boolean).join(" · ") : t("service");
  return (
    <Page title={name} back={back} actions={stored && <Remove stored={stored} name={name} />} narrow>
      <Loaded query={services}>
        {() =>
          stored ? (
            <>
              <Facts stored={stored} />
              <Loaded query={manifests}>
                {(vendors) => <ServiceForm key={stored.llm_credential_sid} manifests={vendors} stored={stored} />}
              </Loaded>
            </>
          ) : (
            <Problem error={new Error(t("service.gone"))} />
          )
        }
      </Loaded>
    </Page>
  );
}

function Facts({ stored }: { stored: LlmCredential }) {
  const { t } = useText();
  return (
    <Panel>
      <dl className="facts">
        <div>
          <dt>{t("service.health")}</dt>
          <dd>
            <HealthStatus health={stored} />
          </dd>
        </div>
        <div>
          <dt>{t("service.lastTest")}</dt>
          <dd>
            <Ago at={stored.tested_at} />
          </dd>
        </div>
        <div>
          <dt>{t("service.lastUse")}</dt>
          <dd>
            <Ago at={stored.last_used_at} />
          </dd>
        </div>
        <div>
          <dt>{t("service.fingerprint")}</dt>
          <dd>
            <code>{stored.fingerprints.api_key ?? "–"}</code>
          </dd>
        </div>
      </dl>
    </Panel>
  );
}

function Remove({ stored, name }: { stored: LlmCredential; name: string }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useLlmActions();
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => actions.remove(stored.llm_credential_sid),
    onSuccess: async () => {
      await actions.refresh();
      toast(t("deleted", { what: name }));
      go(LIST);
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
          text={t("llm.delete.text")}
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
