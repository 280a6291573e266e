/** Environment variables as an application declares them, and what a form makes of them. */
import type { EnvSchema, EnvValues, EnvVariable } from "../../api/types";

export type EnvTexts = Record<string, string>;

export interface EnvJudgement {
  error?: "required" | "number";
  /** The application does not list the value; it is saved all the same. */
  unlisted?: boolean;
}

export function startingTexts(schema: EnvSchema, stored: EnvValues | null | undefined): EnvTexts {
  const names = new Set([...Object.keys(schema), ...Object.keys(stored ?? {})]);
  return Object.fromEntries([...names].map((name) => [name, String(stored?.[name] ?? "")]));
}

export function judge(variable: EnvVariable | undefined, text: string, isStoredSecret: boolean): EnvJudgement {
  if (!variable) return {};
  if (text === "") return variable.required && variable.default === undefined && !isStoredSecret ? { error: "required" } : {};
  if (variable.type === "number" && !Number.isFinite(Number(text))) return { error: "number" };
  if (variable.enum && !variable.enum.map(String).includes(text)) return { unlisted: true };
  return {};
}

/** The values to store: empty ones are left out, so that the application's own default applies. */
export function valuesOf(schema: EnvSchema, texts: EnvTexts): EnvValues {
  const values: EnvValues = {};
  for (const [name, text] of Object.entries(texts)) {
    if (text === "") continue;
    const type = schema[name]?.type;
    values[name] = type === "number" ? Number(text) : type === "boolean" ? text === "true" : text;
  }
  return values;
}

/** Whether an answer is a schema: an object of objects with a known type. */
export function isSchema(answer: unknown): answer is EnvSchema {
  return (
    typeof answer === "object" &&
    answer !== null &&
    Object.values(answer).every((one) => typeof one === "object" && one !== null && ["string", "number", "boolean"].includes((one as EnvVariable).type))
  );
}
