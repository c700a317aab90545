import { type BillStackError, NoAnswerError, RefusedError, UnexpectedAnswerError } from "./errors.js";
import type { Circumstances } from "./errors.js";

export interface Options {
  /** The address of the project: `https://referrals.example.com/api/billstack/teams/team_…/projects/proj_…`. */
  api: string;
  apiKey: string;
  /** For how long an attempt waits for its answer; 10,000 unless given. */
  timeoutMs?: number;
  /** How often a call is tried at most; 6 unless given. */
  maxAttempts?: number;
  /** No attempt begins later than this after the first; 60,000 unless given. */
  maxElapsedMs?: number;
  /** The first pause between two attempts, and the longest: each is twice the one before, less up to a half of it by
   * chance; 200 and 5,000 unless given. */
  backoff?: { firstMs: number; maxMs: number };
  /** In place of the built-in one. */
  fetch?: typeof fetch;
}

export interface CallOptions {
  /** Of a write: what belongs to the matter, such as `sign-up-4711`. A random one for each call unless given. */
  idempotencyKey?: string;
  /** Ends the call. What was sent may have taken effect. */
  signal?: AbortSignal;
}

export interface Call extends CallOptions {
  query?: object;
  body?: unknown;
}

/** Refusals that end by themselves, besides those that their status tells. */
const PASSING = ["idempotency_key_in_use", "customer_being_created"];

/** Calls that no key makes safe to repeat, because an answer with a secret is not kept. */
const WITHOUT_KEY = /\/(webhook-endpoints|rotate-secret|test)$/;

/** One attempt: an answer, or why there is none. */
type Attempt =
  | { kind: "none"; cause: unknown }
  | { kind: "answer"; status: number; text: string; json: unknown; headers: Headers };

/** Sends calls, and repeats those that it makes sense to repeat, each write under one key. */
export class Transport {
  readonly #options: Required<Options>;

  constructor(options: Options) {
    if (!options.api || !options.apiKey) throw new TypeError("api and apiKey are needed");
    const { protocol } = new URL(options.api);
    if (protocol !== "https:" && protocol !== "http:") throw new TypeError("api is no address of the web");
    this.#options = {
      timeoutMs: 10_000,
      maxAttempts: 6,
      maxElapsedMs: 60_000,
      backoff: { firstMs: 200, maxMs: 5_000 },
      fetch: globalThis.fetch,
      ...options,
      api: options.api.replace(/\/+$/, ""),
    };
  }

  /** The body of the answer; an error unless it is 2xx. */
  async send(method: string, path: string, call: Call = {}): Promise<unknown> {
    const isWrite = method !== "GET";
    const takesKey = isWrite && !(method === "POST" && WITHOUT_KEY.test(path));
    const key = takesKey ? (call.idempotencyKey ?? globalThis.crypto.randomUUID()) : undefined;
    const began = Date.now();
    let isInDoubt = false;
    let defects = 0;
    for (let attempts = 1; ; attempts += 1) {
      const attempt = await this.#attempt(method, path, call, key);
      if (attempt.kind === "answer" && isGood(attempt)) return attempt.json;
      if (attempt.kind === "answer" && attempt.status === 500) defects += 1;
      if (isWrite) isInDoubt = staysInDoubt(attempt, isInDoubt);
      const error = errorOf(attempt, { idempotencyKey: key, attempts, mayHaveHappened: isInDoubt });
      const pause = Math.max(this.#pause(attempts), (error.retryAfter ?? 0) * 1_000);
      const isLate = Date.now() + pause - began > this.#options.maxElapsedMs;
      const isSafe = !isWrite || takesKey || !isInDoubt;
      if (attempts >= this.#options.maxAttempts || isLate || !isSafe || !isPassing(attempt, defects)) throw error;
      await sleep(pause, call.signal);
    }
  }

  async #attempt(method: string, path: string, call: Call, key: string | undefined): Promise<Attempt> {
    call.signal?.throwIfAborted();
    const headers = new Headers({ authorization: `Bearer ${this.#options.apiKey}` });
    if (key !== undefined) headers.set("idempotency-key", key);
    if (call.body !== undefined) headers.set("content-type", "application/json");
    const timeout = AbortSignal.timeout(this.#options.timeoutMs);
    const address = this.#options.api + path + query(call.query);
    const request: RequestInit = {
      method,
      headers,
      // An answer that leads elsewhere is none of ours, and the key goes nowhere else.
      redirect: "manual",
      signal: call.signal ? AbortSignal.any([call.signal, timeout]) : timeout,
      ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
    };
    try {
      const answer = await this.#options.fetch(address, request);
      const text = await answer.text();
      return { kind: "answer", status: answer.status, text, json: parsed(text), headers: answer.headers };
    } catch (error) {
      call.signal?.throwIfAborted();
      return { kind: "none", cause: error instanceof Error && error.cause ? error.cause : error };
    }
  }

  #pause(attempts: number): number {
    const { firstMs, maxMs } = this.#options.backoff;
    return Math.min(maxMs, firstMs * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2);
  }
}

/** One segment of a path. */
export function segment(text: string): string {
  // An address with these means another one, however they are written.
  if (text === "" || text === "." || text === "..") throw new TypeError(`"${text}" names nothing`);
  return encodeURIComponent(text);
}

function query(members: object = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function isGood(answer: { status: number; json: unknown }): boolean {
  return answer.status >= 200 && answer.status < 300 && isObject(answer.json);
}

function reasonOf(json: unknown): string | undefined {
  return isObject(json) && typeof json.reason === "string" && typeof json.error === "string" ? json.reason : undefined;
}

/** Whether a call that was answered like this may be answered otherwise when it is repeated. */
function isPassing(attempt: Attempt, defects: number): boolean {
  if (attempt.kind === "none") return true;
  const { status, json } = attempt;
  if (status >= 200 && status < 300) return true;
  if (status === 500) return defects === 1;
  return [408, 429, 502, 503, 504].includes(status) || PASSING.includes(reasonOf(json) ?? "");
}

/** Whether it is open after this attempt if the write has taken effect. */
function staysInDoubt(attempt: Attempt, wasInDoubt: boolean): boolean {
  if (attempt.kind === "none") return true;
  const { status, json } = attempt;
  const reason = reasonOf(json);
  if (reason === "outcome_unknown" || reason === "idempotency_key_in_use") return true;
  if (reason === undefined && (status >= 500 || status < 300)) return true;
  // These are given before the key is looked at, so they tell nothing of what came before.
  return wasInDoubt && (status >= 500 || [401, 403, 408, 429].includes(status) || PASSING.includes(reason ?? ""));
}

function errorOf(attempt: Attempt, circumstances: Circumstances): BillStackError {
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

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, ms);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
