import type { Reason, RefusalBody, SpecialErrors } from "./types.js";

/** What is known of a call that did not end well. */
export interface Circumstances {
  /** Of the answer, if there was one; it leads to the log of the server. */
  requestId?: string | undefined;
  /** For how many seconds the server wants to be left alone. */
  retryAfter?: number | undefined;
  /** Of a write. Under the same key the call can be repeated without taking effect twice. */
  idempotencyKey?: string | undefined;
  /** How often it was tried. */
  attempts: number;
  /** Whether a write may have taken effect all the same: an attempt had no answer, and no later one told. */
  mayHaveHappened: boolean;
}

/** Whatever a call can fail by. */
export class BillStackError extends Error implements Circumstances {
  override readonly name: string = "BillStackError";
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly attempts: number;
  readonly mayHaveHappened: boolean;

  constructor(message: string, circumstances: Circumstances, options?: ErrorOptions) {
    super(message, options);
    this.requestId = circumstances.requestId;
    this.retryAfter = circumstances.retryAfter;
    this.idempotencyKey = circumstances.idempotencyKey;
    this.attempts = circumstances.attempts;
    this.mayHaveHappened = circumstances.mayHaveHappened;
  }
}

/** The body of a refusal with this reason: some show what is in the way. */
export type BodyOf<R extends Reason> = R extends keyof SpecialErrors ? SpecialErrors[R] : RefusalBody;

/** The server refused, and says why in `reason`. */
export class RefusedError<R extends Reason = Reason> extends BillStackError {
  override readonly name = "RefusedError";
  readonly status: number;
  readonly reason: R;
  /** The one member, parameter or header at fault, where there is one. */
  readonly field: string | undefined;
  /** All that the server said. */
  readonly body: BodyOf<R>;

  constructor(status: number, body: BodyOf<R>, circumstances: Circumstances) {
    super(body.error, circumstances);
    this.status = status;
    this.reason = body.reason as R;
    this.field = (body as RefusalBody).field;
    this.body = body;
  }
}

/** An answer that is not BillStack's: of a proxy in between, or of whatever else is at the address. */
export class UnexpectedAnswerError extends BillStackError {
  override readonly name = "UnexpectedAnswerError";
  readonly status: number;
  /** The beginning of what it said. */
  readonly text: string;

  constructor(status: number, text: string, circumstances: Circumstances) {
    super(`an answer ${status} that is not of BillStack`, circumstances);
    this.status = status;
    this.text = text.slice(0, 1_000);
  }
}

/** There was no answer, or none to the end; `cause` says why. */
export class NoAnswerError extends BillStackError {
  override readonly name = "NoAnswerError";

  constructor(circumstances: Circumstances, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`no answer: ${why}`, circumstances, { cause });
  }
}

/** Whether an error is a refusal, for one of these reasons if any are named. */
export function isRefused<R extends Reason = Reason>(error: unknown, ...reasons: R[]): error is RefusedError<R> {
  return error instanceof RefusedError && (reasons.length === 0 || reasons.includes(error.reason as R));
}
