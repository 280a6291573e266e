/** One application: where its instructions come from, its environment variables, its speech defaults. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { RefreshCw, Trash2 } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { answered, api } from "../../api/client";
import type { Application, EnvSchema, EnvValues, ModelChoice } from "../../api/types";
import { useAccountSid } from "../../session";
import { useText } from "../../text";
import { AreaField, CheckField, Choice, errorAt, SecretField, SelectField, TextField } from "../../ui/form";
import { Button, Confirm, Loaded, Page, Panel, Problem } from "../../ui/parts";
import { useToast } from "../../ui/toast";
import { useApplications, useRefresh } from "../lists";
import { chosen } from "../services/fallback";
import { Models, Speech, speechBody, speechOf } from "./defaults";
import { EnvForm } from "./env-form";
import { type EnvTexts, isSchema, judge, startingTexts, valuesOf } from "./environment";

export default function ApplicationPage({ sid }: { sid: string }) {
  const { t } = useText();
  const applications = useApplications();
  const isNew = sid === "new";
  const stored = applications.data?.find((one) => one.application_sid === sid);
  return (
    <Page
      title={isNew ? t("apps.new") : (stored?.name ?? t("apps.application"))}
      back={{ href: "/applications", label: t("nav.applications") }}
      actions={stored && <Remove stored={stored} />}
      narrow
    >
      <Loaded query={applications}>
        {() => (isNew || stored ? <ApplicationForm stored={stored} /> : <Problem error={new Error(t("apps.gone"))} />)}
      </Loaded>
    </Page>
  );
}

interface Hook {
  url: string;
  method: "GET" | "POST" | "WS";
  username: string;
  password: string;
}

function hookOf(stored: Application["call_hook"] | undefined): Hook {
  const method = stored?.method === "GET" || stored?.method === "WS" ? stored.method : "POST";
  return { url: stored?.url ?? "", method, username: stored?.username ?? "", password: "" };
}

function hookBody(hook: Hook) {
  if (!hook.url.trim()) return null;
  const method: Hook["method"] = /^wss?:/i.test(hook.url) ? "WS" : hook.method;
  return { url: hook.url.trim(), method, username: hook.username || null, ...(hook.password ? { password: hook.password } : {}) };
}

/** Verbs as people read them. */
function indented(json: string | null | undefined): string {
  try {
    return json ? JSON.stringify(JSON.parse(json), null, 2) : "";
  } catch {
    return json ?? "";
  }
}

const NO_MODEL: ModelChoice = { vendor: "", model: "" };

/** What the form holds. */
function useApplicationForm(stored?: Application) {
  const { t } = useText();
  const toast = useToast();
  const account_sid = useAccountSid();
  const refresh = useRefresh("applications");
  const [, go] = useLocation();
  const [name, setName] = useState(stored?.name ?? "");
  const [source, setSource] = useState<"hook" | "inline">(stored?.app_json && !stored.call_hook ? "inline" : "hook");
  const [hook, setHook] = useState(() => hookOf(stored?.call_hook));
  const [statusHook, setStatusHook] = useState(() => hookOf(stored?.call_status_hook));
  const [appJson, setAppJson] = useState(() => indented(stored?.app_json));
  const [speech, setSpeech] = useState(() => speechOf(stored));
  const [fallsBack, setFallsBack] = useState(Boolean(stored?.use_for_fallback_speech));
  const [llm, setLlm] = useState((stored?.llm as ModelChoice | null | undefined) ?? NO_MODEL);
  const [fallback, setFallback] = useState((stored?.fallback ?? []) as unknown as ModelChoice[]);
  const [recorded, setRecorded] = useState(Boolean(stored?.record_all_calls));
  const [schema, setSchema] = useState<EnvSchema>({});
  const [texts, setTexts] = useState<EnvTexts>(() => startingTexts({}, stored?.env_vars as EnvValues | null));
  const secrets = stored?.secret_env_vars ?? [];
  const [tried, setTried] = useState(false);
  const hasEnvErrors = Object.entries(schema).some(([key, variable]) => judge(variable, texts[key] ?? "", secrets.includes(key)).error);
  const save = useMutation({
    mutationFn: async () => {
      const body = {
        account_sid,
        name,
        call_hook: source === "hook" ? hookBody(hook) : null,
        app_json: source === "inline" ? appJson : null,
        call_status_hook: hookBody(statusHook),
        env_vars: valuesOf(schema, texts),
        record_all_calls: recorded,
        llm: chosen([llm])[0] ?? null,
        fallback: chosen(fallback),
        use_for_fallback_speech: fallsBack,
        ...speechBody(speech, stored),
      };
      if (stored) await answered(api.PUT("/v1/Applications/{sid}", { params: { path: { sid: stored.application_sid } }, body: body as never }));
      else await answered(api.POST("/v1/Applications", { body: body as never }));
      await refresh();
    },
    onSuccess: () => {
      toast(t("saved"));
      go("/applications");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!hasEnvErrors) save.mutate();
  };
  return {
    stored, name, setName, source, setSource, hook, setHook, statusHook, setStatusHook, appJson, setAppJson,
    speech, setSpeech, fallsBack, setFallsBack, llm, setLlm, fallback, setFallback, recorded, setRecorded, schema, setSchema, texts, setTexts, secrets, tried, save, submit,
    leave: () => go("/applications"),
  };
}

export type FormState = ReturnType<typeof useApplicationForm>;

function ApplicationForm({ stored }: { stored?: Application }) {
  const { t } = useText();
  const form = useApplicationForm(stored);
  const shownAtField = errorAt(form.save.error, "name", "call_hook.url", "app_json", "call_status_hook.url");
  const isComplete = form.name.trim() && (form.source === "hook" ? form.hook.url.trim() : form.appJson.trim());
  return (
    <form onSubmit={form.submit} className="stack" noValidate>
      <Panel>
        <Source form={form} />
      </Panel>
      <Environment form={form} />
      <Panel title={t("apps.llm")}>
        <Models form={form} />
      </Panel>
      <Panel title={t("apps.speech")}>
        <Speech form={form} />
      </Panel>
      <Panel title={t("more")}>
        <More form={form} />
      </Panel>
      <Problem error={form.save.error && !shownAtField ? form.save.error : null} />
      <div className="actions sticky">
        <Button onClick={form.leave}>{t("cancel")}</Button>
        <Button type="submit" look="main" busy={form.save.isPending} disabled={!isComplete}>
          {t("save")}
        </Button>
      </div>
    </form>
  );
}

function Source({ form }: { form: FormState }) {
  const { t } = useText();
  const { hook, setHook } = form;
  const isSocket = /^wss?:/i.test(hook.url);
  return (
    <div className="stack">
      <TextField label={t("name")} required value={form.name} error={errorAt(form.save.error, "name")} onChange={form.setName} />
      <Choice
        legend={t("apps.source")}
        value={form.source}
        onChange={(chosen) => form.setSource(chosen as "hook" | "inline")}
        options={[
          { value: "hook", label: t("apps.source.hook"), note: t("apps.source.hook.note") },
          { value: "inline", label: t("apps.source.inline"), note: t("apps.source.inline.note") },
        ]}
      />
      {form.source === "inline" ? (
        <AreaField label={t("apps.json")} required help={t("apps.json.help")} rows={10} className="mono" value={form.appJson} error={errorAt(form.save.error, "app_json")} onChange={form.setAppJson} />
      ) : (
        <>
          <TextField
            label={t("apps.hook")}
            required
            help={t("apps.hook.help")}
            placeholder="wss://agent.example.com/"
            inputMode="url"
            value={hook.url}
            error={errorAt(form.save.error, "call_hook.url")}
            onChange={(url) => setHook({ ...hook, url })}
          />
          <HookDetails hook={hook} setHook={setHook} showMethod={!isSocket} />
        </>
      )}
    </div>
  );
}

function HookDetails({ hook, setHook, showMethod }: { hook: Hook; setHook: (hook: Hook) => void; showMethod: boolean }) {
  const { t } = useText();
  return (
    <details>
      <summary>{t("apps.auth")}</summary>
      <div className="stack">
        {showMethod && (
          <SelectField
            label={t("apps.method")}
            required
            value={hook.method}
            onChange={(method) => setHook({ ...hook, method: method as Hook["method"] })}
            options={["POST", "GET"].map((value) => ({ value, label: value }))}
          />
        )}
        <TextField label={t("login.name")} value={hook.username} onChange={(username) => setHook({ ...hook, username })} />
        <SecretField label={t("login.password")} help={hook.username ? t("form.stays") : undefined} value={hook.password} onChange={(password) => setHook({ ...hook, password })} />
      </div>
    </details>
  );
}

function Environment({ form }: { form: FormState }) {
  const { t } = useText();
  const { stored, hook, source, setSchema, setTexts } = form;
  const probe = useQuery({
    queryKey: ["app-env", hook.url],
    enabled: false,
    retry: false,
    queryFn: async () => {
      const answer: unknown = (await answered(api.GET("/v1/AppEnv", { params: { query: { url: hook.url } } }))) ?? {};
      if (!isSchema(answer)) throw new Error(t("env.noSchema"));
      return answer;
    },
  });
  const { data, refetch } = probe;
  useEffect(() => {
    if (stored?.call_hook) void refetch();
  }, [stored, refetch]);
  useEffect(() => {
    if (!data) return;
    setSchema(data);
    setTexts((texts) => ({ ...startingTexts(data, {}), ...texts }));
  }, [data, setSchema, setTexts]);
  const ask = (
    <Button icon={RefreshCw} busy={probe.isFetching} disabled={!hook.url.trim()} onClick={() => void refetch()}>
      {t("env.ask")}
    </Button>
  );
  const isEmpty = !Object.keys(form.texts).length && !form.secrets.length;
  if (source === "inline") return null;
  return (
    <Panel title={t("env")} actions={ask}>
      <div className="stack">
        <Problem error={probe.error} />
        {isEmpty && <p className="muted">{t(data ? "env.none" : "env.help")}</p>}
        <EnvForm
          schema={form.schema}
          texts={form.texts}
          secrets={form.secrets}
          showErrors={form.tried}
          isAsked={data !== undefined}
          onChange={(name, text) => setTexts((texts) => ({ ...texts, [name]: text }))}
        />
      </div>
    </Panel>
  );
}

function More({ form }: { form: FormState }) {
  const { t } = useText();
  const { statusHook, setStatusHook } = form;
  return (
    <div className="stack">
      <TextField
        label={t("apps.statusHook")}
        help={t("apps.statusHook.help")}
        inputMode="url"
        value={statusHook.url}
        error={errorAt(form.save.error, "call_status_hook.url")}
        onChange={(url) => setStatusHook({ ...statusHook, url })}
      />
      <CheckField label={t("apps.record")} help={t("apps.record.help")} checked={form.recorded} onChange={form.setRecorded} />
    </div>
  );
}

function Remove({ stored }: { stored: Application }) {
  const { t } = useText();
  const toast = useToast();
  const refresh = useRefresh("applications", "numbers");
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE("/v1/Applications/{sid}", { params: { path: { sid: stored.application_sid } } })),
    onSuccess: async () => {
      await refresh();
      toast(t("deleted", { what: stored.name }));
      go("/applications");
    },
  });
  return (
    <>
      <Button look="quiet" icon={Trash2} onClick={() => setAsked(true)}>
        {t("delete")}
      </Button>
      {asked && (
        <Confirm
          title={t("delete.title", { what: stored.name })}
          text={t("apps.delete.text")}
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
