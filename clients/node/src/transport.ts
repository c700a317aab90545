import { type Answer, type Json, type None, isObject, isSuccess, read } from "./answer.js";
import { Course } from "./course.js";
import { authorization, projectAddress } from "./request.js";

export interface Options {
  /** The address of the project: `https://referrals.example.com/api/billstack/teams/team_…/projects/proj_…`. */
  api: string;
  apiKey: string;
  /** For how long an attempt waits for its whole answer; 10,000 unless given. */
  timeoutMs?: number;
  /** How often a call is tried at most, where 429 counts for nothing unless it is 1; 6 unless given. */
  maxAttempts?: number;
  /** No attempt begins later than this after the first; 60,000 unless given. */
  maxElapsedMs?: number;
  /** The first pause between two attempts, and the longest: each is twice the one before, less up to a half of it by
   * chance; 200 and 5,000 unless given. What the server asks for comes on top. */
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

/** Of what is downloaded. */
export interface DownloadOptions {
  query?: object;
  signal?: AbortSignal;
}

/** Sends calls, and repeats those that it makes sense to repeat, each write under one key. */
export class Transport {
  readonly #options: Required<Options>;

  constructor(options: Options) {
    this.#options = {
      timeoutMs: 10_000,
      maxAttempts: 6,
      maxElapsedMs: 60_000,
      backoff: { firstMs: 200, maxMs: 5_000 },
      fetch: globalThis.fetch,
      ...options,
      api: projectAddress(options.api),
      apiKey: authorization(options.apiKey),
    };
  }

  /** The body of the answer; an error unless it is 2xx, one object of JSON, and holds what it should. */
  async send(method: string, path: string, call: Call = {}, holds: (json: Json) => boolean = () => true): Promise<Json> {
    const course = new Course(method, path, call, this.#options);
    for (;;) {
      const attempt = await this.#attempt(course, call.signal);
      if (attempt.kind === "answer" && isSuccess(attempt.status) && isObject(attempt.json) && holds(attempt.json)) {
        return attempt.json;
      }
      await sleep(course.pauseAfter(attempt), call.signal);
    }
  }

  async #attempt(course: Course, signal: AbortSignal | undefined): Promise<Answer | None> {
    const timer = new Timer(this.#options.timeoutMs);
    try {
      const opened = await this.#open(course, signal, timer);
      return "kind" in opened ? opened : await attempted(() => read(opened), signal);
    } finally {
      timer.stop();
    }
  }

  /** The bytes of an answer that is not JSON, as they come. Repeated until they begin to. */
  async *download(path: string, options: DownloadOptions = {}): AsyncGenerator<Uint8Array, void> {
    const course = new Course("GET", path, options, this.#options);
    for (;;) {
      const timer = new Timer(this.#options.timeoutMs);
      try {
        const opened = await this.#open(course, options.signal, timer);
        if (!("kind" in opened) && isSuccess(opened.status) && !isPage(opened)) {
          return yield* this.#parts(opened, course, timer, options.signal);
        }
        const attempt = "kind" in opened ? opened : await attempted(() => read(opened), options.signal);
        timer.stop();
        await sleep(course.pauseAfter(attempt), options.signal);
      } finally {
        timer.stop();
      }
    }
  }

  async *#parts(response: Response, course: Course, timer: Timer, signal?: AbortSignal): AsyncGenerator<Uint8Array, void> {
    const reader = response.body?.getReader();
    try {
      for (;;) {
        // The time that whoever reads takes for a part is not the server's.
        timer.start();
        const part = reader && (await attempted(() => reader.read(), signal));
        timer.stop();
        if (part && "kind" in part) throw course.brokenOff(part);
        if (!part || part.done) return;
        yield part.value;
      }
    } finally {
      await reader?.cancel().catch(() => undefined);
    }
  }

  #open(course: Course, signal: AbortSignal | undefined, timer: Timer): Promise<Response | None> {
    const request: RequestInit = {
      ...course.request(this.#options.apiKey),
      // An answer that leads elsewhere is none of ours, and the key goes nowhere else.
      redirect: "manual",
      signal: signal ? AbortSignal.any([signal, timer.signal]) : timer.signal,
    };
    return attempted(() => this.#options.fetch(this.#options.api + course.place, request), signal);
  }
}

/** What came of it, or why nothing did. The end that the caller makes is no failure. */
async function attempted<T>(what: () => Promise<T>, signal: AbortSignal | undefined): Promise<T | None> {
  signal?.throwIfAborted();
  try {
    return await what();
  } catch (error) {
    signal?.throwIfAborted();
    return { kind: "none", cause: error instanceof Error && error.cause ? error.cause : error };
  }
}

/** Whether it is a page for people, which nobody asked for. */
function isPage(response: Response): boolean {
  return /^text\/html\b/i.test(response.headers.get("content-type") ?? "");
}

/** Ends what takes too long. */
class Timer {
  readonly #controller = new AbortController();
  #timeout: NodeJS.Timeout | undefined;

  constructor(private readonly ms: number) {
    this.start();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(): void {
    this.stop();
    const late = () => this.#controller.abort(new Error(`it took longer than ${this.ms} ms`));
    this.#timeout = setTimeout(late, this.ms);
  }

  stop(): void {
    clearTimeout(this.#timeout);
  }
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
