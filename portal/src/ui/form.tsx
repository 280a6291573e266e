/** Form parts: every input has a visible label, its help and its error are read with it. */
import { Eye, EyeOff } from "lucide-react";
import { type ComponentProps, type ReactNode, useId, useState } from "react";
import { useText } from "../text";

interface Described {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
  required?: boolean;
}

interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | null;
  warning?: string | null;
  required?: boolean;
  children: (described: Described) => ReactNode;
}

export function Field({ label, help, error, warning, required = false, children }: FieldProps) {
  const { t, said } = useText();
  const id = useId();
  const notes = [help && `${id}-help`, warning && `${id}-warning`, error && `${id}-error`].filter(Boolean);
  return (
    <div className="field">
      <label htmlFor={id}>
        {label}
        {!required && <span className="optional"> {t("form.optional")}</span>}
      </label>
      {children({
        id,
        ...(notes.length ? { "aria-describedby": notes.join(" ") } : {}),
        ...(error ? { "aria-invalid": true } : {}),
        ...(required ? { required } : {}),
      })}
      {help && (
        <p className="help" id={`${id}-help`}>
          {help}
        </p>
      )}
      {warning && (
        <p className="warning" id={`${id}-warning`}>
          {warning}
        </p>
      )}
      {error && (
        <p className="error" id={`${id}-error`} role="alert">
          {said(error)}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = Omit<FieldProps, "children"> &
  Omit<ComponentProps<"input">, "onChange" | "required" | "children"> & { value: string; onChange: (value: string) => void };

export function TextField({ label, help, error, warning, required, onChange, ...input }: TextFieldProps) {
  return (
    <Field {...{ label, help, error, warning, required }}>
      {(described) => (
        <input
          autoComplete="off"
          spellCheck={false}
          type="text"
          {...input}
          {...described}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

type AreaProps = Omit<FieldProps, "children"> &
  Omit<ComponentProps<"textarea">, "onChange" | "required" | "children"> & { value: string; onChange: (value: string) => void };

export function AreaField({ label, help, error, warning, required, onChange, ...area }: AreaProps) {
  return (
    <Field {...{ label, help, error, warning, required }}>
      {(described) => (
        <textarea spellCheck={false} rows={5} {...area} {...described} onChange={(event) => onChange(event.target.value)} />
      )}
    </Field>
  );
}

type ProposingProps = Omit<FieldProps, "children"> & {
  value: string;
  proposals: string[];
  placeholder?: string;
  className?: string;
  onChange: (value: string) => void;
};

/** One of the proposed values, or any other. */
export function ProposingField({ label, help, error, warning, required, proposals, onChange, ...input }: ProposingProps) {
  const list = useId();
  return (
    <Field {...{ label, help, error, warning, required }}>
      {(described) => (
        <>
          <input {...input} {...described} list={list} autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.target.value)} />
          <datalist id={list}>
            {proposals.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** A secret: hidden, and shown on demand only while it is being entered. */
export function SecretField({ label, help, error, warning, required, onChange, value, ...input }: TextFieldProps) {
  const { t } = useText();
  const [shown, setShown] = useState(false);
  return (
    <Field {...{ label, help, error, warning, required }}>
      {(described) => (
        <div className="with-button">
          <input
            autoComplete="off"
            spellCheck={false}
            data-1p-ignore
            data-lpignore="true"
            {...input}
            {...described}
            type={shown && value ? "text" : "password"}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <button
            type="button"
            className="icon-button"
            disabled={!value}
            aria-pressed={shown}
            aria-label={t(shown ? "form.hide" : "form.reveal", { what: label })}
            onClick={() => setShown(!shown)}
          >
            {shown ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
          </button>
        </div>
      )}
    </Field>
  );
}

export interface Option {
  value: string;
  label: string;
}

type SelectFieldProps = Omit<FieldProps, "children"> & {
  value: string;
  options: Option[];
  onChange: (value: string) => void;
  disabled?: boolean;
};

export function SelectField({ label, help, error, warning, required, value, options, onChange, disabled }: SelectFieldProps) {
  return (
    <Field {...{ label, help, error, warning, required }}>
      {/* A list always has a choice; its empty one ("any") is a choice too, so that the browser must not ask for another. */}
      {({ required: _, ...described }) => (
        <select {...described} value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function CheckField(props: { label: string; help?: string; checked: boolean; onChange: (on: boolean) => void }) {
  const id = useId();
  return (
    <div className="field check">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        aria-describedby={props.help ? `${id}-help` : undefined}
        onChange={(event) => props.onChange(event.target.checked)}
      />
      <label htmlFor={id}>{props.label}</label>
      {props.help && (
        <p className="help" id={`${id}-help`}>
          {props.help}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  legend: string;
  value: string;
  options: (Option & { note?: string })[];
  onChange: (value: string) => void;
  cards?: boolean;
}

/** One of a few, all of them visible; arrow keys move between them. */
export function Choice({ legend, value, options, onChange, cards = false }: ChoiceProps) {
  const name = useId();
  return (
    <fieldset className={cards ? "choice cards" : "choice"}>
      <legend>{legend}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={value === option.value}
              onChange={() => onChange(option.value)}
            />
            <span>
              {option.label}
              {option.note && <small>{option.note}</small>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Split a server's sentence about one member ("label: ...") from those about the whole form. */
export function errorAt(error: unknown, ...members: string[]): string | null {
  if (!(error instanceof Error)) return null;
  const member = members.find((name) => new RegExp(`^${name}\\b[.:]?`).test(error.message));
  if (!member) return null;
  const text = error.message.replace(new RegExp(`^${member}\\s*:\\s*`), "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
