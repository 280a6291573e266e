/** Lists that several screens show or choose from. */
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { answered, api } from "../api/client";
import type { Application, Carrier, Gateway, PhoneNumber } from "../api/types";
import { useAccountSid } from "../session";

type MaybePage<T> = T[] | { data: T[] };

const rowsOf = <T>(answer: MaybePage<T>): T[] => (Array.isArray(answer) ? answer : answer.data);

export function useApplications() {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["applications", account_sid],
    queryFn: async () =>
      rowsOf<Application>(await answered(api.GET("/v1/Accounts/{account_sid}/Applications", { params: { path: { account_sid } } }))),
  });
}

interface NumberQuery {
  page?: number;
  page_size?: number;
  /** Part of the number. */
  filter?: string;
  /** Only those that lead to an application. */
  assigned?: boolean;
}

/** One page of the account's numbers; an account may have thousands. */
export function useNumbers({ page = 1, ...query }: NumberQuery) {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["numbers", account_sid, page, query],
    placeholderData: keepPreviousData,
    queryFn: async () => {
      const params = { path: { account_sid }, query: { page, ...query } };
      return (await answered(api.GET("/v1/Accounts/{account_sid}/PhoneNumbers", { params }))) as { total: number; data: PhoneNumber[] };
    },
  });
}

export function useCarriers() {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["carriers", account_sid],
    queryFn: async () =>
      rowsOf<Carrier>(await answered(api.GET("/v1/Accounts/{account_sid}/VoipCarriers", { params: { path: { account_sid } } }))),
  });
}

export function useGateways(carrier?: string) {
  return useQuery({
    queryKey: ["gateways", carrier ?? "all"],
    queryFn: () =>
      answered(
        api.GET("/v1/SipGateways", { params: { query: carrier ? { voip_carrier_sid: carrier } : {} } }),
      ) as Promise<Gateway[]>,
  });
}

/** What kind of server this is; it does not change while it runs. */
export function useSystem() {
  return useQuery({ queryKey: ["system"], staleTime: Infinity, queryFn: () => answered(api.GET("/v1/SystemInformation")) });
}

/** Ask again for lists after a change. */
export function useRefresh(...names: ("applications" | "numbers" | "carriers" | "gateways")[]) {
  const queries = useQueryClient();
  return () => Promise.all(names.map((name) => queries.invalidateQueries({ queryKey: [name] })));
}
