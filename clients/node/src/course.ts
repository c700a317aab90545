import { type Attempt, type None, errorOf, isPassing, staysInDoubt } from "./answer.js";
import type { BillStackError } from "./errors.js";
import { canonical, checkPlace, checkedKey, query } from "./request.js";
import type { Call, Options } from "./transport.js";

/** Calls that no key makes safe to repeat, because an answer with a secret is not kept. */
const WITHOUT_KEY = /\/(webhook-endpoints|rotate-secret|test)$/;

/** A call and its attempts so far. */
export class Course {
  /** What is put behind the address of the project. */
  readonly place: string;
  readonly #method: string;
  readonly #key: string | undefined;
  readonly #body: string | undefined;
  readonly #limits: Required<Options>;
  readonly #began = performance.now();
  #attempts = 0;
  /** Those that count against the limit. */
  #counted = 0;
  #defects = 0;
  #isInDoubt = false;

  constructor(method: string, path: string, call: Call, limits: Required<Options>) {
    checkPlace(method, path);
    const given = call.idempotencyKey === undefined ? undefined : checkedKey(call.idempotencyKey);
    const takesKey = method !== "GET" && !(method === "POST" && WITHOUT_KEY.test(path));
    this.place = path + query(call.query);
    this.#method = method;
    this.#key = takesKey ? (given ?? globalThis.crypto.randomUUID()) : undefined;
    this.#body = call.body === undefined ? undefined : canonical(call.body);
    this.#limits = limits;
  }

  request(authorization: string): RequestInit {
    // What is not packed cannot be larger than it looks.
    const headers = new Headers({ authorization, "accept-encoding": "identity" });
    if (this.#key !== undefined) headers.set("idempotency-key", this.#key);
    if (this.#body !== undefined) headers.set("content-type", "application/json");
    return { method: this.#method, headers, ...(this.#body !== undefined && { body: this.#body }) };
  }

  /** How long to wait before the next attempt. Throws what the call failed by, if there is to be none. */
  pauseAfter(attempt: Attempt): number {
    const { maxAttempts, maxElapsedMs, backoff } = this.#limits;
    const status = attempt.kind === "answer" ? attempt.status : undefined;
    this.#attempts += 1;
    // Whoever is to wait has been answered, and waits as long as the time allows.
    if (status !== 429 || maxAttempts <= 1) this.#counted += 1;
    if (status === 500) this.#defects += 1;
    if (this.#method !== "GET") this.#isInDoubt = staysInDoubt(attempt, this.#isInDoubt);
    const error = this.#error(attempt);
    const asked = (error.retryAfter ?? 0) * 1_000;
    // Many that wait for the same must not come back at the same moment.
    const longest = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(this.#attempts - 1, 30));
    const chance = longest * (0.5 + Math.random() / 2);
    const left = maxElapsedMs - (performance.now() - this.#began);
    const isOver = this.#counted >= maxAttempts || (asked || chance) > left;
    const isSafe = this.#method === "GET" || this.#key !== undefined || !this.#isInDoubt;
    if (isOver || !isSafe || !isPassing(attempt, this.#defects)) throw error;
    return Math.min(asked + chance, left);
  }

  /** What a call failed by whose answer broke off when part of it had been passed on. */
  brokenOff(part: None): BillStackError {
    this.#attempts += 1;
    return this.#error(part);
  }

  #error(attempt: Attempt): BillStackError {
    const circumstances = { attempts: this.#attempts, mayHaveHappened: this.#isInDoubt, idempotencyKey: this.#key };
    return errorOf(attempt, circumstances);
  }
}
