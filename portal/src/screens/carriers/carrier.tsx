/** One carrier: its addresses, its tokens. */
import { useMutation } from "@tanstack/react-query";
import { Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import { answered, api } from "../../api/client";
import type { Carrier, Gateway } from "../../api/types";
import { useAccountSid } from "../../session";
import { useText } from "../../text";
import { CheckField, Choice, errorAt, SecretField, SelectField, TextField } from "../../ui/form";
import { Badge, Button, Confirm, Loaded, Page, Panel, Problem, Table } from "../../ui/parts";
import { useToast } from "../../ui/toast";
import { useCarriers, useGateways, useRefresh } from "../lists";

export default function CarrierPage({ sid }: { sid: string }) {
  const { t } = useText();
  const carriers = useCarriers();
  const stored = carriers.data?.find((one) => one.voip_carrier_sid === sid);
  const isNew = sid === "new";
  return (
    <Page
      title={isNew ? t("carriers.new") : (stored?.name ?? t("carriers.carrier"))}
      back={{ href: "/carriers", label: t("nav.carriers") }}
      actions={stored && <Remove stored={stored} />}
      narrow
    >
      <Loaded query={carriers}>
        {() => (isNew || stored ? <CarrierForm stored={stored} /> : <Problem error={new Error(t("carriers.gone"))} />)}
      </Loaded>
      {stored && <Gateways carrier={stored.voip_carrier_sid} />}
    </Page>
  );
}

function CarrierForm({ stored }: { stored?: Carrier }) {
  const { t } = useText();
  const toast = useToast();
  const account_sid = useAccountSid();
  const refresh = useRefresh("carriers", "gateways");
  const [, go] = useLocation();
  const [name, setName] = useState(stored?.name ?? "");
  const [type, setType] = useState<"sip" | "twilio">(stored?.carrier_type === "twilio" ? "twilio" : "sip");
  const [isActive, setActive] = useState(stored?.is_active ?? true);
  const [token, setToken] = useState("");
  const [authToken, setAuthToken] = useState("");
  const save = useMutation({
    mutationFn: async () => {
      const secrets = { ...(token ? { token } : {}), ...(authToken ? { auth_token: authToken } : {}) };
      const body = { account_sid, name, carrier_type: type, is_active: isActive, ...secrets };
      const path = { sid: stored?.voip_carrier_sid ?? "" };
      if (stored) await answered(api.PUT("/v1/VoipCarriers/{sid}", { params: { path }, body }));
      const made = stored ? stored.voip_carrier_sid : (await answered(api.POST("/v1/VoipCarriers", { body }))).sid;
      await refresh();
      return made;
    },
    onSuccess: (sid) => {
      toast(t("saved"));
      setToken("");
      setAuthToken("");
      go(`/carriers/${sid}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const kept = (has: boolean | undefined) => (has ? t("form.stays") : undefined);
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <Panel>
        <div className="stack">
          <TextField label={t("name")} required value={name} error={errorAt(save.error, "name")} onChange={setName} />
          <Choice
            legend={t("carriers.type")}
            value={type}
            onChange={(chosen) => setType(chosen as "sip" | "twilio")}
            options={[
              { value: "sip", label: "SIP", note: t("carriers.sip") },
              { value: "twilio", label: "Twilio", note: t("carriers.twilio") },
            ]}
          />
          {type === "twilio" && (
            <SecretField label={t("carriers.authToken")} help={kept(stored?.has_auth_token) ?? t("carriers.authToken.help")} value={authToken} onChange={setAuthToken} />
          )}
          <SecretField label={t("carriers.token")} help={kept(stored?.has_token) ?? t("carriers.token.help")} value={token} onChange={setToken} />
          <CheckField label={t("carriers.active")} checked={isActive} onChange={setActive} />
        </div>
      </Panel>
      <Problem error={save.error && !errorAt(save.error, "name") ? save.error : null} />
      <div className="actions">
        <Button onClick={() => go("/carriers")}>{t("cancel")}</Button>
        <Button type="submit" look="main" busy={save.isPending} disabled={!name.trim()}>
          {t(stored ? "save" : "carriers.saveNew")}
        </Button>
      </div>
    </form>
  );
}

function Gateways({ carrier }: { carrier: string }) {
  const { t } = useText();
  const toast = useToast();
  const gateways = useGateways(carrier);
  const refresh = useRefresh("gateways");
  const remove = useMutation({
    mutationFn: (sid: string) => answered(api.DELETE("/v1/SipGateways/{sid}", { params: { path: { sid } } })),
    onError: (error) => toast(error, "bad"),
    onSettled: refresh,
  });
  return (
    <Panel title={t("gateways")}>
      <div className="stack">
        <p className="help">{t("gateways.help")}</p>
        <Loaded query={gateways}>
          {(rows) =>
            rows.length ? (
              <Table
                caption={t("gateways")}
                rows={rows}
                id={(row: Gateway) => row.sip_gateway_sid}
                columns={[
                  { title: t("gateways.address"), cell: (row) => <code>{row.inbound ? `${row.ipv4}/${row.netmask}` : `${row.ipv4}:${row.port}`}</code> },
                  { title: t("gateways.protocol"), cell: (row) => row.protocol },
                  {
                    title: t("gateways.use"),
                    cell: (row) => (
                      <>
                        {row.inbound ? <Badge>{t("calls.inbound")}</Badge> : null} {row.outbound ? <Badge>{t("calls.outbound")}</Badge> : null}
                      </>
                    ),
                  },
                  {
                    title: t("actions"),
                    quiet: true,
                    cell: (row) => (
                      <Button look="quiet" icon={Trash2} busy={remove.isPending && remove.variables === row.sip_gateway_sid} onClick={() => remove.mutate(row.sip_gateway_sid)} aria-label={t("delete.one", { what: row.ipv4 })}>
                        {t("delete")}
                      </Button>
                    ),
                  },
                ]}
              />
            ) : (
              <p className="muted">{t("gateways.none")}</p>
            )
          }
        </Loaded>
        <NewGateway carrier={carrier} />
      </div>
    </Panel>
  );
}

type Protocol = "udp" | "tcp" | "tls";

function NewGateway({ carrier }: { carrier: string }) {
  const { t } = useText();
  const refresh = useRefresh("gateways");
  const [address, setAddress] = useState("");
  const [protocol, setProtocol] = useState<Protocol>("udp");
  const [inbound, setInbound] = useState(true);
  const [outbound, setOutbound] = useState(false);
  const add = useMutation({
    mutationFn: () => {
      const [ipv4 = "", mask] = address.trim().split("/");
      const netmask = mask ? Number(mask) : ipv4.includes(":") ? 128 : 32;
      const body = { voip_carrier_sid: carrier, ipv4, netmask, protocol, inbound, outbound };
      return answered(api.POST("/v1/SipGateways", { body }));
    },
    onSuccess: async () => {
      await refresh();
      setAddress("");
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <form onSubmit={submit} className="inline-form" noValidate>
      <TextField label={t("gateways.address")} required placeholder="203.0.113.0/24" value={address} error={add.error?.message} onChange={setAddress} />
      <SelectField
        label={t("gateways.protocol")}
        required
        value={protocol}
        onChange={(chosen) => setProtocol(chosen as Protocol)}
        options={["udp", "tcp", "tls"].map((value) => ({ value, label: value.toUpperCase() }))}
      />
      <CheckField label={t("calls.inbound")} checked={inbound} onChange={setInbound} />
      <CheckField label={t("calls.outbound")} checked={outbound} onChange={setOutbound} />
      <Button type="submit" icon={Plus} busy={add.isPending} disabled={!address.trim()}>
        {t("add")}
      </Button>
    </form>
  );
}

function Remove({ stored }: { stored: Carrier }) {
  const { t } = useText();
  const toast = useToast();
  const refresh = useRefresh("carriers", "gateways");
  const [, go] = useLocation();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE("/v1/VoipCarriers/{sid}", { params: { path: { sid: stored.voip_carrier_sid } } })),
    onSuccess: async () => {
      await refresh();
      toast(t("deleted", { what: stored.name }));
      go("/carriers");
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
          text={t("carriers.delete.text")}
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
