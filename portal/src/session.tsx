/** Who is logged in, and which account's records are shown. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { answered, api, ApiFailure, post, type Schemas } from "./api/client";
import type { User } from "./api/types";

type Account = Schemas["AccountShown"];

interface AccountChoice {
  account: Account;
  accounts: Account[];
  choose: (sid: string) => void;
  user: User;
}

const STORED = "moonwire.account";
const Context = createContext<AccountChoice | null>(null);

/** The logged-in user; null when nobody is. */
export function useMe() {
  return useQuery<User | null>({
    queryKey: ["me"],
    staleTime: Infinity,
    queryFn: async () => {
      try {
        return (await answered(api.GET("/v1/Users/me"))).user;
      } catch (error) {
        if (error instanceof ApiFailure && (error.status === 401 || error.status === 404)) return null;
        throw error;
      }
    },
  });
}

export function useLogout(): () => Promise<void> {
  const queries = useQueryClient();
  return useCallback(async () => {
    await post("/portal/logout");
    queries.setQueryData(["me"], null);
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
  }, [queries]);
}

export function AccountProvider({ user, accounts, children }: { user: User; accounts: Account[]; children: ReactNode }) {
  const [sid, setSid] = useState(() => localStorage.getItem(STORED));
  const account =
    accounts.find((one) => one.account_sid === sid) ?? accounts.find((one) => one.is_default) ?? accounts[0];
  const choose = useCallback((chosen: string) => {
    localStorage.setItem(STORED, chosen);
    setSid(chosen);
  }, []);
  const value = useMemo(() => (account ? { account, accounts, choose, user } : null), [account, accounts, choose, user]);
  return <Context.Provider value={value}>{value && children}</Context.Provider>;
}

export function useAccount(): AccountChoice {
  const choice = useContext(Context);
  if (!choice) throw new Error("useAccount outside of AccountProvider");
  return choice;
}

/** The sid of the account whose records are shown. */
export function useAccountSid(): string {
  return useAccount().account.account_sid;
}
