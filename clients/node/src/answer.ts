// What came back, and what it means.

import { type BillStackError, NoAnswerError, RefusedError, UnexpectedAnswerError } from "./errors.js";
import type { Circumstances } from "./errors.js";
import type { SpecialErrors } from "./types.js";

/** An answer, read to its end or to `LONGEST`. */
export interface Answer {
  kind: "answer";
  status: number;
  text: string;
  json: unknown;
  headers: Headers;
}

/** Why there is no answer. */
export interface None {
  kind: "none";
  cause: unknown;
}

/** What became of an attempt. */
export type Attempt = Answer | None;

export type Json = Record<string, unknown>;

/** No answer of BillStack in JSON is nearly as long, in bytes. */
const LONGEST = 64 * 1_024 * 1_024;

/** Refusals that end by themselves, besides those that their status tells. */
const PASSING = ["idempotency_key_in_use", "customer_being_created"];

/** What these refusals show. */
const SHOWN: Record<keyof SpecialErrors, string> = {
  active_code_exists: "code",
  already_referred: "referral",
  customer_exists: "customer",
};

export async function read(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let length = 0;
  for await (const bytes of response.body ?? []) {
    length += bytes.byteLength;
    if (length > LONGEST) return { kind: "answer", status, text: parts.join(""), json: undefined, headers };
    parts.push(decoder.decode(bytes, { stream: true }));
  }
  const text = parts.join("") + decoder.decode();
  return { kind: "answer", status, text, json: parsed(text), headers };
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** The reason of a refusal, if that is one: with a sentence, and with what it has to show. */
function reasonOf(json: unknown): string | undefined {
  if (!isObject(json) || typeof json.reason !== "string" || typeof json.error !== "string") return undefined;
  const shown = Object.hasOwn(SHOWN, json.reason) && SHOWN[json.reason as keyof SpecialErrors];
  return !shown || isObject(json[shown]) ? json.reason : undefined;
}

/** Whether a call that was answered like this may be answered otherwise when it is repeated. */
export function isPassing(attempt: Attempt, defects: number): boolean {
  if (attempt.kind === "none") return true;
  const { status, json } = attempt;
  if (status === 500) return defects === 1;
  return [408, 429, 502, 503, 504].includes(status) || PASSING.includes(reasonOf(json) ?? "");
}

/** Whether no connection came about, as Node tells it: then nobody has been asked. */
function isUnsent(cause: unknown): boolean {
  if (cause instanceof AggregateError) return cause.errors.length > 0 && cause.errors.every(isUnsent);
  if (!(cause instanceof Error)) return false;
  const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
  return code === "UND_ERR_CONNECT_TIMEOUT" || syscall === "connect" || syscall === "getaddrinfo";
}

/** Whether it is open after this attempt if the write has taken effect. */
export function staysInDoubt(attempt: Attempt, wasInDoubt: boolean): boolean {
  if (attempt.kind === "none") return wasInDoubt || !isUnsent(attempt.cause);
  const { status, json } = attempt;
  const reason = reasonOf(json);
  if (reason === "outcome_unknown" || reason === "idempotency_key_in_use") return true;
  if (reason === undefined && (status >= 500 || status < 300)) return true;
  // These are given before the key is looked at, so they tell nothing of what came before.
  return wasInDoubt && (status >= 500 || [401, 403, 408, 429].includes(status) || PASSING.includes(reason ?? ""));
}

export function errorOf(attempt: Attempt, circumstances: Circumstances): BillStackError {
  if (attempt.kind === "none") return new NoAnswerError(circumstances, attempt.cause);
  const { status, json, text, headers } = attempt;
  const known = {
    ...circumstances,
    requestId: headers.get("x-request-id") ?? undefined,
    retryAfter: secondsOf(headers.get("retry-after")),
  };
  if (status < 400 || reasonOf(json) === undefined) return new UnexpectedAnswerError(status, text, known);
  return new RefusedError(status, json as ConstructorParameters<typeof RefusedError>[1], known);
}

/** A `Retry-After`, in seconds or as a time. */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
