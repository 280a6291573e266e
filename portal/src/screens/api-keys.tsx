/** API keys: a token is shown once, when it is made. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Copy, KeyRound, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { ApiKey } from "../api/types";
import { useAccountSid } from "../session";
import { useText } from "../text";
import { SelectField, TextField } from "../ui/form";
import { Button, Confirm, Dialog, Empty, Loaded, Page, Problem, Table } from "../ui/parts";
import { Ago } from "../ui/time";
import { useToast } from "../ui/toast";

const DAY_S = 86_400;

function useKeys() {
  const account_sid = useAccountSid();
  const queries = useQueryClient();
  const keys = useQuery({
    queryKey: ["api-keys", account_sid],
    queryFn: () => answered(api.GET("/v1/Accounts/{account_sid}/ApiKeys", { params: { path: { account_sid } } })),
  });
  return { keys, refresh: () => queries.invalidateQueries({ queryKey: ["api-keys", account_sid] }) };
}

export default function ApiKeys() {
  const { t } = useText();
  const { keys, refresh } = useKeys();
  const [making, setMaking] = useState(false);
  const [removing, setRemoving] = useState<ApiKey | null>(null);
  const add = (
    <Button look="main" icon={Plus} onClick={() => setMaking(true)}>
      {t("apiKeys.add")}
    </Button>
  );
  return (
    <Page title={t("nav.apiKeys")} lead={t("apiKeys.lead")} actions={add}>
      <Loaded query={keys}>
        {(rows) =>
          rows.length ? (
            <Table
              caption={t("nav.apiKeys")}
              rows={rows}
              id={(row) => row.api_key_sid}
              columns={[
                { title: t("name"), cell: (row) => row.name ?? t("unnamed") },
                { title: t("apiKeys.token"), cell: (row) => <code>{`···· ${row.token.slice(-4)}`}</code> },
                { title: t("apiKeys.lastUse"), cell: (row) => <Ago at={row.last_used} /> },
                { title: t("apiKeys.expires"), cell: (row) => (row.expires_at ? <Ago at={row.expires_at} /> : t("never")) },
                {
                  title: t("actions"),
                  quiet: true,
                  cell: (row) => (
                    <Button look="quiet" icon={Trash2} onClick={() => setRemoving(row)} aria-label={t("delete.one", { what: row.name ?? t("unnamed") })}>
                      {t("delete")}
                    </Button>
                  ),
                },
              ]}
            />
          ) : (
            <Empty icon={KeyRound} title={t("apiKeys.empty")} action={add}>
              {t("apiKeys.empty.text")}
            </Empty>
          )
        }
      </Loaded>
      {making && <NewKey onClose={() => setMaking(false)} onMade={refresh} />}
      {removing && <RemoveKey row={removing} onClose={() => setRemoving(null)} onDone={refresh} />}
    </Page>
  );
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: () => Promise<void> }) {
  const { t } = useText();
  const account_sid = useAccountSid();
  const [name, setName] = useState("");
  const [days, setDays] = useState("");
  const make = useMutation({
    mutationFn: () => {
      const expiry = days ? { expiry_secs: Number(days) * DAY_S } : {};
      return answered(api.POST("/v1/ApiKeys", { body: { account_sid, ...(name ? { name } : {}), ...expiry } }));
    },
    onSuccess: onMade,
  });
  if (make.data) return <Token token={make.data.token} onClose={onClose} />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Dialog title={t("apiKeys.add")} onClose={onClose}>
      <form onSubmit={submit} className="stack">
        <TextField label={t("name")} help={t("apiKeys.name.help")} value={name} onChange={setName} autoFocus />
        <SelectField
          label={t("apiKeys.expires")}
          required
          value={days}
          onChange={setDays}
          options={[{ value: "", label: t("never") }, ...["30", "90", "365"].map((value) => ({ value, label: t("inDays", { count: value }) }))]}
        />
        <Problem error={make.error} />
        <div className="actions">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" look="main" busy={make.isPending}>
            {t("apiKeys.make")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Token({ token, onClose }: { token: string; onClose: () => void }) {
  const { t } = useText();
  const toast = useToast();
  const copy = () => navigator.clipboard.writeText(token).then(() => toast(t("copied")));
  return (
    <Dialog title={t("apiKeys.made")} onClose={onClose}>
      <p>{t("apiKeys.once")}</p>
      <div className="with-button">
        <input readOnly value={token} aria-label={t("apiKeys.token")} className="mono" onFocus={(event) => event.target.select()} autoFocus />
        <button type="button" className="icon-button" aria-label={t("copy")} onClick={() => void copy()}>
          <Copy aria-hidden />
        </button>
      </div>
      <div className="actions">
        <Button look="main" onClick={onClose}>
          {t("apiKeys.kept")}
        </Button>
      </div>
    </Dialog>
  );
}

function RemoveKey({ row, onClose, onDone }: { row: ApiKey; onClose: () => void; onDone: () => Promise<void> }) {
  const { t } = useText();
  const name = row.name ?? t("unnamed");
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE("/v1/ApiKeys/{sid}", { params: { path: { sid: row.api_key_sid } } })),
    onSuccess: async () => {
      await onDone();
      onClose();
    },
  });
  return (
    <Confirm
      title={t("delete.title", { what: name })}
      text={t("apiKeys.delete.text")}
      action={t("delete")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
