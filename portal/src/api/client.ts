/** Talks to the REST API of our own origin; types come from its OpenAPI document. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Marks a request as the portal's: the server then takes the session from its cookie. */
export const PORTAL_HEADERS = { "X-Moonwire-Portal": "1" };

export const api = createClient<paths>({ headers: PORTAL_HEADERS, credentials: "same-origin" });

/** A request that failed; `message` is the server's sentence, `status` 0 means it was not reached. */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Wait for an answer and return its body, or throw an ApiFailure. */
export async function answered<T>(request: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await reached(request);
  if (!response.ok) throw failure(response.status, error);
  return data as T;
}

async function reached<T>(request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch {
    throw new ApiFailure(0, "The server cannot be reached.", "unreachable");
  }
}

function failure(status: number, body: unknown): ApiFailure {
  const { msg, code } = (typeof body === "object" && body ? body : {}) as { msg?: string; code?: string };
  return new ApiFailure(status, msg ?? (typeof body === "string" && body ? body : `HTTP ${status}`), code ?? "");
}

/** Send to an address that is not in the OpenAPI document (the portal's own session). */
export async function post(path: string, body?: unknown): Promise<void> {
  const response = await reached(
    fetch(path, {
      method: "POST",
      headers: { ...PORTAL_HEADERS, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );
  if (!response.ok) throw failure(response.status, await response.json().catch(() => ""));
}

/** Fetch a file that needs the session, for example a recording. */
export async function download(path: string): Promise<Blob> {
  const response = await reached(fetch(path, { headers: PORTAL_HEADERS }));
  if (!response.ok) throw failure(response.status, await response.json().catch(() => ""));
  return response.blob();
}
