/** Changing one's own password: at any time, and before anything else when it is a one-time password. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { answered, api, post } from "../api/client";
import type { User } from "../api/types";
import { useAccount, useLogout } from "../session";
import { useText } from "../text";
import { Field } from "../ui/form";
import { Mark } from "../ui/mark";
import { Button, Page, Panel, Problem } from "../ui/parts";
import { useToast } from "../ui/toast";

export const SHORTEST = 8;

export function ForcedPassword({ user }: { user: User }) {
  const { t } = useText();
  const logout = useLogout();
  return (
    <main className="gate">
      <PasswordForm user={user}>
        <Mark size={40} />
        <h1>{t("password.forced")}</h1>
        <p className="lead">{t("password.forced.lead")}</p>
      </PasswordForm>
      <Button look="quiet" onClick={() => void logout()}>
        {t("logout")}
      </Button>
    </main>
  );
}

export function Password() {
  const { t } = useText();
  const { user } = useAccount();
  return (
    <Page title={t("password.title")} lead={t("password.lead")} narrow>
      <Panel>
        <PasswordForm user={user} />
      </Panel>
    </Page>
  );
}

function PasswordForm({ user, children }: { user: User; children?: React.ReactNode }) {
  const { t } = useText();
  const toast = useToast();
  const queries = useQueryClient();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [again, setAgain] = useState("");
  const [wrong, setWrong] = useState<"short" | "different" | null>(null);
  const change = useMutation({
    mutationFn: async () => {
      const body = { old_password: old, new_password: fresh };
      await answered(api.PUT("/v1/Users/{sid}", { params: { path: { sid: user.user_sid } }, body }));
      await post("/portal/login", { username: user.name, password: fresh });
    },
    onSuccess: async () => {
      toast(t("password.changed"));
      setOld("");
      setFresh("");
      setAgain("");
      await queries.invalidateQueries({ queryKey: ["me"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const mistake = fresh.length < SHORTEST ? "short" : fresh !== again ? "different" : null;
    setWrong(mistake);
    if (!mistake) change.mutate();
  };
  return (
    <form onSubmit={submit} noValidate className="stack">
      {children}
      <Problem error={change.error} />
      <Secret label={t("password.old")} value={old} onChange={setOld} complete="current-password" />
      <Secret
        label={t("password.new")}
        help={t("password.rule", { count: SHORTEST })}
        error={wrong === "short" ? t("password.short", { count: SHORTEST }) : null}
        value={fresh}
        onChange={setFresh}
        complete="new-password"
      />
      <Secret
        label={t("password.again")}
        error={wrong === "different" ? t("password.different") : null}
        value={again}
        onChange={setAgain}
        complete="new-password"
      />
      <div className="actions">
        <Button type="submit" look="main" busy={change.isPending}>
          {t("password.action")}
        </Button>
      </div>
    </form>
  );
}

interface SecretProps {
  label: string;
  help?: string;
  error?: string | null;
  value: string;
  complete: string;
  onChange: (value: string) => void;
}

function Secret({ label, help, error, value, complete, onChange }: SecretProps) {
  return (
    <Field label={label} help={help} error={error} required>
      {(described) => (
        <input {...described} type="password" autoComplete={complete} value={value} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}
