/** Users: who may log in; add, change, give a new first password, delete. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { User } from "../api/types";
import { useAccount } from "../session";
import { useText } from "../text";
import { CheckField, errorAt, SecretField, SelectField, TextField } from "../ui/form";
import { Badge, Button, Confirm, Dialog, Loaded, Page, Problem, Status, Table } from "../ui/parts";
import { useToast } from "../ui/toast";
import { SHORTEST } from "./password";

const KEY = ["users"];

function useUsers() {
  return useQuery({ queryKey: KEY, queryFn: () => answered(api.GET("/v1/Users")) });
}

export default function Users() {
  const { t } = useText();
  const users = useUsers();
  const [edited, setEdited] = useState<User | "new" | null>(null);
  const [removing, setRemoving] = useState<User | null>(null);
  const add = (
    <Button look="main" icon={Plus} onClick={() => setEdited("new")}>
      {t("users.add")}
    </Button>
  );
  return (
    <Page title={t("nav.users")} lead={t("users.lead")} actions={add}>
      <Loaded query={users}>{(rows) => <UserTable rows={rows} onEdit={setEdited} onRemove={setRemoving} />}</Loaded>
      {edited && <UserForm stored={edited === "new" ? undefined : edited} onClose={() => setEdited(null)} />}
      {removing && <RemoveUser row={removing} onClose={() => setRemoving(null)} />}
    </Page>
  );
}

interface TableProps {
  rows: User[];
  onEdit: (user: User) => void;
  onRemove: (user: User) => void;
}

function UserTable({ rows, onEdit, onRemove }: TableProps) {
  const { t } = useText();
  const { accounts, user: me } = useAccount();
  const accountOf = (row: User) => accounts.find((one) => one.account_sid === row.account_sid)?.name ?? row.account_sid;
  return (
    <Table
      caption={t("nav.users")}
      rows={rows}
      id={(row) => row.user_sid}
      columns={[
        {
          title: t("name"),
          cell: (row) => (
            <div className="two-lines">
              <strong>
                {row.name} {row.user_sid === me.user_sid && <Badge>{t("users.you")}</Badge>}
              </strong>
              {row.email && <span className="muted">{row.email}</span>}
            </div>
          ),
        },
        { title: t("users.role"), cell: (row) => (row.account_sid ? accountOf(row) : t("users.admin")) },
        { title: t("users.state"), cell: (row) => <State row={row} /> },
        {
          title: t("actions"),
          quiet: true,
          cell: (row) => (
            <>
              <Button look="quiet" icon={Pencil} onClick={() => onEdit(row)} aria-label={t("users.edit", { what: row.name })}>
                {t("edit")}
              </Button>
              <Button
                look="quiet"
                icon={Trash2}
                disabled={row.user_sid === me.user_sid}
                onClick={() => onRemove(row)}
                aria-label={t("delete.one", { what: row.name })}
              >
                {t("delete")}
              </Button>
            </>
          ),
        },
      ]}
    />
  );
}

function State({ row }: { row: User }) {
  const { t } = useText();
  if (!row.is_active) return <Status tone="bad">{t("users.inactive")}</Status>;
  return <Status tone={row.force_change ? "warn" : "good"}>{t(row.force_change ? "users.mustChange" : "users.active")}</Status>;
}

function useUserForm(stored: User | undefined, onClose: () => void) {
  const { t } = useText();
  const toast = useToast();
  const queries = useQueryClient();
  const { user: me, account } = useAccount();
  const [name, setName] = useState(stored?.name ?? "");
  const [email, setEmail] = useState(stored?.email ?? "");
  const [password, setPassword] = useState("");
  const [owner, setOwner] = useState(stored ? (stored.account_sid ?? "") : account.account_sid);
  const [active, setActive] = useState(stored?.is_active ?? true);
  const save = useMutation({
    mutationFn: async () => {
      const shared = { name: name.trim(), email: email.trim() || null, is_active: active };
      const secret = password ? { initial_password: password } : {};
      if (stored) await answered(api.PUT("/v1/Users/{sid}", { params: { path: { sid: stored.user_sid } }, body: { ...shared, ...secret } }));
      else await answered(api.POST("/v1/Users", { body: { ...shared, initial_password: password, account_sid: owner || null } }));
      await queries.invalidateQueries({ queryKey: KEY });
    },
    onSuccess: () => {
      toast(t("saved"));
      onClose();
    },
  });
  const short = password !== "" && password.length < SHORTEST;
  const isComplete = name.trim() !== "" && !short && (stored !== undefined || password !== "");
  return { me, name, setName, email, setEmail, password, setPassword, owner, setOwner, active, setActive, save, short, isComplete };
}

function UserForm({ stored, onClose }: { stored?: User; onClose: () => void }) {
  const { t } = useText();
  const { accounts } = useAccount();
  const form = useUserForm(stored, onClose);
  const isSelf = stored?.user_sid === form.me.user_sid;
  const wrong = (member: string) => errorAt(form.save.error, member);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (form.isComplete) form.save.mutate();
  };
  const owners = [
    ...(form.me.account_sid ? [] : [{ value: "", label: t("users.admin") }]),
    ...accounts.map((one) => ({ value: one.account_sid, label: one.name })),
  ];
  return (
    <Dialog title={stored ? t("users.edit", { what: stored.name }) : t("users.add")} onClose={onClose}>
      <form onSubmit={submit} className="stack" noValidate>
        <TextField label={t("login.name")} required value={form.name} error={wrong("name")} onChange={form.setName} autoFocus />
        <TextField label={t("users.email")} inputMode="email" value={form.email} error={wrong("email")} onChange={form.setEmail} />
        {!stored && <SelectField label={t("users.role")} required value={form.owner} options={owners} onChange={form.setOwner} />}
        {!isSelf && (
          <>
            <SecretField
              label={t("users.initial")}
              required={!stored}
              autoComplete="new-password"
              help={stored ? t("users.initial.stays") : t("users.initial.help", { count: SHORTEST })}
              error={form.short ? t("password.short", { count: SHORTEST }) : wrong("initial_password")}
              value={form.password}
              onChange={form.setPassword}
            />
            <CheckField label={t("users.active")} checked={form.active} onChange={form.setActive} />
          </>
        )}
        <Problem error={form.save.error && !errorAt(form.save.error, "name", "email", "initial_password") ? form.save.error : null} />
        <div className="actions">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" look="main" busy={form.save.isPending} disabled={!form.isComplete}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RemoveUser({ row, onClose }: { row: User; onClose: () => void }) {
  const { t } = useText();
  const toast = useToast();
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE("/v1/Users/{sid}", { params: { path: { sid: row.user_sid } } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: KEY });
      toast(t("deleted", { what: row.name }));
      onClose();
    },
  });
  return (
    <Confirm
      title={t("delete.title", { what: row.name })}
      text={t("users.delete.text")}
      action={t("delete")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
