/** One Speech Service: add, edit, test, delete. */
import { useMutation } from "@tanstack/react-query";
import { FlaskConical, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import type { SpeechCredential, StageName } from "../../api/types";
import { useText } from "../../text";
import { CheckField, Choice, errorAt, SecretField, TextField } from "../../ui/form";
import { HealthStatus } from "../../ui/health";
import { Button, Confirm, Loaded, Page, Panel, Problem } from "../../ui/parts";
import { Ago } from "../../ui/time";
import { useToast } from "../../ui/toast";
import { endOf, hostOf } from "../llm/data";
import { Stages } from "../llm/stages";
import { SPEECH_VENDORS, type SpeechVendor, useSpeechActions, useSpeechServices, vendorOf } from "./data";

const LIST = "/account/speech-services";

export default function SpeechService({ sid }: { sid: string }) {
  const { t } = useText();
  const services = useSpeechServices();
  const back = { href: LIST, label: t("nav.speech") };
  if (sid === "new") {
    return (
      <Page title={t("speech.new")} back={back} narrow>
        <NewService />
      </Page>
    );
  }
  const stored = services.data?.find((one) => one.speech_credential_sid === sid);
  const name = [vendorOf(stored?.vendor ?? "")?.displayName ?? stored?.vendor, stored?.label].filter(Boolean).join(" · ");
  return (
    <Page title={name || t("service")} back={back} actions={stored && <Remove stored={stored} name={name} />} narrow>
      <Loaded query={services}>
        {() => (stored ? <Stored stored={stored} /> : <Problem error={new Error(t("service.gone"))} />)}
      </Loaded>
    </Page>
  );
}

function NewService() {
  const { t } = useText();
  const [vendor, setVendor] = useState(SPEECH_VENDORS[0] as SpeechVendor);
  return (
    <>
      <Choice
        cards
        legend={t("llm.vendor")}
        value={vendor.vendor}
        options={SPEECH_VENDORS.map((one) => ({ value: one.vendor, label: one.displayName, note: t(one.listens ? "speech.stt" : "speech.tts") }))}
        onChange={(chosen) => setVendor(vendorOf(chosen) ?? vendor)}
      />
      <SpeechForm key={vendor.vendor} vendor={vendor} />
    </>
  );
}

function Stored({ stored }: { stored: SpeechCredential }) {
  const { t } = useText();
  const vendor = vendorOf(stored.vendor);
  return (
    <>
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
        </dl>
      </Panel>
      {vendor ? <SpeechForm vendor={vendor} stored={stored} /> : <Problem error={new Error(t("speech.unknownVendor"))} />}
    </>
  );
}

type Values = Record<string, string>;

function startingValues(vendor: SpeechVendor, stored?: SpeechCredential): Values {
  const values: Values = { label: stored?.label ?? "" };
  for (const { name, type, default: preset } of vendor.fields) {
    values[name] = type === "password" ? "" : String(stored?.[name] ?? preset ?? "");
  }
  return values;
}

function SpeechForm({ vendor, stored }: { vendor: SpeechVendor; stored?: SpeechCredential }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useSpeechActions();
  const [, go] = useLocation();
  const [values, setValues] = useState(() => startingValues(vendor, stored));
  const [isDefault, setDefault] = useState(stored?.is_default ?? false);
  const set = (name: string) => (value: string) => setValues((before) => ({ ...before, [name]: value }));
  const save = useMutation({
    mutationFn: async () => {
      const { api_key, ...rest } = values;
      const body = { ...rest, ...(api_key ? { api_key } : {}), is_default: isDefault };
      const uses = { vendor: vendor.vendor, use_for_stt: vendor.listens, use_for_tts: vendor.speaks };
      const sid = stored?.speech_credential_sid ?? (await actions.create({ ...body, ...uses }));
      if (stored) await actions.update(sid, body);
      await actions.refresh();
      return sid;
    },
    onSuccess: (sid) => {
      toast(t("saved"));
      go(`${LIST}/${sid}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const hostMoved = stored !== undefined && hostOf(values.base_url ?? "") !== hostOf(startingValues(vendor, stored).base_url ?? "");
  const names = ["label", ...vendor.fields.map((field) => field.name)];
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Panel>
        <div className="stack">
          {vendor.fields.map((field) => {
            const shared = { label: field.label, value: values[field.name] ?? "", error: errorAt(save.error, field.name), onChange: set(field.name) };
            if (field.type !== "password") return <TextField key={field.name} {...shared} />;
            const end = endOf(String(stored?.[field.name] ?? ""));
            const error = shared.error ?? (hostMoved && !shared.value ? t("llm.keyAgain") : null);
            return (
              <SecretField key={field.name} {...shared} error={error} required={!stored} help={stored && (end ? t("llm.keyStays", { end }) : t("form.stays"))} placeholder={stored && `···· ${end}`} />
            );
          })}
          <TextField label={t("llm.label")} help={t("speech.label.help")} value={values.label ?? ""} error={errorAt(save.error, "label")} onChange={set("label")} />
          <CheckField label={t("llm.default")} checked={isDefault} onChange={setDefault} />
        </div>
      </Panel>
      {stored && <TestPanel stored={stored} />}
      <Problem error={save.error && !errorAt(save.error, ...names) ? save.error : null} />
      <div className="actions sticky">
        <Button onClick={() => go(LIST)}>{t("cancel")}</Button>
        <Button type="submit" look="main" busy={save.isPending} disabled={!stored && !values.api_key}>
          {t(stored ? "save" : "speech.saveAndTest")}
        </Button>
      </div>
    </form>
  );
}

const STAGES: StageName[] = ["input", "reach", "key", "talk"];

function TestPanel({ stored }: { stored: SpeechCredential }) {
  const { t } = useText();
  const actions = useSpeechActions();
  const test = useMutation({ mutationFn: () => actions.test(stored.speech_credential_sid), onSettled: actions.refresh });
  return (
    <Panel title={t("test")}>
      <div className="stack">
        <div className="test-line">
          <Button icon={FlaskConical} busy={test.isPending} onClick={() => test.mutate()}>
            {t(stored.tested_at ? "test.again" : "test")}
          </Button>
          <p className="help">{t("speech.test.help")}</p>
        </div>
        <Problem error={test.error} />
        {(test.data || test.isPending) && <Stages report={test.data} running={test.isPending} names={STAGES} />}
      </div>
    </Panel>
  );
}

function Remove({ stored, name }: { stored: SpeechCredential; name: string }) {
  const { t } = useText();
  const toast = useToast();
  const actions = useSpeechActions();
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => actions.remove(stored.speech_credential_sid),
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
          text={t("speech.delete.text")}
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
