import { isObject } from "./answer.js";
import { isRefused } from "./errors.js";
import { segment } from "./request.js";
import { type Call, type CallOptions, type DownloadOptions, type Options, Transport } from "./transport.js";
import type * as t from "./types.js";

/** Of a write that would do as much once more: a key that belongs to the matter, such as `payout-2026-118`. */
export interface KeyedOptions extends CallOptions {
  idempotencyKey: string;
}

/** What became of a code or a click. */
export interface Applied {
  referral: t.Referral;
  /** Whether the same had been applied before: a repetition, and as good. */
  isRepetition: boolean;
}

/** By what a customer is found. */
export type CustomerKey = { externalId: string } | { email: string } | { stripeCustomerId: string };

/** One project of a BillStack server, as an API key may use it. */
export class BillStack {
  readonly #transport: Transport;

  constructor(options: Options) {
    this.#transport = new Transport(options);
  }

  /** Any other call: with a path below the project, and its JSON answer. Repeated as all others are. */
  request(method: string, path: string, call: Call = {}): Promise<unknown> {
    return this.#transport.send(method, path, call);
  }

  /**
   * An export, as the bytes of a file: `/referrals/exports/credits`, for one. It is repeated until it begins; what breaks
   * off later is a `NoAnswerError`, and is begun anew by whoever wants it.
   */
  download(path: string, options: DownloadOptions = {}): AsyncGenerator<Uint8Array, void> {
    return this.#transport.download(path, options);
  }

  // Customers

  /**
   * The customer with this address, made if there is none. What is known of `externalId` and `stripeCustomerId` here
   * and not there is added. If there they are others, the address is somebody else's: `customer_exists`.
   */
  async ensureCustomer(customer: t.CreateCustomerRequest, options: CallOptions = {}): Promise<t.Customer> {
    try {
      return await this.createCustomer(customer, options);
    } catch (error) {
      if (!isRefused(error, "customer_exists")) throw error;
      const there = error.body.customer;
      const missing: t.UpdateCustomerRequest = {};
      for (const name of ["externalId", "stripeCustomerId"] as const) {
        const wanted = customer[name];
        if (wanted == null || wanted === there[name]) continue;
        if (there[name] !== null) throw error;
        missing[name] = wanted;
      }
      if (Object.keys(missing).length === 0) return there;
      // Another write has another key, and a random one is as good: it says the same however often it is sent.
      return await this.updateCustomer(there.id, missing, signalOf(options));
    }
  }

  async createCustomer(customer: t.CreateCustomerRequest, options: CallOptions = {}): Promise<t.Customer> {
    return await this.#one("customer", "POST", "/customers", { ...options, body: customer });
  }

  async getCustomer(id: string, options: CallOptions = {}): Promise<t.Customer> {
    return await this.#one("customer", "GET", `/customers/${segment(id)}`, options);
  }

  /** The customer with exactly this, or null. */
  async findCustomer(key: CustomerKey, options: CallOptions = {}): Promise<t.Customer | null> {
    const call = { ...options, query: { ...key, limit: 1 } };
    return (await this.#list<t.Customer>("customers", "GET", "/customers", call))[0] ?? null;
  }

  async updateCustomer(id: string, changes: t.UpdateCustomerRequest, options: CallOptions = {}): Promise<t.Customer> {
    const call = { ...options, body: changes };
    return await this.#one("customer", "PATCH", `/customers/${segment(id)}`, call);
  }

  /** Erases a person for ever. */
  async eraseCustomer(id: string, options: CallOptions = {}): Promise<void> {
    await this.#one("customer", "DELETE", `/customers/${segment(id)}`, options);
  }

  customers(query: t.ListCustomersQuery = {}, options: CallOptions = {}): AsyncGenerator<t.Customer, void> {
    return this.#all("/customers", "customers", query, options);
  }

  /** A short time in the portal for a customer: a token for the widget, and an address to send them to at once. */
  async createPortalSession(
    customerId: string,
    session: t.CreatePortalSessionRequest = {},
    options: CallOptions = {},
  ): Promise<t.PortalSession> {
    const path = `/customers/${segment(customerId)}/portal-sessions`;
    return await this.#one("portalSession", "POST", path, { ...options, body: session });
  }

  // Codes and referrals

  /** The active code of a customer, made if there is none. */
  async ensureCode(customerId: string, options: CallOptions = {}): Promise<t.ReferralCode> {
    try {
      return await this.createCode({ customerId }, options);
    } catch (error) {
      if (isRefused(error, "active_code_exists")) return error.body.code;
      throw error;
    }
  }

  async createCode(code: t.CreateCodeRequest, options: CallOptions = {}): Promise<t.ReferralCode> {
    return await this.#one("code", "POST", "/referrals/codes", { ...options, body: code });
  }

  /** A code by itself or by a name of it, in any form that people type. */
  async getCode(code: string, options: CallOptions = {}): Promise<t.ReferralCodeDetail> {
    const call = { ...options, query: { limit: 1 } };
    return await this.#one("code", "GET", `/referrals/codes/${segment(code)}`, call);
  }

  /** Gives a code a name that is easier to say. */
  async renameCode(code: string, vanity: string, options: CallOptions = {}): Promise<t.ReferralCode> {
    const call = { ...options, body: { vanity } };
    return await this.#one("code", "PATCH", `/referrals/codes/${segment(code)}`, call);
  }

  /** Switches a code off. What was applied before is honoured. */
  async deactivateCode(code: string, options: CallOptions = {}): Promise<void> {
    await this.#one("code", "DELETE", `/referrals/codes/${segment(code)}`, options);
  }

  codes(query: t.ListCodesQuery = {}, options: CallOptions = {}): AsyncGenerator<t.ReferralCode, void> {
    return this.#all("/referrals/codes", "codes", query, options);
  }

  /**
   * Records that a new customer came with a code, or by a click on a share link. Whoever applied the same before gets
   * that referral; whoever applied another code is refused: `already_referred`. Of a click alone nobody but the server
   * knows the code, so any referral by a click counts as the same.
   */
  async apply(request: t.ApplyCodeRequest, options: CallOptions = {}): Promise<Applied> {
    try {
      const call = { ...options, body: request };
      const referral = await this.#one<t.Referral>("referral", "POST", "/referrals/apply", call);
      return { referral, isRepetition: false };
    } catch (error) {
      if (!isRefused(error, "already_referred")) throw error;
      const { referral } = error.body;
      if (await this.#isSame(request, referral, options)) return { referral, isRepetition: true };
      throw error;
    }
  }

  async #isSame({ code }: t.ApplyCodeRequest, referral: t.Referral, options: CallOptions): Promise<boolean> {
    if (code == null) return referral.attribution?.source === "click";
    if (code.trim().toUpperCase() === referral.code) return true;
    try {
      // Typed in another form, or a name of it; the server knows them all.
      return (await this.getCode(code, signalOf(options))).code === referral.code;
    } catch (error) {
      if (isRefused(error, "code_not_found")) return false;
      throw error;
    }
  }

  async getReferral(id: string, options: CallOptions = {}): Promise<t.Referral> {
    return await this.#one("referral", "GET", `/referrals/${segment(id)}`, options);
  }

  referrals(query: t.ListReferralsQuery = {}, options: CallOptions = {}): AsyncGenerator<t.Referral, void> {
    return this.#all("/referrals", "referrals", query, options);
  }

  /** The story of a referral, the oldest first. */
  referralEvents(id: string, options: CallOptions = {}): AsyncGenerator<t.ReferralEvent, void> {
    return this.#all(`/referrals/${segment(id)}/events`, "events", {}, options);
  }

  // Credits. Amounts are whole numbers of the smallest unit of their currency.

  /** What a customer has, one amount for each currency. */
  async balances(customerId: string, options: CallOptions = {}): Promise<t.CreditBalance[]> {
    const path = `/customers/${segment(customerId)}/credit-balance`;
    return await this.#list("balances", "GET", path, options);
  }

  /** Every movement of what a customer has, by currency. */
  async statements(
    customerId: string,
    query: t.GetCreditStatementQuery = {},
    options: CallOptions = {},
  ): Promise<t.CreditStatement[]> {
    const path = `/customers/${segment(customerId)}/credit-statement`;
    return await this.#list("statements", "GET", path, { ...options, query });
  }

  credits(query: t.ListCreditsQuery = {}, options: CallOptions = {}): AsyncGenerator<t.Credit, void> {
    return this.#all("/referrals/credits", "credits", query, options);
  }

  async getCredit(id: string, options: CallOptions = {}): Promise<t.Credit> {
    return await this.#one("credit", "GET", `/referrals/credits/${segment(id)}`, options);
  }

  /** Gives a customer a credit by hand. */
  async giveCredit(credit: t.CreateCreditRequest, options: KeyedOptions): Promise<t.Credit> {
    const call = { ...keyed(options), body: credit };
    return await this.#one("credit", "POST", "/referrals/credits", call);
  }

  /** Makes what is held the customer's. */
  releaseCredit(id: string, request: t.ReleaseCreditRequest, options: KeyedOptions): Promise<t.Credit> {
    return this.#move(id, "release", request, options);
  }

  /** Takes it back. */
  reverseCredit(id: string, request: t.ReverseCreditRequest, options: KeyedOptions): Promise<t.Credit> {
    return this.#move(id, "reverse", request, options);
  }

  /** Notes that you have paid it. */
  settleCredit(id: string, request: t.SettleCreditRequest, options: KeyedOptions): Promise<t.Credit> {
    return this.#move(id, "settle", request, options);
  }

  async #move(id: string, move: string, body: object, options: KeyedOptions): Promise<t.Credit> {
    const path = `/referrals/credits/${segment(id)}/${move}`;
    return await this.#one("credit", "POST", path, { ...keyed(options), body });
  }

  // The program, links, and what happened

  async config(options: CallOptions = {}): Promise<t.ReferralConfig> {
    return await this.#one("config", "GET", "/referrals/config", options);
  }

  async putConfig(config: t.PutConfigRequest, options: CallOptions = {}): Promise<t.ReferralConfig> {
    return await this.#one("config", "PUT", "/referrals/config", { ...options, body: config });
  }

  /** How share links look and where they lead; for `shareUrl`, and worth keeping for minutes. */
  async linkSettings(options: CallOptions = {}): Promise<t.LinkSettings> {
    return await this.#one("settings", "GET", "/links/settings", options);
  }

  async putLinkSettings(settings: t.PutLinkSettingsRequest, options: CallOptions = {}): Promise<t.LinkSettings> {
    return await this.#one("settings", "PUT", "/links/settings", { ...options, body: settings });
  }

  /** What happened in the project after this event, in order, to its present end; from the beginning without one. */
  events(after?: string, options: CallOptions = {}): AsyncGenerator<t.Event, void> {
    return this.#all("/events", "events", {}, options, { name: "after", from: after });
  }

  async *#all<T>(
    path: string,
    member: string,
    query: object,
    options: CallOptions,
    place: { name: string; from: string | undefined } = { name: "cursor", from: undefined },
  ): AsyncGenerator<T, void> {
    let from = place.from;
    do {
      const call = { ...options, query: { limit: 100, ...query, [place.name]: from } };
      const page = await this.#transport.send("GET", path, call, (json) => Array.isArray(json[member]));
      yield* page[member] as T[];
      from = typeof page.nextCursor === "string" ? page.nextCursor : undefined;
    } while (from !== undefined);
  }

  /** The one thing that an answer is about. */
  async #one<T>(member: string, method: string, path: string, call: Call): Promise<T> {
    return (await this.#transport.send(method, path, call, (json) => isObject(json[member])))[member] as T;
  }

  /** A list that is short enough for one answer. */
  async #list<T>(member: string, method: string, path: string, call: Call): Promise<T[]> {
    return (await this.#transport.send(method, path, call, (json) => Array.isArray(json[member])))[member] as T[];
  }
}

function signalOf({ signal }: CallOptions): CallOptions {
  return signal ? { signal } : {};
}

/** Repeated without a key, these would do as much once more, so nobody gets a key that no other process has. */
function keyed(options: KeyedOptions): KeyedOptions {
  if (options?.idempotencyKey == null) {
    throw new TypeError("this call needs an idempotencyKey that belongs to the matter");
  }
  return options;
}
