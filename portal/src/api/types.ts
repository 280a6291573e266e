/** Shapes that the OpenAPI document leaves open: vendor forms, the staged Test, timelines, environment variables. */
import type { Schemas } from "./client";

export type Application = Schemas["ApplicationShown"];
export type PhoneNumber = Schemas["PhoneNumberShown"];
export type Carrier = Schemas["CarrierShown"];
export type Gateway = Schemas["GatewayShown"];
export type ApiKey = Schemas["ApiKeyShown"];
export type Call = Schemas["CallShown"];
export type Alert = Schemas["AlertShown"];
export type User = Schemas["UserShown"];

/** A service as REST shows it, whichever its vendor. */
export interface VendorFields {
  llm_credential_sid?: string;
  speech_credential_sid?: string;
  use_for_stt?: number;
  use_for_tts?: number;
  time_to_first_token_ms?: number | null;
  time_to_first_audio_ms?: number | null;
  api_key?: string;
  base_url?: string;
  model_id?: string;
  [member: string]: unknown;
}

export interface VendorField {
  name: string;
  label: string;
  type: "text" | "password" | "url" | "json-file" | "select";
  required?: boolean;
  default?: string;
  help?: string;
  options?: (string | { label: string; value: string })[];
  suggestions?: { label: string; value: string }[];
}

/** A model of a vendor; a label picks one of several services. */
export interface ModelChoice {
  vendor: string;
  model: string;
  label?: string | null;
}

export interface KnownModel {
  id: string;
  /** Of a speech vendor that both listens and speaks. */
  use?: "stt" | "tts";
  displayName?: string;
  status?: "available" | "retired" | "unknown";
  thinking?: string;
  note?: string;
  retiredOn?: string;
  successor?: string | null;
}

export interface VendorManifest {
  vendor: string;
  displayName: string;
  /** Of a speech vendor: whether it listens, speaks or both. */
  uses?: ("stt" | "tts")[];
  authKinds: { kind: string; displayName: string; fields: VendorField[] }[];
  knownModels: KnownModel[];
  supportsModelListing?: boolean;
  docsUrl?: string;
}

export type StageName = "input" | "reach" | "key" | "model" | "talk" | "tools";
export type StageStatus = "ok" | "warning" | "failed" | "skipped";

export interface Stage {
  name: StageName;
  /** Of a speech vendor that is used twice: for listening or for speaking. */
  kind?: "stt" | "tts" | null;
  status: StageStatus;
  duration_ms?: number | null;
  code?: string | null;
  message?: string | null;
  hint?: string | null;
  vendor_type?: string | null;
  vendor_text?: string | null;
  request_id?: string | null;
  /** Members of the form that would probably help, for example another base_url or model. */
  suggested?: Record<string, string> | null;
}

export interface TestReport {
  /** jambonz's word: ok, fail or not tested. */
  status: string;
  reason?: string;
  outcome?: "ok" | "ok_with_warnings" | "failed" | "not_tested";
  stages?: Stage[];
  time_to_first_token_ms?: number | null;
  time_to_first_audio_ms?: number | null;
  models?: (KnownModel & { listed?: boolean | null })[];
}

export interface EnvVariable {
  type: "string" | "number" | "boolean";
  description?: string;
  required?: boolean;
  default?: string | number | boolean;
  enum?: (string | number)[];
  obscure?: boolean;
  uiHint?: "input" | "textarea" | "filepicker";
}

export type EnvSchema = Record<string, EnvVariable>;
export type EnvValues = Record<string, string | number | boolean>;

export interface TimelineLine {
  kind: string;
  at_s: number;
  [member: string]: unknown;
}
