/** Phone numbers: which application answers which number. */
import { useMutation } from "@tanstack/react-query";
import { Hash, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { answered, api } from "../api/client";
import type { PhoneNumber } from "../api/types";
import { useAccountSid } from "../session";
import { useText } from "../text";
import { errorAt, SelectField, TextField } from "../ui/form";
import { Button, Confirm, Dialog, Empty, Loaded, Page, Pages, Problem, Table } from "../ui/parts";
import { shownNumber } from "../ui/number";
import { useToast } from "../ui/toast";
import { useApplications, useCarriers, useNumbers, useRefresh } from "./lists";

const PER_PAGE = 50;

export default function Numbers() {
  const { t } = useText();
  const [page, setPage] = useState(1);
  const [filter, setFilter] = useState("");
  const digits = filter.replace(/[\s()./+-]/g, "");
  const numbers = useNumbers({ page, page_size: PER_PAGE, ...(digits ? { filter: digits } : {}) });
  const [adding, setAdding] = useState(false);
  const isSearching = filter !== "" || (numbers.data?.total ?? 0) > PER_PAGE;
  const add = (
    <Button look="main" icon={Plus} onClick={() => setAdding(true)}>
      {t("numbers.add")}
    </Button>
  );
  return (
    <Page title={t("nav.numbers")} lead={t("numbers.lead")} actions={add}>
      {isSearching && (
        <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <TextField
            label={t("numbers.search")}
            required
            type="search"
            value={filter}
            onChange={(text) => {
              setFilter(text);
              setPage(1);
            }}
          />
        </form>
      )}
      <Loaded query={numbers}>
        {({ data, total }) =>
          data.length ? (
            <>
              <NumberTable rows={data} />
              <Pages page={page} total={total} size={PER_PAGE} go={setPage} />
            </>
          ) : filter ? (
            <p className="muted">{t("numbers.none", { text: filter })}</p>
          ) : (
            <Empty icon={Hash} title={t("numbers.empty")} action={add}>
              {t("numbers.empty.text")}
            </Empty>
          )
        }
      </Loaded>
      {adding && <NewNumber onClose={() => setAdding(false)} />}
    </Page>
  );
}

function NumberTable({ rows }: { rows: PhoneNumber[] }) {
  const { t } = useText();
  const carriers = useCarriers();
  const [removing, setRemoving] = useState<PhoneNumber | null>(null);
  const carrierOf = (row: PhoneNumber) => carriers.data?.find((one) => one.voip_carrier_sid === row.voip_carrier_sid)?.name;
  return (
    <>
      <Table
        caption={t("nav.numbers")}
        rows={rows}
        id={(row) => row.phone_number_sid}
        columns={[
          { title: t("numbers.number"), cell: (row) => <strong className="number">{shownNumber(row.number)}</strong> },
          { title: t("numbers.application"), cell: (row) => <Assignment row={row} /> },
          { title: t("numbers.carrier"), cell: (row) => carrierOf(row) ?? <span className="muted">{t("any")}</span> },
          {
            title: t("actions"),
            quiet: true,
            cell: (row) => (
              <Button look="quiet" icon={Trash2} onClick={() => setRemoving(row)} aria-label={t("delete.one", { what: row.number })}>
                {t("delete")}
              </Button>
            ),
          },
        ]}
      />
      {removing && <RemoveNumber row={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

function Assignment({ row }: { row: PhoneNumber }) {
  const { t } = useText();
  const toast = useToast();
  const applications = useApplications();
  const refresh = useRefresh("numbers");
  const assign = useMutation({
    mutationFn: (application_sid: string) =>
      answered(
        api.PUT("/v1/PhoneNumbers/{sid}", {
          params: { path: { sid: row.phone_number_sid } },
          body: { application_sid: application_sid || null },
        }),
      ),
    onSuccess: () => toast(t("saved")),
    onError: (error) => toast(error, "bad"),
    onSettled: refresh,
  });
  return (
    <select
      aria-label={t("numbers.answeredBy", { number: row.number })}
      value={(assign.isPending ? assign.variables : row.application_sid) ?? ""}
      onChange={(event) => assign.mutate(event.target.value)}
    >
      <option value="">{t("numbers.nobody")}</option>
      {(applications.data ?? []).map((one) => (
        <option key={one.application_sid} value={one.application_sid}>
          {one.name}
        </option>
      ))}
    </select>
  );
}

function NewNumber({ onClose }: { onClose: () => void }) {
  const { t } = useText();
  const toast = useToast();
  const account_sid = useAccountSid();
  const applications = useApplications();
  const carriers = useCarriers();
  const refresh = useRefresh("numbers");
  const [number, setNumber] = useState("");
  const [application, setApplication] = useState("");
  const [carrier, setCarrier] = useState("");
  const create = useMutation({
    mutationFn: () =>
      answered(
        api.POST("/v1/PhoneNumbers", {
          body: { account_sid, number: number.replace(/[\s()./-]/g, ""), application_sid: application || null, voip_carrier_sid: carrier || null },
        }),
      ),
    onSuccess: async () => {
      await refresh();
      toast(t("saved"));
      onClose();
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  const apps = (applications.data ?? []).map((one) => ({ value: one.application_sid, label: one.name }));
  const trunks = (carriers.data ?? []).map((one) => ({ value: one.voip_carrier_sid, label: one.name }));
  return (
    <Dialog title={t("numbers.add")} onClose={onClose}>
      <form onSubmit={submit} className="stack" noValidate>
        <TextField label={t("numbers.number")} required help={t("numbers.number.help")} inputMode="tel" value={number} error={errorAt(create.error, "number")} onChange={setNumber} autoFocus />
        <SelectField label={t("numbers.application")} value={application} onChange={setApplication} options={[{ value: "", label: t("numbers.nobody") }, ...apps]} />
        <SelectField label={t("numbers.carrier")} value={carrier} onChange={setCarrier} options={[{ value: "", label: t("any") }, ...trunks]} />
        <Problem error={create.error && !errorAt(create.error, "number") ? create.error : null} />
        <div className="actions">
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button type="submit" look="main" busy={create.isPending} disabled={!number.trim()}>
            {t("save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function RemoveNumber({ row, onClose }: { row: PhoneNumber; onClose: () => void }) {
  const { t } = useText();
  const refresh = useRefresh("numbers");
  const remove = useMutation({
    mutationFn: () => answered(api.DELETE("/v1/PhoneNumbers/{sid}", { params: { path: { sid: row.phone_number_sid } } })),
    onSuccess: async () => {
      await refresh();
      onClose();
    },
  });
  return (
    <Confirm
      title={t("delete.title", { what: shownNumber(row.number) })}
      text={t("numbers.delete.text")}
      action={t("delete")}
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate()}
      onClose={onClose}
    />
  );
}
