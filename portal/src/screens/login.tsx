/** Login. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { post } from "../api/client";
import { Preferences } from "../layout";
import { useText } from "../text";
import { Field } from "../ui/form";
import { Mark } from "../ui/mark";
import { Button, Problem } from "../ui/parts";

export function Login() {
  const { t } = useText();
  const queries = useQueryClient();
  const [username, setUsername] = useState("admin");
  const [password, setPassword] = useState("");
  const login = useMutation({
    mutationFn: () => post("/portal/login", { username, password }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["me"] }),
  });
  return (
    <main className="gate">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          login.mutate();
        }}
      >
        <Mark size={40} />
        <h1>{t("login.title")}</h1>
        <p className="lead">{t("login.lead")}</p>
        <Problem error={login.error} />
        <Field label={t("login.name")} required>
          {(described) => (
            <input {...described} autoComplete="username" value={username} onChange={(event) => setUsername(event.target.value)} />
          )}
        </Field>
        <Field label={t("login.password")} required>
          {(described) => (
            <input
              {...described}
              type="password"
              autoComplete="current-password"
              autoFocus
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" look="main" busy={login.isPending}>
          {t("login.action")}
        </Button>
      </form>
      <Preferences />
    </main>
  );
}
