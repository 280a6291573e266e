/** Carriers: who may call. */
import { Network, Plus } from "lucide-react";
import { Link } from "wouter";
import type { Carrier, Gateway } from "../../api/types";
import { useText } from "../../text";
import { Badge, Empty, LinkButton, Loaded, Page, Status, Table } from "../../ui/parts";
import { useCarriers, useGateways } from "../lists";

export default function Carriers() {
  const { t } = useText();
  const carriers = useCarriers();
  const gateways = useGateways();
  const add = (
    <LinkButton href="/carriers/new" look="main" icon={Plus}>
      {t("carriers.add")}
    </LinkButton>
  );
  return (
    <Page title={t("nav.carriers")} lead={t("carriers.lead")} actions={add}>
      <Loaded query={carriers}>
        {(rows) =>
          rows.length ? (
            <CarrierTable rows={rows} gateways={gateways.data ?? []} />
          ) : (
            <Empty icon={Network} title={t("carriers.empty")} action={add}>
              {t("carriers.empty.text")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

/** Whether anybody can call over a carrier at all. */
export function admits(carrier: Carrier, gateways: Gateway[]): boolean {
  const inbound = gateways.some((one) => one.voip_carrier_sid === carrier.voip_carrier_sid && one.inbound && one.is_active);
  return carrier.is_active && (inbound || carrier.has_token || carrier.has_auth_token);
}

function CarrierTable({ rows, gateways }: { rows: Carrier[]; gateways: Gateway[] }) {
  const { t } = useText();
  const inboundOf = (row: Carrier) => gateways.filter((one) => one.voip_carrier_sid === row.voip_carrier_sid && one.inbound);
  return (
    <Table
      caption={t("nav.carriers")}
      rows={rows}
      id={(row) => row.voip_carrier_sid}
      columns={[
        {
          title: t("name"),
          cell: (row) => (
            <div className="two-lines">
              <Link href={`/carriers/${row.voip_carrier_sid}`}>{row.name}</Link>
              <span>
                <Badge>{row.carrier_type}</Badge>
              </span>
            </div>
          ),
        },
        {
          title: t("carriers.from"),
          cell: (row) => inboundOf(row).map((one) => <code key={one.sip_gateway_sid} className="line">{`${one.ipv4}/${one.netmask}`}</code>),
        },
        {
          title: t("carriers.state"),
          cell: (row) =>
            !row.is_active ? (
              <Status tone="idle">{t("carriers.off")}</Status>
            ) : admits(row, gateways) ? (
              <Status tone="good">{t("carriers.on")}</Status>
            ) : (
              <Status tone="warn">{t("carriers.nobody")}</Status>
            ),
        },
      ]}
    />
  );
}
