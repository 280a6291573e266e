/** The form of a service, made from the vendor's manifest: vendor, region, key, Base URL, label, Test, Save. */
import { useMutation } from "@tanstack/react-query";
import { FlaskConical } from "lucide-react";
import { type FormEvent, useMemo, useState } from "react";
import { useLocation } from "wouter";
import type { ModelChoice, TestReport, VendorField, VendorManifest } from "../../api/types";
import { useText } from "../../text";
import { CheckField, Choice, errorAt, TextField } from "../../ui/form";
import { Button, Panel, Problem } from "../../ui/parts";
import { useToast } from "../../ui/toast";
import { type Body, fieldsOf, hostOf, isGood, isSecret, type Kind, KINDS, listedModels, memberOf, type Service, type Use, useServiceActions, type Values } from "./data";
import { chosen, Fallback } from "./fallback";
import { ModelField, Region, VendorFieldInput } from "./fields";
import { Stages } from "./stages";

interface FormProps {
  kind: Kind;
  manifests: VendorManifest[];
  stored?: Service;
}

export function ServiceForm({ kind, manifests, stored }: FormProps) {
  const { t } = useText();
  const [vendor, setVendor] = useState(stored?.vendor ?? manifests[0]?.vendor ?? "");
  const manifest = manifests.find((one) => one.vendor === vendor);
  const note = (one: VendorManifest) => one.uses?.map((use) => t(`speech.${use}`)).join(" · ");
  return (
    <>
      {!stored && (
        <Choice
          cards
          legend={t("service.vendor")}
          value={vendor}
          options={manifests.map((one) => ({ value: one.vendor, ...named(one), ...(one.uses ? { note: note(one) } : {}) }))}
          onChange={setVendor}
        />
      )}
      {manifest ? <VendorForm key={vendor} kind={kind} manifest={manifest} stored={stored} /> : <Problem error={new Error(t("service.noVendor"))} />}
    </>
  );
}

/** A long name's brackets go below it: "OpenAI-compatible (vLLM, Ollama, proxies)". */
function named({ displayName }: VendorManifest): { label: string; note?: string } {
  const [, label, note] = /^(.{12,}?) \((.+)\)$/.exec(displayName) ?? [];
  return label ? { label, note } : { label: displayName };
}

/** What the form starts with: text members, and the rest. */
interface Draft {
  values: Values;
  isDefault: boolean;
  uses: Use[];
  fallback: ModelChoice[];
}

function startingDraft(kind: Kind, manifest: VendorManifest, stored?: Service): Draft {
  const values: Values = { label: stored?.label ?? "" };
  if (kind === "llm") values.model_id = String(stored?.model_id ?? "");
  for (const field of fieldsOf(manifest)) {
    const member = memberOf(field.name);
    values[member] = isSecret(field) ? "" : String(stored?.[member] ?? field.default ?? "");
  }
  const offered = manifest.uses ?? [];
  return {
    values,
    isDefault: stored?.is_default ?? false,
    uses: stored ? offered.filter((use) => stored.uses.includes(use)) : offered,
    fallback: stored?.fallback ?? [],
  };
}

/**
 * Everything that is sent. A secret left empty is not, so that the stored one stays; neither is what an edit has not
 * touched, because the form also shows defaults that are not stored.
 */
function bodyOf(kind: Kind, { values, isDefault, uses, fallback }: Draft, secrets: string[], start?: Values): Body {
  const isGiven = ([name, value]: [string, string]) => (start ? value !== start[name] : value !== "" || !secrets.includes(name));
  const given = Object.fromEntries(Object.entries(values).filter(isGiven));
  const own = kind === "llm" ? { fallback: chosen(fallback) } : { use_for_stt: uses.includes("stt"), use_for_tts: uses.includes("tts") };
  return { ...given, ...own, is_default: isDefault };
}

interface Try {
  /** Values to test instead of the form's. */
  override: Values;
  /** The reader agrees that the stored key is sent to the vendor's other region. */
  regionCheck?: boolean;
}

/** What the form holds, and what can be done with it. */
function useServiceForm(kind: Kind, manifest: VendorManifest, stored?: Service) {
  const { t } = useText();
  const toast = useToast();
  const actions = useServiceActions(kind);
  const [, go] = useLocation();
  const start = useMemo(() => startingDraft(kind, manifest, stored), [kind, manifest, stored]);
  const [draft, setDraft] = useState(start);
  const { values } = draft;
  const secrets = fieldsOf(manifest).filter(isSecret).map((field) => memberOf(field.name));
  const change = (some: Partial<Draft>) => setDraft((before) => ({ ...before, ...some }));
  const set = (some: Values) => setDraft((before) => ({ ...before, values: { ...before.values, ...some } }));
  const hasNewSecret = secrets.some((name) => values[name]);
  const changed = JSON.stringify(draft) !== JSON.stringify(start);
  const body = (tried = draft) => bodyOf(kind, tried, secrets);
  const changes = () => bodyOf(kind, draft, secrets, start.values);

  const test = useMutation({
    mutationFn: async ({ override, regionCheck }: Try): Promise<TestReport> => {
      const tried = { ...draft, values: { ...values, ...override } };
      if (stored && !hasNewSecret) {
        if (changed) await actions.update(stored.sid, changes());
        return actions.test(stored.sid, regionCheck);
      }
      return actions.tryOut({ ...body(tried), vendor: manifest.vendor });
    },
    // A suggestion that works is taken over into the form; one that does not leaves the form as it was.
    onSuccess: (report, { override }) => (isGood(report) ? set(override) : undefined),
    onSettled: actions.refresh,
  });
  const save = useMutation({
    mutationFn: async () => {
      if (stored) await actions.update(stored.sid, changes());
      const sid = stored?.sid ?? (await actions.create({ ...body(), vendor: manifest.vendor }));
      // What the Test found out before saving is found out again by the server, so that the list can show it.
      if (test.data) void actions.test(sid).catch(() => undefined).then(actions.refresh);
      await actions.refresh();
    },
    onSuccess: () => {
      toast(t("saved"));
      go(KINDS[kind].list);
    },
  });
  /** Try what a stage suggests. A stored key is only asked about at the other region; the form then shows the rest. */
  const follow = (suggested: Values, code: string) => {
    if (!stored || hasNewSecret) test.mutate({ override: suggested });
    else if (suggested.base_url && code === "key") test.mutate({ override: {}, regionCheck: true });
    else set(suggested);
  };
  return {
    draft,
    values,
    change,
    set,
    follow,
    test,
    save,
    wrong: (member: string) => errorAt(save.error, member) ?? errorAt(test.error, member),
    hasNewSecret,
    hasAllSecrets: fieldsOf(manifest).every((field) => !isSecret(field) || !field.required || values[memberOf(field.name)]),
    hostMoved: stored !== undefined && hostOf(values.base_url ?? "") !== hostOf(start.values.base_url ?? ""),
    changed,
    leave: () => go(KINDS[kind].list),
  };
}

type ServiceFormState = ReturnType<typeof useServiceForm>;

interface PartProps {
  form: ServiceFormState;
  kind: Kind;
  manifest: VendorManifest;
  stored?: Service;
}

function VendorForm({ kind, manifest, stored }: { kind: Kind; manifest: VendorManifest; stored?: Service }) {
  const { t } = useText();
  const form = useServiceForm(kind, manifest, stored);
  const part = { form, kind, manifest, stored };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    form.save.mutate();
  };
  const known = ["label", "vendor", "fallback", ...fieldsOf(manifest).map((field) => memberOf(field.name))];
  const general = [form.save.error, form.test.error].find((error) => error && !errorAt(error, ...known));
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Panel>
        <Members {...part} />
      </Panel>
      <TestPanel {...part} />
      <Panel title={t("more")}>
        <More {...part} />
      </Panel>
      <Problem error={general} />
      <Footer form={form} isNew={!stored} />
    </form>
  );
}

/** Region, secret, address, then the rest: the order in which people have them at hand. */
function orderedFields(fields: VendorField[]): VendorField[] {
  const weight = (field: VendorField) => (field.type === "url" ? 1 : isSecret(field) ? 0 : 2);
  return [...fields].sort((a, b) => weight(a) - weight(b));
}

interface FieldsProps extends PartProps {
  fields: VendorField[];
}

/** Some of the vendor's own fields, each with what is wrong with it. */
function Fields({ form, manifest, stored, fields }: FieldsProps) {
  const { t } = useText();
  const needsKey = (field: VendorField) => form.hostMoved && isSecret(field) && !form.values[memberOf(field.name)];
  return fields.map((field) => {
    const member = memberOf(field.name);
    return (
      <VendorFieldInput
        key={field.name}
        field={field}
        models={member === "model_id" ? manifest.knownModels.filter((model) => !model.use || model.use === manifest.uses?.[0]) : []}
        storedValue={stored && String(stored[member] ?? "")}
        value={form.values[member] ?? ""}
        error={form.wrong(member) ?? (needsKey(field) ? t("service.keyAgain") : null)}
        onChange={(value) => form.set({ [member]: value })}
      />
    );
  });
}

/** What a Test needs. */
function Members(part: PartProps) {
  const { t } = useText();
  const { form, manifest } = part;
  const fields = fieldsOf(manifest);
  const regions = fields.find((field) => field.suggestions);
  return (
    <div className="stack">
      {regions?.suggestions && (
        <Region suggestions={regions.suggestions} value={form.values.base_url ?? ""} onChange={(base_url) => form.set({ base_url })} />
      )}
      <Fields {...part} fields={orderedFields(fields.filter((field) => field.type !== "select"))} />
      <TextField
        label={t("service.label")}
        help={t("service.label.help")}
        value={form.values.label ?? ""}
        error={form.wrong("label")}
        onChange={(label) => form.set({ label })}
      />
      {manifest.uses && manifest.uses.length > 1 && (
        <Uses offered={manifest.uses} value={form.draft.uses} onChange={(uses) => form.change({ uses })} />
      )}
    </div>
  );
}

/** What calls do with the service; its Test can do without. */
function More(part: PartProps) {
  const { t } = useText();
  const { form, kind, manifest } = part;
  return (
    <div className="stack">
      <CheckField
        label={t("service.isDefault")}
        help={t("service.isDefault.help")}
        checked={form.draft.isDefault}
        onChange={(isDefault) => form.change({ isDefault })}
      />
      <Fields {...part} fields={fieldsOf(manifest).filter((field) => field.type === "select")} />
      {kind === "llm" && (
        <Fallback
          value={form.draft.fallback}
          own={{ vendor: manifest.vendor, label: form.values.label || null, model: "" }}
          error={form.wrong("fallback")}
          onChange={(fallback) => form.change({ fallback })}
        />
      )}
    </div>
  );
}

/** What a vendor that both listens and speaks is used for. */
function Uses({ offered, value, onChange }: { offered: Use[]; value: Use[]; onChange: (uses: Use[]) => void }) {
  const { t } = useText();
  return (
    <fieldset className="uses">
      <legend>{t("speech.uses")}</legend>
      {offered.map((use) => (
        <CheckField
          key={use}
          label={t(`speech.${use}`)}
          help={t(`speech.${use}.help`)}
          checked={value.includes(use)}
          onChange={(on) => onChange(offered.filter((one) => (one === use ? on : value.includes(one))))}
        />
      ))}
    </fieldset>
  );
}

function TestPanel({ form, kind, manifest, stored }: PartProps) {
  const { t } = useText();
  const { test } = form;
  const usesStored = stored !== undefined && !form.hasNewSecret;
  const mayTest = stored && !form.hostMoved ? true : form.hasAllSecrets;
  return (
    <Panel title={t("test")}>
      <div className="stack">
        {kind === "llm" && (
          <ModelField manifest={manifest} live={listedModels(test.data)} value={form.values.model_id ?? ""} onChange={(model_id) => form.set({ model_id })} />
        )}
        <div className="test-line">
          <Button icon={FlaskConical} busy={test.isPending} disabled={!mayTest} onClick={() => test.mutate({ override: {} })}>
            {t(!usesStored ? "test" : form.changed ? "test.save" : "test.again")}
          </Button>
          <p className="help">{t(mayTest ? `${kind}.test.help` : "test.needsKey")}</p>
        </div>
        {(test.data || test.isPending) && (
          <Stages report={test.data} running={test.isPending} names={KINDS[kind].stages} onSuggestion={form.follow} />
        )}
      </div>
    </Panel>
  );
}

function Footer({ form, isNew }: { form: ServiceFormState; isNew: boolean }) {
  const { t } = useText();
  const failed = form.test.data !== undefined && !form.test.isPending && !isGood(form.test.data);
  return (
    <div className="actions sticky">
      {failed && <p className="warning">{t("service.saveAnyway.text")}</p>}
      <Button onClick={form.leave}>{t("cancel")}</Button>
      <Button type="submit" look="main" busy={form.save.isPending} disabled={isNew ? !form.hasAllSecrets : !form.changed}>
        {t(failed ? "service.saveAnyway" : "save")}
      </Button>
    </div>
  );
}
