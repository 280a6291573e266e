/** Applications: what answers a call. */
import { AppWindow, Plus } from "lucide-react";
import { Link } from "wouter";
import type { Application } from "../../api/types";
import { useText } from "../../text";
import { Badge, Empty, LinkButton, Loaded, Page, Table } from "../../ui/parts";
import { shownNumber } from "../../ui/number";
import { useApplications, useNumbers } from "../lists";

const SHOWN = 3;

export default function Applications() {
  const { t } = useText();
  const applications = useApplications();
  const numbers = useNumbers({ page_size: 500, assigned: true });
  const add = (
    <LinkButton href="/applications/new" look="main" icon={Plus}>
      {t("apps.add")}
    </LinkButton>
  );
  const numbersOf = (row: Application) =>
    (numbers.data?.data ?? []).filter((one) => one.application_sid === row.application_sid).map((one) => one.number);
  return (
    <Page title={t("nav.applications")} lead={t("apps.lead")} actions={add}>
      <Loaded query={applications}>
        {(rows) =>
          rows.length ? (
            <Table
              caption={t("nav.applications")}
              rows={rows}
              id={(row) => row.application_sid}
              columns={[
                { title: t("name"), cell: (row) => <Link href={`/applications/${row.application_sid}`}>{row.name}</Link> },
                {
                  title: t("apps.hook"),
                  cell: (row) => (row.call_hook ? <code>{row.call_hook.url}</code> : <Badge>{t("apps.inline")}</Badge>),
                },
                {
                  title: t("nav.numbers"),
                  cell: (row) => <SomeNumbers all={numbersOf(row)} />,
                },
              ]}
            />
          ) : (
            <Empty icon={AppWindow} title={t("apps.empty")} action={add}>
              {t("apps.empty.text")}
            </Empty>
          )
        }
      </Loaded>
    </Page>
  );
}

function SomeNumbers({ all }: { all: string[] }) {
  const { t } = useText();
  return (
    <>
      {all.slice(0, SHOWN).map((number) => (
        <span key={number} className="number line">
          {shownNumber(number)}
        </span>
      ))}
      {all.length > SHOWN && <span className="muted">{t("apps.moreNumbers", { count: all.length - SHOWN })}</span>}
    </>
  );
}
