/** The parts that every screen is made of. */
import type { UseQueryResult } from "@tanstack/react-query";
import { ArrowLeft, CircleAlert, LoaderCircle, type LucideIcon } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect, useRef } from "react";
import { Link } from "wouter";
import { useText } from "../text";

export type Tone = "good" | "warn" | "bad" | "idle";

type ButtonProps = ComponentProps<"button"> & { look?: "main" | "plain" | "danger" | "quiet"; busy?: boolean; icon?: LucideIcon };

export function Button({ look = "plain", busy = false, icon: Icon, children, disabled, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} className={`button ${look}`} disabled={disabled || busy} aria-busy={busy || undefined}>
      {busy ? <LoaderCircle className="spin" aria-hidden /> : Icon && <Icon aria-hidden />}
      <span>{children}</span>
    </button>
  );
}

export function LinkButton({ href, look = "plain", icon: Icon, children }: { href: string; look?: string; icon?: LucideIcon; children: ReactNode }) {
  return (
    <Link href={href} className={`button ${look}`}>
      {Icon && <Icon aria-hidden />}
      <span>{children}</span>
    </Link>
  );
}

interface PageProps {
  title: string;
  lead?: ReactNode;
  back?: { href: string; label: string };
  actions?: ReactNode;
  narrow?: boolean;
  children: ReactNode;
}

/** A screen; its heading takes the focus, so that a screen reader says where one has come. */
export function Page({ title, lead, back, actions, narrow = false, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Moonwire`;
  }, [title]);
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, []);
  return (
    <div className={narrow ? "page narrow" : "page"}>
      {back && (
        <Link href={back.href} className="back">
          <ArrowLeft aria-hidden />
          {back.label}
        </Link>
      )}
      <header className="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p className="lead">{lead}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Panel({ title, actions, children, flush = false }: { title?: string; actions?: ReactNode; children: ReactNode; flush?: boolean }) {
  return (
    <section className={flush ? "panel flush" : "panel"} aria-label={title}>
      {title && (
        <header>
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}

export function Status({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span className={`status ${tone}`}>
      <i aria-hidden />
      <span>{children}</span>
    </span>
  );
}

export function Badge({ children, tone = "idle" }: { children: ReactNode; tone?: Tone }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}

export function Empty({ icon: Icon, title, children, action }: { icon: LucideIcon; title: string; children: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <Icon aria-hidden />
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}

export function Problem({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t, said } = useText();
  if (!error) return null;
  return (
    <div className="problem" role="alert">
      <CircleAlert aria-hidden />
      <p>{said(error instanceof Error ? error : String(error))}</p>
      {retry && (
        <Button look="quiet" onClick={retry}>
          {t("again")}
        </Button>
      )}
    </div>
  );
}

export function Loading() {
  const { t } = useText();
  return (
    <div className="loading" role="status">
      <LoaderCircle className="spin" aria-hidden />
      <span>{t("loading")}</span>
    </div>
  );
}

/** Show what a query brought, or why it did not. */
export function Loaded<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) return <Problem error={query.error} retry={() => void query.refetch()} />;
  return <Loading />;
}

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
  numeric?: boolean;
  /** A column of buttons: its title is only read aloud. */
  quiet?: boolean;
}

export function Table<Row>({ caption, columns, rows, id }: { caption: string; columns: Column<Row>[]; rows: Row[]; id: (row: Row) => string }) {
  return (
    <div className="table-frame" role="group" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="read-only">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={column.numeric ? "numeric" : undefined}>
                {column.quiet ? <span className="read-only">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => (
                <td key={column.title} className={column.numeric ? "numeric" : column.quiet ? "row-actions" : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Steps through a long list; shows nothing when there is one page. */
export function Pages({ page, total, size, go }: { page: number; total: number; size: number; go: (page: number) => void }) {
  const { t } = useText();
  if (total <= size) return null;
  const last = Math.ceil(total / size);
  return (
    <nav className="pages" aria-label={t("pages")}>
      <Button disabled={page <= 1} onClick={() => go(page - 1)}>
        {t("pages.back")}
      </Button>
      <span>{t("pages.range", { from: (page - 1) * size + 1, to: Math.min(page * size, total), total })}</span>
      <Button disabled={page >= last} onClick={() => go(page + 1)}>
        {t("pages.on")}
      </Button>
    </nav>
  );
}

interface DialogProps {
  title: string;
  children: ReactNode;
  onClose: () => void;
}

/** The browser's own modal dialog: focus stays inside, Escape closes it, focus returns. */
export function Dialog({ title, children, onClose }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog ref={element} aria-label={title} onClose={onClose}>
      <h2>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  busy: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ title, text, action, busy, error, onConfirm, onClose }: ConfirmProps) {
  const { t } = useText();
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <Problem error={error} />
      <div className="actions">
        <Button onClick={onClose}>{t("cancel")}</Button>
        <Button look="danger" busy={busy} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
