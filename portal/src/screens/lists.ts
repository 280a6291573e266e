/** Lists that several screens show or choose from. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
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

export function useNumbers() {
  const account_sid = useAccountSid();
  return useQuery({
    queryKey: ["numbers", account_sid],
    queryFn: async () =>
      rowsOf<PhoneNumber>(await answered(api.GET("/v1/Accounts/{account_sid}/PhoneNumbers", { params: { path: { account_sid } } }))),
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

/** Ask again for lists after a change. */
export function useRefresh(...names: ("applications" | "numbers" | "carriers" | "gateways")[]) {
  const queries = useQueryClient();
  return () => Promise.all(names.map((name) => queries.invalidateQueries({ queryKey: [name] })));
}
