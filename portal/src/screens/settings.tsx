/** Settings of the account: its name, recording, and the secret that signs its webhooks. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Copy, Eye, RefreshCw } from "lucide-react";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import { useAccount } from "../session";
import { useText } from "../text";
import { CheckField, errorAt, TextField } from "../ui/form";
import { Button, Confirm, Page, Panel, Problem } from "../ui/parts";
import { useToast } from "../ui/toast";

export default function Settings() {
  const { t } = useText();
  const { account } = useAccount();
  return (
    <Page title={t("nav.settings")} lead={t("settings.lead")} narrow>
      <AccountForm key={account.account_sid} />
      <WebhookSecret key={`secret ${account.account_sid}`} />
    </Page>
  );
}

function AccountForm() {
  const { t } = useText();
  const toast = useToast();
  const queries = useQueryClient();
  const { account } = useAccount();
  const [name, setName] = useState(account.name);
  const [realm, setRealm] = useState(account.sip_realm ?? "");
  const [recorded, setRecorded] = useState(Boolean(account.record_all_calls));
  const save = useMutation({
    mutationFn: async () => {
      const body = { name: name.trim(), sip_realm: realm.trim() || null, record_all_calls: recorded };
      await answered(api.PUT("/v1/Accounts/{account_sid}", { params: { path: { account_sid: account.account_sid } }, body }));
      await queries.invalidateQueries({ queryKey: ["accounts"] });
    },
    onSuccess: () => toast(t("saved")),
  });
  const changed = name !== account.name || realm !== (account.sip_realm ?? "") || recorded !== Boolean(account.record_all_calls);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Panel title={t("settings.account")}>
      <form onSubmit={submit} className="stack" noValidate>
        <TextField label={t("name")} required value={name} error={errorAt(save.error, "name")} onChange={setName} />
        <Copied label={t("settings.accountSid")} value={account.account_sid} />
        <TextField label={t("settings.realm")} value={realm} error={errorAt(save.error, "sip_realm")} onChange={setRealm} placeholder="sip.example.com" />
        <CheckField label={t("settings.record")} help={t("apps.record.help")} checked={recorded} onChange={setRecorded} />
        <Problem error={save.error && !errorAt(save.error, "name", "sip_realm") ? save.error : null} />
        <div className="actions">
          <Button type="submit" look="main" busy={save.isPending} disabled={!changed || !name.trim()}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Panel>
  );
}

function Copied({ label, value }: { label: string; value: string }) {
  const { t } = useText();
  const toast = useToast();
  return (
    <div className="field">
      <span className="label">{label}</span>
      <div className="with-button">
        <input readOnly value={value} aria-label={label} className="mono" onFocus={(event) => event.target.select()} />
        <button type="button" className="icon-button" aria-label={`${t("copy")}: ${label}`} onClick={() => void navigator.clipboard.writeText(value).then(() => toast(t("copied")))}>
          <Copy aria-hidden />
        </button>
      </div>
    </div>
  );
}

function WebhookSecret() {
  const { t } = useText();
  const toast = useToast();
  const { account } = useAccount();
  const [asked, setAsked] = useState(false);
  const secret = useMutation({
    mutationFn: async (regenerate: boolean) => {
      const params = { path: { account_sid: account.account_sid }, query: regenerate ? { regenerate } : {} };
      return (await answered(api.GET("/v1/Accounts/{account_sid}/WebhookSecret", { params }))).webhook_secret;
    },
    onSuccess: (_, regenerated) => {
      setAsked(false);
      if (regenerated) toast(t("settings.secret.made"));
    },
  });
  return (
    <Panel title={t("settings.secret")}>
      <div className="stack">
        <p className="help">{t("settings.secret.help")}</p>
        {secret.data && <Copied label={t("settings.secret")} value={secret.data} />}
        <Problem error={asked ? null : secret.error} />
        <div className="actions start">
          {!secret.data && (
            <Button icon={Eye} busy={secret.isPending && !asked} onClick={() => secret.mutate(false)}>
              {t("settings.secret.show")}
            </Button>
          )}
          <Button icon={RefreshCw} onClick={() => setAsked(true)}>
            {t("settings.secret.new")}
          </Button>
        </div>
      </div>
      {asked && (
        <Confirm
          title={t("settings.secret.new.title")}
          text={t("settings.secret.new.text")}
          action={t("settings.secret.new")}
          busy={secret.isPending}
          error={secret.error}
          onConfirm={() => secret.mutate(true)}
          onClose={() => setAsked(false)}
        />
      )}
    </Panel>
  );
}
