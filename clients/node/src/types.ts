// Made from openapi.json by clients/generate.py; change nothing here.

/** Why a call was refused. The list is closed, and a reason keeps its meaning. */
export type Reason =
  "active_code_exists" | "already_member" | "already_referred" | "already_set_up" | "amount_exceeds_credit" |
  "api_key_expired" | "api_key_revoked" | "click_expired" | "code_inactive" | "code_not_found" | "credit_not_found"
  | "cross_site_request" | "customer_being_created" | "customer_exists" | "customer_not_found" |
  "database_unavailable" | "delivery_under_way" | "event_not_found" | "external_id_taken" | "forbidden" |
  "idempotency_key_in_use" | "idempotency_key_reused" | "illegal_transition" | "insufficient_scope" | "internal" |
  "invalid_api_key" | "invalid_click_token" | "invalid_credentials" | "invalid_json" | "invalid_portal_token" |
  "invalid_request" | "invalid_signature" | "invalid_token" | "last_owner" | "method_not_allowed" |
  "not_a_new_customer" | "not_a_test_project" | "not_an_event" | "not_found" | "outcome_unknown" | "overloaded" |
  "payload_gone" | "payload_too_large" | "rate_limited" | "reciprocal_referral" | "referral_not_found" |
  "referrals_disabled" | "request_timeout" | "self_referral" | "session_expired" | "session_required" |
  "shutting_down" | "stripe_key_invalid" | "stripe_key_required" | "stripe_not_connected" | "stripe_refused" |
  "stripe_unavailable" | "too_many_endpoints" | "too_many_misses" | "too_many_renames" | "too_many_requests" |
  "too_many_sign_ins" | "unauthenticated" | "unknown_member" | "unknown_parameter" | "unsupported_media_type" |
  "use_cursor" | "user_exists" | "vanity_not_allowed" | "vanity_taken" | "weak_password" |
  "webhook_address_not_allowed" | "wrong_secret_key";

/** The refusals that show what is in the way. */
export interface SpecialErrors {
  active_code_exists: ActiveCodeExistsError;
  already_referred: AlreadyReferredError;
  customer_exists: CustomerExistsError;
}

/** The customer has an active code already. */
export interface ActiveCodeExistsError {
  /** What is in the way. */
  code: ReferralCode;
  /** A sentence for a person. */
  error: string;
  /** Stable, for programs. */
  reason: "active_code_exists";
}

/** The customer has been referred already. */
export interface AlreadyReferredError {
  /** A sentence for a person. */
  error: string;
  /** Stable, for programs. */
  reason: "already_referred";
  /** What is in the way. */
  referral: Referral;
}

/** Who applies which code. */
export interface ApplyCodeRequest {
  /**
   * What a share link left with the visitor: `ref_click` of the landing page. It counts where there is no code; with
   * one it never refuses anything.
   */
  clickToken?: string | null;
  /**
   * The code or a name of it, as it was typed or pasted; case, and what is no letter or digit, do not matter. Where
   * there is none, `clickToken` is needed.
   */
  code?: string | null;
  /** The new customer. */
  refereeCustomerId: string;
}

/** What a customer has. */
export interface BalancesAnswer {
  /** One per currency. */
  balances: CreditBalance[];
}

/** Until when a refund or a dispute takes credits back. */
export type Clawback = "none" | "within_hold" | "always" | (string & {});

/** What may be taken back of what is in the customer's balance in Stripe. */
export type ClawbackApplied = "unused_only" | "always" | (string & {});

/** A code as the one resource of an answer. */
export interface CodeAnswer {
  /** The code. */
  code: ReferralCode;
}

/** A page of codes. */
export interface CodesAnswer {
  /** The newest first, or in the order that was asked for. */
  codes: ReferralCodeWithFigures[];
  /** Present when there is more. */
  nextCursor?: string;
}

/** The program as the one resource of an answer. */
export interface ConfigAnswer {
  /** The program. */
  config: ReferralConfig;
}

/** How many conversions pay a referrer. */
export interface ConversionCaps {
  /** In a month of UTC; null for no limit. */
  perMonth: number | null;
  /** In all; null for no limit. */
  total: number | null;
}

/** What converts a referral. */
export type ConversionTrigger = "subscription_created" | "first_paid_invoice" | (string & {});

/** Whose code to make. */
export interface CreateCodeRequest {
  /** The customer who will be the referrer. */
  customerId: string;
  /** A name for the code: 3 to 24 letters, digits, hyphens and underscores. It works wherever the code does. */
  vanity?: string;
}

/** What to give to whom. */
export interface CreateCreditRequest {
  /** How much, in minor units, in the steps in which Stripe bills the currency. */
  amount: number;
  /** ISO 4217 code of a currency that Stripe bills in. */
  currency: string;
  /** The customer who shall have it. */
  customerId: string;
  /** Why; no personal data, it is kept for ever. */
  reason: string;
}

/** A new customer. */
export interface CreateCustomerRequest {
  /** E-mail address; unique in the project after trimming and without regard to case. */
  email: EmailText;
  /** The team's own id for this customer; unique in the project. */
  externalId?: string | null;
  /** What the team keeps with the customer, in at most 32,768 bytes of JSON; empty unless given. */
  metadata?: Record<string, unknown> | null;
  /** Display name. */
  name?: string | null;
  /**
   * The customer or account in Stripe, when it is known; Stripe is then not asked. Events that came for it and found
   * nobody are looked at again.
   */
  stripeCustomerId?: string | null;
}

/** What the session shall be. */
export interface CreatePortalSessionRequest {
  /** For how many seconds it lasts. */
  expiresInSeconds?: number | null;
  /** The language of the page: `en`, `de`, `fr`, `es` or `pt`. Left out, the browser says. */
  locale?: string | null;
  /** Whether it may change nothing; then `referrals:read` suffices. */
  readOnly?: boolean | null;
}

/** Money given to a customer. */
export interface Credit {
  /** How much, in minor units. */
  amount: number;
  /** What became of the amount. */
  amounts: CreditAmounts;
  /** When it was granted. */
  createdAt: string;
  /** ISO 4217 code in lower case. */
  currency: string;
  /** Who has it. */
  customerId: string;
  /** How it reaches the customer's balance in Stripe. */
  delivery: CreditDeliveryProgress;
  /** When its hold ends or would have ended. */
  heldUntil: string | null;
  /** Its id. */
  id: string;
  /** What it was given for. */
  kind: CreditKind;
  /** The referral that earned it; null for one of another kind. */
  referralId: string | null;
  side: CreditSide | null;
  /** How far it has come. */
  status: CreditStatus;
}

/** An account of a credit. */
export type CreditAccount = "program" | "held" | "customer" | "stripe" | "applied" | "settled" | "shortfall" | "memo" | (string & {});

/** What became of a credit, in minor units. The parts sum to its amount, the shortfall apart. */
export interface CreditAmounts {
  /** Used for an invoice of Stripe. */
  applied: number;
  /** The customer's, in our books. */
  available: number;
  /** In the customer's balance in Stripe, and not used yet. */
  delivered: number;
  /** Earned, but held. */
  held: number;
  /** Taken back. */
  reversed: number;
  /** Paid to the customer. */
  settled: number;
  /** What should have been taken back and could not be, because it was used. It is among the other parts. */
  shortfall: number;
}

/** A credit as the one resource of an answer. */
export interface CreditAnswer {
  /** The credit. */
  credit: Credit;
}

/** What a customer has in one currency. */
export interface CreditBalance {
  /** The sum in minor units. */
  amount: number;
  /** ISO 4217 code in lower case. */
  currency: string;
}

/** How credits reach the customer. */
export type CreditDelivery = "ledger" | "stripe_balance" | (string & {});

/** How a credit reaches the balance that its customer has in Stripe. */
export interface CreditDeliveryProgress {
  /** How many times Stripe was told. */
  attempts: number;
  /** What Stripe said when it refused. */
  message: string | null;
  /** When it goes on by itself; null when it is over or needs attention. */
  nextAttemptAt: string | null;
  reason: CreditDeliveryReason | null;
  /** How far it has come. */
  state: CreditDeliveryState;
  /** Whose balance it is put into; null before that is known. */
  stripeCustomerId: string | null;
  /** The line of the balance, once it is there. */
  transactionId: string | null;
}

/** Why a delivery needs attention. */
export type CreditDeliveryReason = "no_stripe_customer" | "customer_deleted" | "customer_unknown" | "currency_unset" | "currency_mismatch" | "stripe_refused" | "possible_duplicate" | "amount_differs" | "history_unclear" | "key_conflict" | "stripe_unreachable" | (string & {});

/** How far the delivery of a credit has come. */
export type CreditDeliveryState = "none" | "waiting" | "queued" | "in_flight" | "unknown" | "delivered" | "needs_attention" | (string & {});

/** What a credit was given for. */
export type CreditKind = "referral" | "manual" | (string & {});

/** Which side of a referral. */
export type CreditSide = "referrer" | "referee" | (string & {});

/** The account of a customer in one currency. */
export interface CreditStatement {
  /** Owed at the end. */
  closing: number;
  /** ISO 4217 code in lower case. */
  currency: string;
  /** Whether there are more; ask for a shorter time then. */
  isCut: boolean;
  /** Every movement, in the order of booking: 10,000 at most. */
  lines: StatementLine[];
  /** Owed at the beginning, in minor units. */
  opening: number;
}

/** How far a credit has come. */
export type CreditStatus = "granted" | "held" | "applied" | "partially_reversed" | "reversed" | (string & {});

/** A page of credits. */
export interface CreditsAnswer {
  /** The newest first. */
  credits: Credit[];
  /** Present when there is more. */
  nextCursor?: string;
}

/** A customer of a project. */
export interface Customer {
  /** When it was created here. */
  createdAt: string;
  /** E-mail address, trimmed and in lower case; unique in the project. */
  email: string;
  /** The team's own id for this customer; unique in the project. */
  externalId: string | null;
  /** Its id. */
  id: string;
  /** What the team keeps with the customer. */
  metadata: Record<string, unknown>;
  /** Display name. */
  name: string | null;
  /** The project. */
  projectId: string;
  /** The customer or account in Stripe. */
  stripeCustomerId: string | null;
  /** When it was last changed. */
  updatedAt: string;
}

/** A customer as the one resource of an answer. */
export interface CustomerAnswer {
  /** The customer. */
  customer: Customer;
}

/** A customer with this e-mail address exists already. */
export interface CustomerExistsError {
  /** What is in the way. */
  customer: Customer;
  /** A sentence for a person. */
  error: string;
  /** Stable, for programs. */
  reason: "customer_exists";
}

/** A page of customers. */
export interface CustomersAnswer {
  /** The newest first. */
  customers: Customer[];
  /** Present when there is more. */
  nextCursor?: string;
}

/** What became of the code. */
export interface DeactivateCodeAnswer {
  /** The code. */
  code: DeactivatedReferralCode;
}

/** Whether a code can be applied. */
export interface DeactivatedReferralCode {
  /** The code. */
  code: string;
  /** Always false: it has been switched off. */
  isActive: boolean;
}

/** What was erased. */
export interface DeleteCustomerAnswer {
  /** The customer. */
  customer: DeletedCustomer;
}

/** The customer that is no more. */
export interface DeletedCustomer {
  /** Always true. */
  deleted: boolean;
  /** Its id. */
  id: string;
}

/**
 * An e-mail address; white space and invisible characters around it, `mailto:`, case and a dot at its end do not
 * matter.
 */
export type EmailText = string;

/** An event, as its webhook tells it. A type only ever gains members. */
export type Event = EventBudgetExhausted | EventBudgetLow | EventCodeCreated | EventCodeDeactivated | EventCodeRenamed | EventCreditApplied | EventCreditDelivered | EventCreditDeliveryFellShort | EventCreditDeliveryRequested | EventCreditDeliveryRetried | EventCreditGranted | EventCreditHeld | EventCreditNeedsAttention | EventCreditPutBack | EventCreditReleased | EventCreditRestored | EventCreditReversed | EventCreditSettled | EventCreditShortfall | EventCreditShortfallCanceled | EventCreditUnapplied | EventCustomerCreated | EventCustomerErased | EventCustomerLinked | EventCustomerUpdated | EventPing | EventProgramUpdated | EventReferralApplied | EventReferralConverted | EventReferralCreditWithheld | EventReferralExpired | EventReferralNotConverted | EventWebhookEndpointDisabled | EventWebhookEndpointFailing;

/** Nothing is left of a budget, or not enough for a credit. */
export interface EventBudgetExhausted {
  data: WebhookBudget;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "budget.exhausted";
}

/** Four fifths of a budget are out. */
export interface EventBudgetLow {
  data: WebhookBudget;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "budget.low";
}

/** A customer got a code. */
export interface EventCodeCreated {
  data: WebhookCode;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "code.created";
}

/** A code can no longer be applied. */
export interface EventCodeDeactivated {
  data: WebhookCode;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "code.deactivated";
}

/** A code got another name. */
export interface EventCodeRenamed {
  data: WebhookCode;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "code.renamed";
}

/** An invoice used of a credit what was in the balance at Stripe. */
export interface EventCreditApplied {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.applied";
}

/** A credit was put into the customer's balance at Stripe. */
export interface EventCreditDelivered {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.delivered";
}

/** Not all that somebody wanted to take back of a balance at Stripe was there. */
export interface EventCreditDeliveryFellShort {
  data: WebhookCreditFellShort;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.delivery_fell_short";
}

/** Somebody decided that a credit is put into a balance at Stripe. */
export interface EventCreditDeliveryRequested {
  data: WebhookCreditDelivery;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.delivery_requested";
}

/** Somebody decided that the delivery of a credit goes on. */
export interface EventCreditDeliveryRetried {
  data: WebhookCreditDelivery;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.delivery_retried";
}

/** A credit was made, and is the customer's at once. */
export interface EventCreditGranted {
  data: WebhookCreditMade;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.granted";
}

/** A credit was made, and becomes the customer's later. */
export interface EventCreditHeld {
  data: WebhookCreditMade;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.held";
}

/** The delivery of a credit waits for a person. */
export interface EventCreditNeedsAttention {
  data: WebhookCreditDelivery;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.needs_attention";
}

/** What was taken back of a credit had been used meanwhile. */
export interface EventCreditPutBack {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.put_back";
}

/** What was held of a credit became the customer's. */
export interface EventCreditReleased {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.released";
}

/** What had been taken back of a credit was given again. */
export interface EventCreditRestored {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.restored";
}

/** A credit was taken back, in whole or in part. */
export interface EventCreditReversed {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.reversed";
}

/** A credit was paid to the customer, in whole or in part. */
export interface EventCreditSettled {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.settled";
}

/** A credit should have been taken back, and could not be any more. */
export interface EventCreditShortfall {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.shortfall";
}

/** What could not be taken back of a credit need not be any more. */
export interface EventCreditShortfallCanceled {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.shortfall_canceled";
}

/** What an invoice had used of a credit came back into the balance. */
export interface EventCreditUnapplied {
  data: WebhookCreditMoved;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "credit.unapplied";
}

/** A customer was created. */
export interface EventCustomerCreated {
  data: WebhookCustomerCreated;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "customer.created";
}

/** A customer's personal data were erased. */
export interface EventCustomerErased {
  data: WebhookCustomerErased;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "customer.erased";
}

/** It became known which customer in Stripe this one is. */
export interface EventCustomerLinked {
  data: WebhookCustomerLinked;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "customer.linked";
}

/** Other members of a customer were changed. */
export interface EventCustomerUpdated {
  data: WebhookCustomerUpdated;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "customer.updated";
}

/** Nothing has happened: somebody tries the endpoint. */
export interface EventPing {
  data: WebhookPing;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "ping";
}

/** The program was changed. */
export interface EventProgramUpdated {
  data: WebhookProgram;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "program.updated";
}

/** A code was applied: a referral begins. */
export interface EventReferralApplied {
  data: WebhookReferralApplied;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "referral.applied";
}

/** A referral converted. */
export interface EventReferralConverted {
  data: WebhookReferralConverted;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "referral.converted";
}

/** A side of a conversion got no credit, because the program gives no more. */
export interface EventReferralCreditWithheld {
  data: WebhookCreditWithheld;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "referral.credit_withheld";
}

/** A referral was closed without a conversion. */
export interface EventReferralExpired {
  data: WebhookReferralExpired;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "referral.expired";
}

/** An event of Stripe was looked at for a referral and did not convert it. */
export interface EventReferralNotConverted {
  data: WebhookReferralNotConverted;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** Its number in the story of its referral. */
  sequence?: number;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "referral.not_converted";
}

/** Another endpoint of the project is sent nothing any more. */
export interface EventWebhookEndpointDisabled {
  data: WebhookEndpointDisabled;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "webhook_endpoint.disabled";
}

/** Another endpoint of the project has taken nothing for a day. */
export interface EventWebhookEndpointFailing {
  data: WebhookEndpointFailing;
  /** Its id. It is the same however often it is sent, and to whom. */
  id: string;
  /** The project. */
  projectId: string;
  /** The team. */
  teamId: string;
  /** When it happened, by the clock of the project. */
  timestamp: string;
  /** What happened. */
  type: "webhook_endpoint.failing";
}

/** Events of a project. */
export interface EventsAnswer {
  /** In the order of the log, each as its webhook tells it. */
  events: Event[];
  /** Present when there is more: the `after` of the next page. */
  nextCursor?: string;
}

/** A referral, and why it is where it is. */
export interface ExplainedReferral extends Referral {
  /** Why it is where it is, and what must still happen. */
  explanation: ReferralExplanation;
}

/** A referral with its explanation, as the one resource of an answer. */
export interface ExplainedReferralAnswer {
  /** The referral. */
  referral: ExplainedReferral;
}

/** A code and who applied it. */
export interface GetCodeAnswer {
  /** The code. */
  code: ReferralCodeDetail;
  /** Present when there is more. */
  nextCursor?: string;
  /** Its referrals, the oldest first. */
  referrals: ReferralOfCode[];
}

/** What `get_credit_statement` may be asked for. */
export interface GetCreditStatementQuery {
  /** Only in this currency. */
  currency?: string;
  /** Movements booked at this time or later. */
  from?: string;
  /** Movements booked before this time. */
  to?: string;
}

/** Any JSON without NUL in a text or name, nested to 32 levels at most. */
export type JsonValue = unknown;

/** What chats show of a link. */
export interface LinkCard {
  /** Its picture, with https. */
  imageUrl: string | null;
  /** Its text. */
  text: string | null;
  /** Its title. */
  title: string;
}

/** How the links of a project are set up. */
export interface LinkSettings {
  card: LinkCard | null;
  /** The parameter of the landing page that brings the click token. */
  clickParameter: string;
  /** The parameter of the landing page that brings the code. */
  codeParameter: string;
  /** Whether links bring their code along. While they do not, visitors are sent to the landing page without it. */
  enabled: boolean;
  /** Where visitors are sent; null until somebody has said, and a link is a page that says so. */
  landingUrl: string | null;
  /** The hosts that `to` of a link may name besides that of the landing page. */
  redirectHosts: string[];
  /** What links look like. The first one is the shortest, and all lead to this project for ever. */
  shareUrls: string[];
  /** The short name of the project in its links. */
  slug: string;
  /** For how many days a click counts. */
  windowDays: number;
}

/** The settings as the one resource of an answer. */
export interface LinkSettingsAnswer {
  /** The settings. */
  settings: LinkSettings;
}

/** What `list_codes` may be asked for. */
export interface ListCodesQuery {
  /** Leave out codes that were switched off; true unless given. */
  activeOnly?: boolean;
  /** Only of this customer. */
  customerId?: string;
  /** Only made at this time or later; the newest first. */
  from?: string;
  /** Only made before this time; the newest first. */
  to?: string;
  /** The order; the newest first when left out. */
  sort?: "newest" | "clicks" | "applied" | "converted" | (string & {});
}

/** What `list_credits` may be asked for. */
export interface ListCreditsQuery {
  /** Only of this customer. */
  customerId?: string;
  /** Only of this referral. */
  referralId?: string;
  /** Only of this side. */
  side?: "referrer" | "referee" | (string & {});
  /** Only of this kind. */
  kind?: "referral" | "manual" | (string & {});
  /** Only of this currency, an ISO 4217 code. */
  currency?: string;
  /** Only granted at this time or later. */
  from?: string;
  /** Only granted before this time. */
  to?: string;
  /** Only with this status. */
  status?: "granted" | "held" | "applied" | "partially_reversed" | "reversed" | (string & {});
  /** Only whose delivery has come so far. */
  delivery?: "none" | "waiting" | "queued" | "in_flight" | "unknown" | "delivered" | "needs_attention" | (string & {});
}

/** What `list_customers` may be asked for. */
export interface ListCustomersQuery {
  /** Only with this e-mail address. */
  email?: string;
  /** Only with this id of the team's own. */
  externalId?: string;
  /** Only with this id in Stripe. */
  stripeCustomerId?: string;
}

/** What `list_referrals` may be asked for. */
export interface ListReferralsQuery {
  /** Only with this status. */
  status?: "pending" | "converted" | "expired" | (string & {});
  /** Only of this customer, as referrer or as referee. */
  customerId?: string;
  /** Only of this referrer. */
  referrerCustomerId?: string;
  /** Only of this referee. */
  refereeCustomerId?: string;
  /** Only by this code, or the code of this name. */
  code?: string;
  /** Only those that came about by this. */
  source?: "code" | "click" | (string & {});
  /** Only applied at this time or later. */
  from?: string;
  /** Only applied before this time. */
  to?: string;
  /** The order; the one applied last first when left out. */
  sort?: "applied" | "converted" | (string & {});
}

/** A session of a customer. */
export interface PortalSession {
  /** When the session ends. */
  expiresAt: string;
  /** Shown to `…/api/portal/…` as a bearer token. It is kept nowhere. */
  token: string;
  /** Where the customer's browser is sent, on a click: it lets in once, within a minute. Not for mail. */
  url: string;
}

/** The session as the one resource of an answer. */
export interface PortalSessionAnswer {
  /** The session. */
  portalSession: PortalSession;
}

/** What kind of thing moved money. */
export type PostingCause = "event" | "user" | "job" | (string & {});

/** What the program shall be. */
export interface PutConfigRequest {
  /** How much may be out in the currency, in minor units: granted and not taken back. `null` for no limit. */
  budget?: number | null;
  clawback?: Clawback | null;
  clawbackApplied?: ClawbackApplied | null;
  /** For how many days after the conversion they do so with `always`. */
  clawbackWindowDays?: number | null;
  conversionTrigger?: ConversionTrigger | null;
  creditDelivery?: CreditDelivery | null;
  /** What a customer reads beside a credit in Stripe. */
  creditDescription?: string | null;
  /** ISO 4217 code of a currency that Stripe bills in; `usd` if left out. */
  currency?: string | null;
  /** Whether codes can be applied. */
  enabled: boolean;
  /** Whether a subscription in its trial does not convert yet. */
  excludeTrials?: boolean | null;
  /**
   * For how many days after a conversion its credits are held before they are the customers'. Left out, it stays as
   * it is.
   */
  holdDays?: number | null;
  maxConversionsPerReferrer?: ConversionCaps | null;
  /** How much the invoice that converts must have brought, with tax, in minor units. */
  minimumPaidAmount?: number | null;
  /** Credit of the referee at conversion, in minor units, in the same steps. */
  refereeCreditAmount: number;
  /** After how many days a pending referral is closed; `null` for never. */
  referralExpiryDays?: number | null;
  /**
   * Credit of the referrer at conversion, in minor units. For `isk` and `ugx` a multiple of 100, and of 10 for
   * `bhd`, `jod`, `kwd`, `omr` and `tnd`: Stripe bills no other amounts.
   */
  referrerCreditAmount: number;
}

/** How links shall be set up. */
export interface PutLinkSettingsRequest {
  card?: LinkCard | null;
  /** The one that brings the click token. */
  clickParameter?: string | null;
  /** The parameter of the landing page that brings the code: letters, digits, `-` and `_`. */
  codeParameter?: string | null;
  /** Whether links bring their code along. */
  enabled: boolean;
  /**
   * Where visitors are sent, with https; `http` only to this machine. Left out, it stays as it is, like all that
   * follows.
   */
  landingUrl?: string | null;
  /** The hosts that `to` of a link may name besides that of the landing page. */
  redirectHosts?: string[] | null;
  /** For how many days a click counts. */
  windowDays?: number | null;
}

/** One person brought by another. */
export interface Referral {
  /** By what it came about. */
  attribution: ReferralAttribution;
  /** The code that was applied. */
  code: string;
  /** When it converted: the time of the Stripe event, never before `createdAt`. */
  convertedAt: string | null;
  /** When the code was applied. */
  createdAt: string;
  /** Its id. */
  id: string;
  /** The customer who applied it. */
  refereeCustomerId: string;
  /** The customer who owns the code. */
  referrerCustomerId: string;
  /** How far it has come. */
  status: ReferralStatus;
  /** What was promised. */
  terms: ReferralTerms;
}

/** A referral as the one resource of an answer. */
export interface ReferralAnswer {
  /** The referral. */
  referral: Referral;
}

/** By what a referral came about. */
export interface ReferralAttribution {
  /**
   * By what way the share link had reached the customer: `link`, `qr`, `whatsapp` or `mail`; null where no click is
   * known.
   */
  channel: string | null;
  /** When the link was followed; null where no click is known. */
  clickedAt: string | null;
  /** What decided. */
  source: ReferralSource;
}

/** A referral code. */
export interface ReferralCode {
  /** All its names, the last one first. Each works wherever the code does. */
  aliases: string[];
  /** Eight upper-case letters and digits. */
  code: string;
  /** When it was made. */
  createdAt: string;
  /** The customer who shares it. */
  customerId: string;
  /** Whether it can be applied. */
  isActive: boolean;
  /** The project it belongs to. */
  projectId: string;
  /** The name that people gave it last; null for none. */
  vanity: string | null;
}

/** A code, without its project, as the answer that also tells its history has it. */
export interface ReferralCodeDetail {
  /** All its names, the last one first. Each works wherever the code does. */
  aliases: string[];
  /** Eight upper-case letters and digits. */
  code: string;
  /** When it was made. */
  createdAt: string;
  /** The customer who shares it. */
  customerId: string;
  /** Whether it can be applied. */
  isActive: boolean;
  /** The name that people gave it last; null for none. */
  vanity: string | null;
}

/** A referral code, and what it has brought. */
export interface ReferralCodeWithFigures extends ReferralCode {
  /** How often it was applied. */
  applied: number;
  /** How often its links were followed, as far as people can be told from programs. */
  clicks: number;
  /** How many of these referrals converted. */
  converted: number;
}

/** The referral program of a project. */
export interface ReferralConfig extends ReferralSettings {
  /** How much may be out in the currency, in minor units: granted and not taken back. Null for no limit. */
  budget: number | null;
  /** ISO 4217 code in lower case. */
  currency: string;
  /** Whether codes can be applied. */
  enabled: boolean;
  /** How many conversions pay a referrer. */
  maxConversionsPerReferrer: ConversionCaps;
  /** The project. */
  projectId: string;
  /** Credit of the referee at conversion, in minor units. */
  refereeCreditAmount: number;
  /** Credit of the referrer at conversion, in minor units. */
  referrerCreditAmount: number;
}

/** Something that happened to a referral. */
export interface ReferralEvent {
  /** Who did it: `api_key:…`, `user:…`, `stripe:…`, `command_line` or `system`. */
  actor: string;
  /** When it happened. */
  createdAt: string;
  /**
   * Details: ids, amounts, times, Stripe's event as `stripeEventId`, and for `referral.not_converted` the `reason`.
   */
  facts: Record<string, unknown>;
  /** Its id: ours, not that of an event of Stripe. */
  id: string;
  /** The `X-Request-Id` of the request it happened in. */
  requestId: string;
  /** The id of what changed. */
  subject: string;
  /**
   * `referral.applied`, `.converted`, `.not_converted` or `.expired`; `credit.granted`, `.released`, `.reversed` or
   * `.settled`.
   */
  type: string;
}

/** A page of a referral's story. */
export interface ReferralEventsAnswer {
  /** In the order in which they happened. */
  events: ReferralEvent[];
  /** Present when there is more. */
  nextCursor?: string;
}

/**
 * Why a referral is where it is, in words. They name nobody, and may improve; programs go by `status` and the
 * events.
 */
export interface ReferralExplanation {
  /** What must still happen, a sentence each; empty when nothing must. */
  next: string[];
  /** Why: one sentence or more. */
  why: string;
}

/** A referral in the history of its code. */
export interface ReferralOfCode {
  /** When it converted. */
  convertedAt: string | null;
  /** When the code was applied. */
  createdAt: string;
  /** Its id. */
  id: string;
  /** The customer who applied the code. */
  refereeCustomerId: string;
  /** How far it has come. */
  status: ReferralStatus;
}

/** How referrals convert, and how credits reach customers and come back. */
export interface ReferralSettings {
  /** Until when a refund or a dispute takes credits back. */
  clawback: Clawback;
  /** What may be taken back of what is in the customer's balance in Stripe. */
  clawbackApplied: ClawbackApplied;
  /** For how many days they do so with `always`. */
  clawbackWindowDays: number;
  /** What converts a referral. */
  conversionTrigger: ConversionTrigger;
  /** How credits reach the customer. */
  creditDelivery: CreditDelivery;
  /** What a customer reads beside a credit in Stripe. */
  creditDescription: string;
  /** Whether a subscription in its trial does not convert yet. */
  excludeTrials: boolean;
  /** For how many days after a conversion its credits are held. */
  holdDays: number;
  /** How much the invoice that converts must have brought, in minor units. */
  minimumPaidAmount: number;
  /** After how many days a pending referral is closed; null for never. */
  referralExpiryDays: number | null;
}

/** What decided to whom a referral is owed. */
export type ReferralSource = "code" | "click" | (string & {});

/** How far a referral has come. */
export type ReferralStatus = "pending" | "converted" | "expired" | (string & {});

/** What was promised when the code was applied; later changes of the program do not touch it. */
export interface ReferralTerms extends ReferralSettings {
  /** ISO 4217 code in lower case. */
  currency: string;
  /** Credit of the referee, in minor units. */
  refereeCreditAmount: number;
  /** Credit of the referrer, in minor units. */
  referrerCreditAmount: number;
}

/** A page of referrals. */
export interface ReferralsAnswer {
  /** Present when there is more. */
  nextCursor?: string;
  /** The newest first. */
  referrals: Referral[];
}

/** Why a call was refused. Refusals that show what is in the way have a schema of their own. */
export interface RefusalBody {
  /** A sentence for a person. */
  error: string;
  /** The one field at fault, when there is one. */
  field?: string;
  /** Stable, for programs. */
  reason: "invalid_request" | "invalid_json" | "unknown_parameter" | "unknown_member" | "use_cursor" | "vanity_not_allowed" | "invalid_click_token" | "invalid_signature" | "not_an_event" | "weak_password" | "webhook_address_not_allowed" | "stripe_key_invalid" | "unauthenticated" | "invalid_api_key" | "api_key_expired" | "api_key_revoked" | "session_expired" | "invalid_portal_token" | "invalid_credentials" | "forbidden" | "insufficient_scope" | "cross_site_request" | "session_required" | "not_a_test_project" | "invalid_token" | "not_found" | "customer_not_found" | "code_not_found" | "referral_not_found" | "credit_not_found" | "event_not_found" | "method_not_allowed" | "request_timeout" | "payload_too_large" | "unsupported_media_type" | "external_id_taken" | "referrals_disabled" | "vanity_taken" | "click_expired" | "code_inactive" | "self_referral" | "reciprocal_referral" | "not_a_new_customer" | "last_owner" | "user_exists" | "already_member" | "already_set_up" | "idempotency_key_in_use" | "customer_being_created" | "too_many_endpoints" | "stripe_not_connected" | "stripe_key_required" | "illegal_transition" | "amount_exceeds_credit" | "delivery_under_way" | "payload_gone" | "idempotency_key_reused" | "rate_limited" | "too_many_requests" | "too_many_misses" | "too_many_renames" | "too_many_sign_ins" | "internal" | "stripe_refused" | "stripe_unavailable" | "overloaded" | "database_unavailable" | "wrong_secret_key" | "shutting_down" | "outcome_unknown";
}

/** How much to release, and why. */
export interface ReleaseCreditRequest {
  /** How much, in minor units; all that is held when left out. */
  amount?: number | null;
  /** Why; no personal data, it is kept for ever. */
  reason: string;
}

/** What the code shall be called. */
export interface RenameCodeRequest {
  /** The name: 3 to 24 letters, digits, hyphens and underscores. */
  vanity: string;
}

/** How much to take back, and why. */
export interface ReverseCreditRequest {
  /** How much, in minor units; all that is there when left out. */
  amount?: number | null;
  /** Why; no personal data, it is kept for ever. */
  reason: string;
}

/** How much was paid, and why. */
export interface SettleCreditRequest {
  /** How much, in minor units; all that is there when left out. */
  amount?: number | null;
  /** Why; no personal data, it is kept for ever. */
  reason: string;
  /** What the payment is called elsewhere, such as the number of a transfer. */
  reference?: string | null;
}

/** The account of a customer. */
export interface StatementAnswer {
  /** The customer. */
  customerId: string;
  /** By currency. */
  statements: CreditStatement[];
}

/** A movement of a customer's credits. */
export interface StatementLine {
  /** By how much it changed what the customer is owed: 0 where it only went from one place to another. */
  amount: number;
  /** What the customer is owed after it. */
  balance: number;
  /** What kind of thing caused it. */
  cause: PostingCause;
  /** Which one: the id of the Stripe event, the actor, or the name of the job. */
  causeId: string;
  /** When it was booked. */
  createdAt: string;
  /** The credit. */
  creditId: string;
  /**
   * What it can be looked up by: an invoice, a charge, a refund, a line of the balance in Stripe, an event of
   * Stripe, or what a payment is called elsewhere.
   */
  document: string | null;
  /** When what it tells of happened. */
  effectiveAt: string;
  /** The account from which it was taken. */
  from: CreditAccount;
  /** How much, in minor units. */
  moved: number;
  /** Why, when a person moved it. */
  reason: string | null;
  /** The account to which it went. */
  to: CreditAccount;
}

/** What to change; a member left out stays as it is, `null` clears it. */
export interface UpdateCustomerRequest {
  /** New e-mail address. */
  email?: EmailText;
  /** New id of the team's own. */
  externalId?: string | null;
  /** New metadata, replacing the old as a whole, in at most 32,768 bytes of JSON; `null` empties it. */
  metadata?: Record<string, unknown> | null;
  /** New display name. */
  name?: string | null;
  /** New id in Stripe. Events kept for it are looked at again. */
  stripeCustomerId?: string | null;
}

/** Little or nothing of a program's budget is left. */
export interface WebhookBudget {
  /** The budget. */
  budget: WebhookBudgetItself;
}

/** A budget, as the event left it. */
export interface WebhookBudgetItself {
  /** How much may be out, in minor units. */
  amount: number;
  /** ISO 4217 code in lower case. */
  currency: string;
  /** How much was out. */
  out: number;
}

/** A code was made or renamed, or can no longer be applied. */
export interface WebhookCode {
  /** The code. */
  code: WebhookCodeItself;
  /** Who owns it. */
  customer: WebhookCustomer;
}

/** A code, as the event left it. */
export interface WebhookCodeItself {
  /** All its names, the last one first, as they are when this is sent. */
  aliases: string[];
  /** Eight upper-case letters and digits. */
  code: string;
  /** When it was made. */
  createdAt: string;
  /** Who owns it. */
  customerId: string;
  /** Whether it can be applied. */
  isActive: boolean;
  /** The name that people gave it last, as it is when this is sent; null for none, and once its owner was erased. */
  vanity: string | null;
}

/** What in Stripe converted a referral. */
export interface WebhookConvertedBy {
  /** Its event; `asked_…` where Stripe told of it when it was asked. */
  eventId: string;
  /** The type of that event. */
  eventType: string;
  /** The subscription, or the checkout session that names none. */
  subscriptionId: string | null;
}

/** A credit, as the event left it. */
export interface WebhookCredit {
  /** How much, in minor units. It never changes. */
  amount: number;
  /** What had become of the amount. */
  amounts: CreditAmounts;
  /** When it was granted. */
  createdAt: string;
  /** ISO 4217 code in lower case. */
  currency: string;
  /** Who has it. */
  customerId: string;
  /** When its hold ends or would have ended. */
  heldUntil: string | null;
  /** Its id. */
  id: string;
  /** What it was given for. */
  kind: CreditKind;
  /** The referral that earned it; null for one of another kind. */
  referralId: string | null;
  side: CreditSide | null;
  /** How far it had come. */
  status: CreditStatus;
}

/** Something was decided about the delivery of a credit to Stripe. */
export interface WebhookCreditDelivery {
  /** The credit. */
  credit: WebhookCredit;
  /** Who has it. */
  customer: WebhookCustomer;
  /** Why: one of the reasons of `needs_attention`, or what a person said. */
  reason: string;
}

/** Not all that somebody wanted to take back of a balance at Stripe was there. */
export interface WebhookCreditFellShort {
  /** The credit. */
  credit: WebhookCredit;
  /** Who has it. */
  customer: WebhookCustomer;
  /** How much had been used before. */
  missing: WebhookMoney;
  /** What they gave as their reason. */
  reason: string | null;
}

/** A credit was made: the customer's at once, or later. */
export interface WebhookCreditMade {
  /** The credit. */
  credit: WebhookCredit;
  /** Who has it. */
  customer: WebhookCustomer;
  /** Why it was given, when a person says so. */
  reason: string | null;
}

/** Some of a credit, or all of it, went from one part to another. */
export interface WebhookCreditMoved {
  /** The credit, with its parts afterwards. */
  credit: WebhookCredit;
  /** Who has it. */
  customer: WebhookCustomer;
  /** How much of it. */
  moved: WebhookMoney;
  /** Why: what a person said, or `payment_lost`. */
  reason: string | null;
  /** What the payment is called elsewhere, when a person said so. */
  reference: string | null;
  stripe: WebhookStripeObject | null;
}

/** A side of a conversion got no credit, because the program gives no more. */
export interface WebhookCreditWithheld extends WebhookReferralAndBoth {
  /** What it was promised, in minor units. */
  amount: number;
  /** ISO 4217 code in lower case. */
  currency: string;
  /** `cap_reached` or `budget_exhausted`. */
  reason: string;
  /** Which side. */
  side: CreditSide;
}

/** Somebody whom a webhook is about. Ids alone: no name and no address. */
export interface WebhookCustomer {
  /** What you call them, as it is when this is sent; null once they have been erased. */
  externalId: string | null;
  /** Their id here. */
  id: string;
}

/** A customer was created. */
export interface WebhookCustomerCreated {
  /** The customer. */
  customer: WebhookCustomer;
  stripe: WebhookLink | null;
}

/** A customer's personal data were erased. */
export interface WebhookCustomerErased {
  /** The customer. */
  customer: WebhookCustomer;
}

/** It became known who a customer is in Stripe. */
export interface WebhookCustomerLinked {
  /** The names of other members that were changed with it. */
  changed: string[];
  /** The customer. */
  customer: WebhookCustomer;
  /** Who they are in Stripe. */
  stripe: WebhookLink;
}

/** Members of a customer were changed. */
export interface WebhookCustomerUpdated {
  /** The names of the members; read the customer for what they are now. */
  changed: string[];
  /** The customer. */
  customer: WebhookCustomer;
}

/** Another endpoint of the project is sent nothing any more. */
export interface WebhookEndpointDisabled {
  /** The endpoint. */
  endpoint: WebhookEndpointNamed;
  /** Why: `gone`, `failures` or `by_hand`. */
  reason: string;
}

/** Another endpoint of the project has taken nothing for a day. */
export interface WebhookEndpointFailing {
  /** The endpoint. */
  endpoint: WebhookEndpointNamed;
  /** When it took something last; null if it never did. */
  lastSuccessAt: string | null;
}

/** An endpoint by its id. */
export interface WebhookEndpointNamed {
  /** Its id. */
  id: string;
}

/** Who somebody is in Stripe. */
export interface WebhookLink {
  /** The customer or account in Stripe. */
  customerId: string;
  /** The one they were linked to before. */
  insteadOf: string | null;
}

/** What in Stripe was looked at for a referral. */
export interface WebhookLookedAt {
  /** Its event; `asked_…` where Stripe told of it when it was asked. */
  eventId: string;
  /** The type of that event. */
  eventType: string;
  /** The subscription, session or invoice it tells of. */
  objectId: string;
}

/** An amount. */
export interface WebhookMoney {
  /** In minor units. */
  amount: number;
  /** ISO 4217 code in lower case. */
  currency: string;
}

/** Nothing has happened: somebody tries an endpoint. */
export interface WebhookPing {
}

/** A program was changed. */
export interface WebhookProgram {
  /** The program, as the event left it. */
  config: ReferralConfig;
}

/** What both sides were promised. */
export interface WebhookPromise {
  /** ISO 4217 code in lower case. */
  currency: string;
  /** Credit of the referee, in minor units. */
  refereeCreditAmount: number;
  /** Credit of the referrer, in minor units. */
  referrerCreditAmount: number;
}

/** A referral, as the event left it. */
export interface WebhookReferral {
  /** The code that was applied. */
  code: string;
  /** When it converted: the time of the Stripe event, never before `createdAt`. */
  convertedAt: string | null;
  /** When the code was applied. */
  createdAt: string;
  /** Its id. */
  id: string;
  /** The customer who applied it. */
  refereeCustomerId: string;
  /** The customer who owns the code. */
  referrerCustomerId: string;
  /** How far it had come. */
  status: ReferralStatus;
}

/** A referral and the two whom it is about. */
export interface WebhookReferralAndBoth {
  /** Who applied it. */
  referee: WebhookCustomer;
  /** The referral. */
  referral: WebhookReferral;
  /** Who owns the code. */
  referrer: WebhookCustomer;
}

/** A code was applied. */
export interface WebhookReferralApplied extends WebhookReferralAndBoth {
  /** What was promised. */
  terms: WebhookPromise;
}

/** A referral converted. */
export interface WebhookReferralConverted extends WebhookReferralAndBoth {
  /** What in Stripe converted it. */
  stripe: WebhookConvertedBy;
}

/** A referral was closed without a conversion. */
export interface WebhookReferralExpired extends WebhookReferralAndBoth {
  /** The customer it was closed for. */
  customerId: string;
  /** Why, as in the story of the referral. */
  reason: string;
}

/** An event of Stripe concerned a referral and did not convert it. */
export interface WebhookReferralNotConverted extends WebhookReferralAndBoth {
  /** Why, as in the story of the referral. */
  reason: string;
  /** What in Stripe was looked at. */
  stripe: WebhookLookedAt;
}

/** What in Stripe told of something. */
export interface WebhookStripeObject {
  /** A charge, a refund, a dispute, a credit note, an invoice or a subscription. */
  objectId: string | null;
  /** The line of the customer's balance. */
  transactionId: string | null;
}
