"""The words and shapes of the API. Made from openapi.json by clients/generate.py; change nothing here."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Reason = Literal[
    "active_code_exists", "already_member", "already_referred", "already_set_up", "amount_exceeds_credit",
    "api_key_expired", "api_key_revoked", "click_expired", "code_inactive", "code_not_found", "credit_not_found",
    "cross_site_request", "customer_being_created", "customer_exists", "customer_not_found", "database_unavailable",
    "delivery_under_way", "event_not_found", "external_id_taken", "forbidden", "idempotency_key_in_use",
    "idempotency_key_reused", "illegal_transition", "insufficient_scope", "internal", "invalid_api_key",
    "invalid_click_token", "invalid_credentials", "invalid_json", "invalid_portal_token", "invalid_request",
    "invalid_signature", "invalid_token", "last_owner", "method_not_allowed", "not_a_new_customer",
    "not_a_test_project", "not_an_event", "not_found", "outcome_unknown", "overloaded", "payload_gone",
    "payload_too_large", "rate_limited", "reciprocal_referral", "referral_not_found", "referrals_disabled",
    "request_timeout", "self_referral", "session_expired", "session_required", "shutting_down", "stripe_key_invalid",
    "stripe_key_required", "stripe_not_connected", "stripe_refused", "stripe_unavailable", "too_many_endpoints",
    "too_many_misses", "too_many_renames", "too_many_requests", "too_many_sign_ins", "unauthenticated",
    "unknown_member", "unknown_parameter", "unsupported_media_type", "use_cursor", "user_exists",
    "vanity_not_allowed", "vanity_taken", "weak_password", "webhook_address_not_allowed", "wrong_secret_key"
]


# Until when a refund or a dispute takes credits back.
Clawback = Literal["none", "within_hold", "always"] | str


# What may be taken back of what is in the customer's balance in Stripe.
ClawbackApplied = Literal["unused_only", "always"] | str


# What converts a referral.
ConversionTrigger = Literal["subscription_created", "first_paid_invoice"] | str


# An account of a credit.
CreditAccount = Literal["program", "held", "customer", "stripe", "applied", "settled", "shortfall", "memo"] | str


# How credits reach the customer.
CreditDelivery = Literal["ledger", "stripe_balance"] | str


# Why a delivery needs attention.
CreditDeliveryReason = (
    Literal[
        "no_stripe_customer", "customer_deleted", "customer_unknown", "currency_unset", "currency_mismatch",
        "stripe_refused", "possible_duplicate", "amount_differs", "history_unclear", "key_conflict",
        "stripe_unreachable"
    ]
    | str
)


# How far the delivery of a credit has come.
CreditDeliveryState = (
    Literal[
        "none", "waiting", "queued", "in_flight", "unknown", "delivered", "needs_attention"
    ]
    | str
)


# What a credit was given for.
CreditKind = Literal["referral", "manual"] | str


# Which side of a referral.
CreditSide = Literal["referrer", "referee"] | str


# How far a credit has come.
CreditStatus = Literal["granted", "held", "applied", "partially_reversed", "reversed"] | str


# An e-mail address; white space and invisible characters around it, `mailto:`, case and a dot at its end do not
# matter.
EmailText = str


# Any JSON without NUL in a text or name, nested to 32 levels at most.
JsonValue = Any


# What kind of thing moved money.
PostingCause = Literal["event", "user", "job"] | str


# What decided to whom a referral is owed.
ReferralSource = Literal["code", "click"] | str


# How far a referral has come.
ReferralStatus = Literal["pending", "converted", "expired"] | str


class ActiveCodeExistsError(TypedDict):
    """The customer has an active code already."""

    #: What is in the way.
    code: ReferralCode
    #: A sentence for a person.
    error: str
    #: Stable, for programs.
    reason: Literal['active_code_exists']


class AlreadyReferredError(TypedDict):
    """The customer has been referred already."""

    #: A sentence for a person.
    error: str
    #: Stable, for programs.
    reason: Literal['already_referred']
    #: What is in the way.
    referral: Referral


class _ApplyCodeRequest(TypedDict):
    #: The new customer.
    refereeCustomerId: str


class ApplyCodeRequest(_ApplyCodeRequest, total=False):
    """Who applies which code."""

    #: What a share link left with the visitor: `ref_click` of the landing page. It counts where there is no code;
    #: with one it never refuses anything.
    clickToken: str | None
    #: The code or a name of it, as it was typed or pasted; case, and what is no letter or digit, do not matter.
    #: Where there is none, `clickToken` is needed.
    code: str | None


class BalancesAnswer(TypedDict):
    """What a customer has."""

    #: One per currency.
    balances: list[CreditBalance]


class CodeAnswer(TypedDict):
    """A code as the one resource of an answer."""

    #: The code.
    code: ReferralCode


class _CodesAnswer(TypedDict):
    #: The newest first, or in the order that was asked for.
    codes: list[ReferralCodeWithFigures]


class CodesAnswer(_CodesAnswer, total=False):
    """A page of codes."""

    #: Present when there is more.
    nextCursor: str


class ConfigAnswer(TypedDict):
    """The program as the one resource of an answer."""

    #: The program.
    config: ReferralConfig


class ConversionCaps(TypedDict):
    """How many conversions pay a referrer."""

    #: In a month of UTC; null for no limit.
    perMonth: int | None
    #: In all; null for no limit.
    total: int | None


class _CreateCodeRequest(TypedDict):
    #: The customer who will be the referrer.
    customerId: str


class CreateCodeRequest(_CreateCodeRequest, total=False):
    """Whose code to make."""

    #: A name for the code: 3 to 24 letters, digits, hyphens and underscores. It works wherever the code does.
    vanity: str


class CreateCreditRequest(TypedDict):
    """What to give to whom."""

    #: How much, in minor units, in the steps in which Stripe bills the currency.
    amount: int
    #: ISO 4217 code of a currency that Stripe bills in.
    currency: str
    #: The customer who shall have it.
    customerId: str
    #: Why; no personal data, it is kept for ever.
    reason: str


class _CreateCustomerRequest(TypedDict):
    #: E-mail address; unique in the project after trimming and without regard to case.
    email: EmailText


class CreateCustomerRequest(_CreateCustomerRequest, total=False):
    """A new customer."""

    #: The team's own id for this customer; unique in the project.
    externalId: str | None
    #: What the team keeps with the customer, in at most 32,768 bytes of JSON; empty unless given.
    metadata: dict[str, Any] | None
    #: Display name.
    name: str | None
    #: The customer or account in Stripe, when it is known; Stripe is then not asked. Events that came for it and
    #: found nobody are looked at again.
    stripeCustomerId: str | None


class CreatePortalSessionRequest(TypedDict, total=False):
    """What the session shall be."""

    #: For how many seconds it lasts.
    expiresInSeconds: int | None
    #: The language of the page: `en`, `de`, `fr`, `es` or `pt`. Left out, the browser says.
    locale: str | None
    #: Whether it may change nothing; then `referrals:read` suffices.
    readOnly: bool | None


class Credit(TypedDict):
    """Money given to a customer."""

    #: How much, in minor units.
    amount: int
    #: What became of the amount.
    amounts: CreditAmounts
    #: When it was granted.
    createdAt: str
    #: ISO 4217 code in lower case.
    currency: str
    #: Who has it.
    customerId: str
    #: How it reaches the customer's balance in Stripe.
    delivery: CreditDeliveryProgress
    #: When its hold ends or would have ended.
    heldUntil: str | None
    #: Its id.
    id: str
    #: What it was given for.
    kind: CreditKind
    #: The referral that earned it; null for one of another kind.
    referralId: str | None
    side: CreditSide | None
    #: How far it has come.
    status: CreditStatus


class CreditAmounts(TypedDict):
    """What became of a credit, in minor units. The parts sum to its amount, the shortfall apart."""

    #: Used for an invoice of Stripe.
    applied: int
    #: The customer's, in our books.
    available: int
    #: In the customer's balance in Stripe, and not used yet.
    delivered: int
    #: Earned, but held.
    held: int
    #: Taken back.
    reversed: int
    #: Paid to the customer.
    settled: int
    #: What should have been taken back and could not be, because it was used. It is among the other parts.
    shortfall: int


class CreditAnswer(TypedDict):
    """A credit as the one resource of an answer."""

    #: The credit.
    credit: Credit


class CreditBalance(TypedDict):
    """What a customer has in one currency."""

    #: The sum in minor units.
    amount: int
    #: ISO 4217 code in lower case.
    currency: str


class CreditDeliveryProgress(TypedDict):
    """How a credit reaches the balance that its customer has in Stripe."""

    #: How many times Stripe was told.
    attempts: int
    #: What Stripe said when it refused.
    message: str | None
    #: When it goes on by itself; null when it is over or needs attention.
    nextAttemptAt: str | None
    reason: CreditDeliveryReason | None
    #: How far it has come.
    state: CreditDeliveryState
    #: Whose balance it is put into; null before that is known.
    stripeCustomerId: str | None
    #: The line of the balance, once it is there.
    transactionId: str | None


class CreditStatement(TypedDict):
    """The account of a customer in one currency."""

    #: Owed at the end.
    closing: int
    #: ISO 4217 code in lower case.
    currency: str
    #: Whether there are more; ask for a shorter time then.
    isCut: bool
    #: Every movement, in the order of booking: 10,000 at most.
    lines: list[StatementLine]
    #: Owed at the beginning, in minor units.
    opening: int


class _CreditsAnswer(TypedDict):
    #: The newest first.
    credits: list[Credit]


class CreditsAnswer(_CreditsAnswer, total=False):
    """A page of credits."""

    #: Present when there is more.
    nextCursor: str


class Customer(TypedDict):
    """A customer of a project."""

    #: When it was created here.
    createdAt: str
    #: E-mail address, trimmed and in lower case; unique in the project.
    email: str
    #: The team's own id for this customer; unique in the project.
    externalId: str | None
    #: Its id.
    id: str
    #: What the team keeps with the customer.
    metadata: dict[str, Any]
    #: Display name.
    name: str | None
    #: The project.
    projectId: str
    #: The customer or account in Stripe.
    stripeCustomerId: str | None
    #: When it was last changed.
    updatedAt: str


class CustomerAnswer(TypedDict):
    """A customer as the one resource of an answer."""

    #: The customer.
    customer: Customer


class CustomerExistsError(TypedDict):
    """A customer with this e-mail address exists already."""

    #: What is in the way.
    customer: Customer
    #: A sentence for a person.
    error: str
    #: Stable, for programs.
    reason: Literal['customer_exists']


class _CustomersAnswer(TypedDict):
    #: The newest first.
    customers: list[Customer]


class CustomersAnswer(_CustomersAnswer, total=False):
    """A page of customers."""

    #: Present when there is more.
    nextCursor: str


class DeactivateCodeAnswer(TypedDict):
    """What became of the code."""

    #: The code.
    code: DeactivatedReferralCode


class DeactivatedReferralCode(TypedDict):
    """Whether a code can be applied."""

    #: The code.
    code: str
    #: Always false: it has been switched off.
    isActive: bool


class DeleteCustomerAnswer(TypedDict):
    """What was erased."""

    #: The customer.
    customer: DeletedCustomer


class DeletedCustomer(TypedDict):
    """The customer that is no more."""

    #: Always true.
    deleted: bool
    #: Its id.
    id: str


class EventBudgetExhausted(TypedDict):
    """Nothing is left of a budget, or not enough for a credit."""

    data: WebhookBudget
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['budget.exhausted']


class EventBudgetLow(TypedDict):
    """Four fifths of a budget are out."""

    data: WebhookBudget
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['budget.low']


class EventCodeCreated(TypedDict):
    """A customer got a code."""

    data: WebhookCode
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['code.created']


class EventCodeDeactivated(TypedDict):
    """A code can no longer be applied."""

    data: WebhookCode
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['code.deactivated']


class EventCodeRenamed(TypedDict):
    """A code got another name."""

    data: WebhookCode
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['code.renamed']


class _EventCreditApplied(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.applied']


class EventCreditApplied(_EventCreditApplied, total=False):
    """An invoice used of a credit what was in the balance at Stripe."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditDelivered(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.delivered']


class EventCreditDelivered(_EventCreditDelivered, total=False):
    """A credit was put into the customer's balance at Stripe."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditDeliveryFellShort(TypedDict):
    data: WebhookCreditFellShort
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.delivery_fell_short']


class EventCreditDeliveryFellShort(_EventCreditDeliveryFellShort, total=False):
    """Not all that somebody wanted to take back of a balance at Stripe was there."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditDeliveryRequested(TypedDict):
    data: WebhookCreditDelivery
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.delivery_requested']


class EventCreditDeliveryRequested(_EventCreditDeliveryRequested, total=False):
    """Somebody decided that a credit is put into a balance at Stripe."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditDeliveryRetried(TypedDict):
    data: WebhookCreditDelivery
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.delivery_retried']


class EventCreditDeliveryRetried(_EventCreditDeliveryRetried, total=False):
    """Somebody decided that the delivery of a credit goes on."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditGranted(TypedDict):
    data: WebhookCreditMade
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.granted']


class EventCreditGranted(_EventCreditGranted, total=False):
    """A credit was made, and is the customer's at once."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditHeld(TypedDict):
    data: WebhookCreditMade
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.held']


class EventCreditHeld(_EventCreditHeld, total=False):
    """A credit was made, and becomes the customer's later."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditNeedsAttention(TypedDict):
    data: WebhookCreditDelivery
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.needs_attention']


class EventCreditNeedsAttention(_EventCreditNeedsAttention, total=False):
    """The delivery of a credit waits for a person."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditPutBack(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.put_back']


class EventCreditPutBack(_EventCreditPutBack, total=False):
    """What was taken back of a credit had been used meanwhile."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditReleased(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.released']


class EventCreditReleased(_EventCreditReleased, total=False):
    """What was held of a credit became the customer's."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditRestored(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.restored']


class EventCreditRestored(_EventCreditRestored, total=False):
    """What had been taken back of a credit was given again."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditReversed(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.reversed']


class EventCreditReversed(_EventCreditReversed, total=False):
    """A credit was taken back, in whole or in part."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditSettled(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.settled']


class EventCreditSettled(_EventCreditSettled, total=False):
    """A credit was paid to the customer, in whole or in part."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditShortfall(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.shortfall']


class EventCreditShortfall(_EventCreditShortfall, total=False):
    """A credit should have been taken back, and could not be any more."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditShortfallCanceled(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.shortfall_canceled']


class EventCreditShortfallCanceled(_EventCreditShortfallCanceled, total=False):
    """What could not be taken back of a credit need not be any more."""

    #: Its number in the story of its referral.
    sequence: int


class _EventCreditUnapplied(TypedDict):
    data: WebhookCreditMoved
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['credit.unapplied']


class EventCreditUnapplied(_EventCreditUnapplied, total=False):
    """What an invoice had used of a credit came back into the balance."""

    #: Its number in the story of its referral.
    sequence: int


class EventCustomerCreated(TypedDict):
    """A customer was created."""

    data: WebhookCustomerCreated
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['customer.created']


class EventCustomerErased(TypedDict):
    """A customer's personal data were erased."""

    data: WebhookCustomerErased
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['customer.erased']


class EventCustomerLinked(TypedDict):
    """It became known which customer in Stripe this one is."""

    data: WebhookCustomerLinked
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['customer.linked']


class EventCustomerUpdated(TypedDict):
    """Other members of a customer were changed."""

    data: WebhookCustomerUpdated
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['customer.updated']


class EventPing(TypedDict):
    """Nothing has happened: somebody tries the endpoint."""

    data: WebhookPing
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['ping']


class EventProgramUpdated(TypedDict):
    """The program was changed."""

    data: WebhookProgram
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['program.updated']


class _EventReferralApplied(TypedDict):
    data: WebhookReferralApplied
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['referral.applied']


class EventReferralApplied(_EventReferralApplied, total=False):
    """A code was applied: a referral begins."""

    #: Its number in the story of its referral.
    sequence: int


class _EventReferralConverted(TypedDict):
    data: WebhookReferralConverted
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['referral.converted']


class EventReferralConverted(_EventReferralConverted, total=False):
    """A referral converted."""

    #: Its number in the story of its referral.
    sequence: int


class _EventReferralCreditWithheld(TypedDict):
    data: WebhookCreditWithheld
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['referral.credit_withheld']


class EventReferralCreditWithheld(_EventReferralCreditWithheld, total=False):
    """A side of a conversion got no credit, because the program gives no more."""

    #: Its number in the story of its referral.
    sequence: int


class _EventReferralExpired(TypedDict):
    data: WebhookReferralExpired
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['referral.expired']


class EventReferralExpired(_EventReferralExpired, total=False):
    """A referral was closed without a conversion."""

    #: Its number in the story of its referral.
    sequence: int


class _EventReferralNotConverted(TypedDict):
    data: WebhookReferralNotConverted
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['referral.not_converted']


class EventReferralNotConverted(_EventReferralNotConverted, total=False):
    """An event of Stripe was looked at for a referral and did not convert it."""

    #: Its number in the story of its referral.
    sequence: int


class EventWebhookEndpointDisabled(TypedDict):
    """Another endpoint of the project is sent nothing any more."""

    data: WebhookEndpointDisabled
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['webhook_endpoint.disabled']


class EventWebhookEndpointFailing(TypedDict):
    """Another endpoint of the project has taken nothing for a day."""

    data: WebhookEndpointFailing
    #: Its id. It is the same however often it is sent, and to whom.
    id: str
    #: The project.
    projectId: str
    #: The team.
    teamId: str
    #: When it happened, by the clock of the project.
    timestamp: str
    #: What happened.
    type: Literal['webhook_endpoint.failing']


class _EventsAnswer(TypedDict):
    #: In the order of the log, each as its webhook tells it.
    events: list[Event]


class EventsAnswer(_EventsAnswer, total=False):
    """Events of a project."""

    #: Present when there is more: the `after` of the next page.
    nextCursor: str


class ExplainedReferralAnswer(TypedDict):
    """A referral with its explanation, as the one resource of an answer."""

    #: The referral.
    referral: ExplainedReferral


class _GetCodeAnswer(TypedDict):
    #: The code.
    code: ReferralCodeDetail
    #: Its referrals, the oldest first.
    referrals: list[ReferralOfCode]


class GetCodeAnswer(_GetCodeAnswer, total=False):
    """A code and who applied it."""

    #: Present when there is more.
    nextCursor: str


# What `get_credit_statement` may be asked for.
GetCreditStatementQuery = TypedDict(
    "GetCreditStatementQuery",
    {
        "currency": "str",
        "from": "str",
        "to": "str",
    },
    total=False,
)


class LinkCard(TypedDict):
    """What chats show of a link."""

    #: Its picture, with https.
    imageUrl: str | None
    #: Its text.
    text: str | None
    #: Its title.
    title: str


class LinkSettings(TypedDict):
    """How the links of a project are set up."""

    card: LinkCard | None
    #: The parameter of the landing page that brings the click token.
    clickParameter: str
    #: The parameter of the landing page that brings the code.
    codeParameter: str
    #: Whether links bring their code along. While they do not, visitors are sent to the landing page without it.
    enabled: bool
    #: Where visitors are sent; null until somebody has said, and a link is a page that says so.
    landingUrl: str | None
    #: The hosts that `to` of a link may name besides that of the landing page.
    redirectHosts: list[str]
    #: What links look like. The first one is the shortest, and all lead to this project for ever.
    shareUrls: list[str]
    #: The short name of the project in its links.
    slug: str
    #: For how many days a click counts.
    windowDays: int


class LinkSettingsAnswer(TypedDict):
    """The settings as the one resource of an answer."""

    #: The settings.
    settings: LinkSettings


# What `list_codes` may be asked for.
ListCodesQuery = TypedDict(
    "ListCodesQuery",
    {
        "activeOnly": "bool",
        "customerId": "str",
        "from": "str",
        "to": "str",
        "sort": "str",
    },
    total=False,
)


# What `list_credits` may be asked for.
ListCreditsQuery = TypedDict(
    "ListCreditsQuery",
    {
        "customerId": "str",
        "referralId": "str",
        "side": "str",
        "kind": "str",
        "currency": "str",
        "from": "str",
        "to": "str",
        "status": "str",
        "delivery": "str",
    },
    total=False,
)


class ListCustomersQuery(TypedDict, total=False):
    """What `list_customers` may be asked for."""

    #: Only with this e-mail address.
    email: str
    #: Only with this id of the team's own.
    externalId: str
    #: Only with this id in Stripe.
    stripeCustomerId: str


# What `list_referrals` may be asked for.
ListReferralsQuery = TypedDict(
    "ListReferralsQuery",
    {
        "status": "str",
        "customerId": "str",
        "referrerCustomerId": "str",
        "refereeCustomerId": "str",
        "code": "str",
        "source": "str",
        "from": "str",
        "to": "str",
        "sort": "str",
    },
    total=False,
)


class PortalSession(TypedDict):
    """A session of a customer."""

    #: When the session ends.
    expiresAt: str
    #: Shown to `…/api/portal/…` as a bearer token. It is kept nowhere.
    token: str
    #: Where the customer's browser is sent, on a click: it lets in once, within a minute. Not for mail.
    url: str


class PortalSessionAnswer(TypedDict):
    """The session as the one resource of an answer."""

    #: The session.
    portalSession: PortalSession


class _PutConfigRequest(TypedDict):
    #: Whether codes can be applied.
    enabled: bool
    #: Credit of the referee at conversion, in minor units, in the same steps.
    refereeCreditAmount: int
    #: Credit of the referrer at conversion, in minor units. For `isk` and `ugx` a multiple of 100, and of 10 for
    #: `bhd`, `jod`, `kwd`, `omr` and `tnd`: Stripe bills no other amounts.
    referrerCreditAmount: int


class PutConfigRequest(_PutConfigRequest, total=False):
    """What the program shall be."""

    #: How much may be out in the currency, in minor units: granted and not taken back. `null` for no limit.
    budget: int | None
    clawback: Clawback | None
    clawbackApplied: ClawbackApplied | None
    #: For how many days after the conversion they do so with `always`.
    clawbackWindowDays: int | None
    conversionTrigger: ConversionTrigger | None
    creditDelivery: CreditDelivery | None
    #: What a customer reads beside a credit in Stripe.
    creditDescription: str | None
    #: ISO 4217 code of a currency that Stripe bills in; `usd` if left out.
    currency: str | None
    #: Whether a subscription in its trial does not convert yet.
    excludeTrials: bool | None
    #: For how many days after a conversion its credits are held before they are the customers'. Left out, it stays
    #: as it is.
    holdDays: int | None
    maxConversionsPerReferrer: ConversionCaps | None
    #: How much the invoice that converts must have brought, with tax, in minor units.
    minimumPaidAmount: int | None
    #: After how many days a pending referral is closed; `null` for never.
    referralExpiryDays: int | None


class _PutLinkSettingsRequest(TypedDict):
    #: Whether links bring their code along.
    enabled: bool


class PutLinkSettingsRequest(_PutLinkSettingsRequest, total=False):
    """How links shall be set up."""

    card: LinkCard | None
    #: The one that brings the click token.
    clickParameter: str | None
    #: The parameter of the landing page that brings the code: letters, digits, `-` and `_`.
    codeParameter: str | None
    #: Where visitors are sent, with https; `http` only to this machine. Left out, it stays as it is, like all that
    #: follows.
    landingUrl: str | None
    #: The hosts that `to` of a link may name besides that of the landing page.
    redirectHosts: list[str] | None
    #: For how many days a click counts.
    windowDays: int | None


class Referral(TypedDict):
    """One person brought by another."""

    #: By what it came about.
    attribution: ReferralAttribution
    #: The code that was applied.
    code: str
    #: When it converted: the time of the Stripe event, never before `createdAt`.
    convertedAt: str | None
    #: When the code was applied.
    createdAt: str
    #: Its id.
    id: str
    #: The customer who applied it.
    refereeCustomerId: str
    #: The customer who owns the code.
    referrerCustomerId: str
    #: How far it has come.
    status: ReferralStatus
    #: What was promised.
    terms: ReferralTerms


class ReferralAnswer(TypedDict):
    """A referral as the one resource of an answer."""

    #: The referral.
    referral: Referral


class ReferralAttribution(TypedDict):
    """By what a referral came about."""

    #: By what way the share link had reached the customer: `link`, `qr`, `whatsapp` or `mail`; null where no click
    #: is known.
    channel: str | None
    #: When the link was followed; null where no click is known.
    clickedAt: str | None
    #: What decided.
    source: ReferralSource


class ReferralCode(TypedDict):
    """A referral code."""

    #: All its names, the last one first. Each works wherever the code does.
    aliases: list[str]
    #: Eight upper-case letters and digits.
    code: str
    #: When it was made.
    createdAt: str
    #: The customer who shares it.
    customerId: str
    #: Whether it can be applied.
    isActive: bool
    #: The project it belongs to.
    projectId: str
    #: The name that people gave it last; null for none.
    vanity: str | None


class ReferralCodeDetail(TypedDict):
    """A code, without its project, as the answer that also tells its history has it."""

    #: All its names, the last one first. Each works wherever the code does.
    aliases: list[str]
    #: Eight upper-case letters and digits.
    code: str
    #: When it was made.
    createdAt: str
    #: The customer who shares it.
    customerId: str
    #: Whether it can be applied.
    isActive: bool
    #: The name that people gave it last; null for none.
    vanity: str | None


class ReferralEvent(TypedDict):
    """Something that happened to a referral."""

    #: Who did it: `api_key:…`, `user:…`, `stripe:…`, `command_line` or `system`.
    actor: str
    #: When it happened.
    createdAt: str
    #: Details: ids, amounts, times, Stripe's event as `stripeEventId`, and for `referral.not_converted` the
    #: `reason`.
    facts: dict[str, Any]
    #: Its id: ours, not that of an event of Stripe.
    id: str
    #: The `X-Request-Id` of the request it happened in.
    requestId: str
    #: The id of what changed.
    subject: str
    #: `referral.applied`, `.converted`, `.not_converted` or `.expired`; `credit.granted`, `.released`, `.reversed`
    #: or `.settled`.
    type: str


class _ReferralEventsAnswer(TypedDict):
    #: In the order in which they happened.
    events: list[ReferralEvent]


class ReferralEventsAnswer(_ReferralEventsAnswer, total=False):
    """A page of a referral's story."""

    #: Present when there is more.
    nextCursor: str


class ReferralExplanation(TypedDict):
    """
    Why a referral is where it is, in words. They name nobody, and may improve; programs go by `status` and the
    events.
    """

    #: What must still happen, a sentence each; empty when nothing must.
    next: list[str]
    #: Why: one sentence or more.
    why: str


class ReferralOfCode(TypedDict):
    """A referral in the history of its code."""

    #: When it converted.
    convertedAt: str | None
    #: When the code was applied.
    createdAt: str
    #: Its id.
    id: str
    #: The customer who applied the code.
    refereeCustomerId: str
    #: How far it has come.
    status: ReferralStatus


class ReferralSettings(TypedDict):
    """How referrals convert, and how credits reach customers and come back."""

    #: Until when a refund or a dispute takes credits back.
    clawback: Clawback
    #: What may be taken back of what is in the customer's balance in Stripe.
    clawbackApplied: ClawbackApplied
    #: For how many days they do so with `always`.
    clawbackWindowDays: int
    #: What converts a referral.
    conversionTrigger: ConversionTrigger
    #: How credits reach the customer.
    creditDelivery: CreditDelivery
    #: What a customer reads beside a credit in Stripe.
    creditDescription: str
    #: Whether a subscription in its trial does not convert yet.
    excludeTrials: bool
    #: For how many days after a conversion its credits are held.
    holdDays: int
    #: How much the invoice that converts must have brought, in minor units.
    minimumPaidAmount: int
    #: After how many days a pending referral is closed; null for never.
    referralExpiryDays: int | None


class _ReferralsAnswer(TypedDict):
    #: The newest first.
    referrals: list[Referral]


class ReferralsAnswer(_ReferralsAnswer, total=False):
    """A page of referrals."""

    #: Present when there is more.
    nextCursor: str


class _RefusalBody(TypedDict):
    #: A sentence for a person.
    error: str
    #: Stable, for programs.
    reason: Reason


class RefusalBody(_RefusalBody, total=False):
    """Why a call was refused. Refusals that show what is in the way have a schema of their own."""

    #: The one field at fault, when there is one.
    field: str


class _ReleaseCreditRequest(TypedDict):
    #: Why; no personal data, it is kept for ever.
    reason: str


class ReleaseCreditRequest(_ReleaseCreditRequest, total=False):
    """How much to release, and why."""

    #: How much, in minor units; all that is held when left out.
    amount: int | None


class RenameCodeRequest(TypedDict):
    """What the code shall be called."""

    #: The name: 3 to 24 letters, digits, hyphens and underscores.
    vanity: str


class _ReverseCreditRequest(TypedDict):
    #: Why; no personal data, it is kept for ever.
    reason: str


class ReverseCreditRequest(_ReverseCreditRequest, total=False):
    """How much to take back, and why."""

    #: How much, in minor units; all that is there when left out.
    amount: int | None


class _SettleCreditRequest(TypedDict):
    #: Why; no personal data, it is kept for ever.
    reason: str


class SettleCreditRequest(_SettleCreditRequest, total=False):
    """How much was paid, and why."""

    #: How much, in minor units; all that is there when left out.
    amount: int | None
    #: What the payment is called elsewhere, such as the number of a transfer.
    reference: str | None


class StatementAnswer(TypedDict):
    """The account of a customer."""

    #: The customer.
    customerId: str
    #: By currency.
    statements: list[CreditStatement]


# A movement of a customer's credits.
StatementLine = TypedDict(
    "StatementLine",
    {
        "amount": "int",
        "balance": "int",
        "cause": "PostingCause",
        "causeId": "str",
        "createdAt": "str",
        "creditId": "str",
        "document": "str | None",
        "effectiveAt": "str",
        "from": "CreditAccount",
        "moved": "int",
        "reason": "str | None",
        "to": "CreditAccount",
    },
)


class UpdateCustomerRequest(TypedDict, total=False):
    """What to change; a member left out stays as it is, `null` clears it."""

    #: New e-mail address.
    email: EmailText
    #: New id of the team's own.
    externalId: str | None
    #: New metadata, replacing the old as a whole, in at most 32,768 bytes of JSON; `null` empties it.
    metadata: dict[str, Any] | None
    #: New display name.
    name: str | None
    #: New id in Stripe. Events kept for it are looked at again.
    stripeCustomerId: str | None


class WebhookBudget(TypedDict):
    """Little or nothing of a program's budget is left."""

    #: The budget.
    budget: WebhookBudgetItself


class WebhookBudgetItself(TypedDict):
    """A budget, as the event left it."""

    #: How much may be out, in minor units.
    amount: int
    #: ISO 4217 code in lower case.
    currency: str
    #: How much was out.
    out: int


class WebhookCode(TypedDict):
    """A code was made or renamed, or can no longer be applied."""

    #: The code.
    code: WebhookCodeItself
    #: Who owns it.
    customer: WebhookCustomer


class WebhookCodeItself(TypedDict):
    """A code, as the event left it."""

    #: All its names, the last one first, as they are when this is sent.
    aliases: list[str]
    #: Eight upper-case letters and digits.
    code: str
    #: When it was made.
    createdAt: str
    #: Who owns it.
    customerId: str
    #: Whether it can be applied.
    isActive: bool
    #: The name that people gave it last, as it is when this is sent; null for none, and once its owner was erased.
    vanity: str | None


class WebhookConvertedBy(TypedDict):
    """What in Stripe converted a referral."""

    #: Its event; `asked_…` where Stripe told of it when it was asked.
    eventId: str
    #: The type of that event.
    eventType: str
    #: The subscription, or the checkout session that names none.
    subscriptionId: str | None


class WebhookCredit(TypedDict):
    """A credit, as the event left it."""

    #: How much, in minor units. It never changes.
    amount: int
    #: What had become of the amount.
    amounts: CreditAmounts
    #: When it was granted.
    createdAt: str
    #: ISO 4217 code in lower case.
    currency: str
    #: Who has it.
    customerId: str
    #: When its hold ends or would have ended.
    heldUntil: str | None
    #: Its id.
    id: str
    #: What it was given for.
    kind: CreditKind
    #: The referral that earned it; null for one of another kind.
    referralId: str | None
    side: CreditSide | None
    #: How far it had come.
    status: CreditStatus


class WebhookCreditDelivery(TypedDict):
    """Something was decided about the delivery of a credit to Stripe."""

    #: The credit.
    credit: WebhookCredit
    #: Who has it.
    customer: WebhookCustomer
    #: Why: one of the reasons of `needs_attention`, or what a person said.
    reason: str


class WebhookCreditFellShort(TypedDict):
    """Not all that somebody wanted to take back of a balance at Stripe was there."""

    #: The credit.
    credit: WebhookCredit
    #: Who has it.
    customer: WebhookCustomer
    #: How much had been used before.
    missing: WebhookMoney
    #: What they gave as their reason.
    reason: str | None


class WebhookCreditMade(TypedDict):
    """A credit was made: the customer's at once, or later."""

    #: The credit.
    credit: WebhookCredit
    #: Who has it.
    customer: WebhookCustomer
    #: Why it was given, when a person says so.
    reason: str | None


class WebhookCreditMoved(TypedDict):
    """Some of a credit, or all of it, went from one part to another."""

    #: The credit, with its parts afterwards.
    credit: WebhookCredit
    #: Who has it.
    customer: WebhookCustomer
    #: How much of it.
    moved: WebhookMoney
    #: Why: what a person said, or `payment_lost`.
    reason: str | None
    #: What the payment is called elsewhere, when a person said so.
    reference: str | None
    stripe: WebhookStripeObject | None


class WebhookCustomer(TypedDict):
    """Somebody whom a webhook is about. Ids alone: no name and no address."""

    #: What you call them, as it is when this is sent; null once they have been erased.
    externalId: str | None
    #: Their id here.
    id: str


class WebhookCustomerCreated(TypedDict):
    """A customer was created."""

    #: The customer.
    customer: WebhookCustomer
    stripe: WebhookLink | None


class WebhookCustomerErased(TypedDict):
    """A customer's personal data were erased."""

    #: The customer.
    customer: WebhookCustomer


class WebhookCustomerLinked(TypedDict):
    """It became known who a customer is in Stripe."""

    #: The names of other members that were changed with it.
    changed: list[str]
    #: The customer.
    customer: WebhookCustomer
    #: Who they are in Stripe.
    stripe: WebhookLink


class WebhookCustomerUpdated(TypedDict):
    """Members of a customer were changed."""

    #: The names of the members; read the customer for what they are now.
    changed: list[str]
    #: The customer.
    customer: WebhookCustomer


class WebhookEndpointDisabled(TypedDict):
    """Another endpoint of the project is sent nothing any more."""

    #: The endpoint.
    endpoint: WebhookEndpointNamed
    #: Why: `gone`, `failures` or `by_hand`.
    reason: str


class WebhookEndpointFailing(TypedDict):
    """Another endpoint of the project has taken nothing for a day."""

    #: The endpoint.
    endpoint: WebhookEndpointNamed
    #: When it took something last; null if it never did.
    lastSuccessAt: str | None


class WebhookEndpointNamed(TypedDict):
    """An endpoint by its id."""

    #: Its id.
    id: str


class WebhookLink(TypedDict):
    """Who somebody is in Stripe."""

    #: The customer or account in Stripe.
    customerId: str
    #: The one they were linked to before.
    insteadOf: str | None


class WebhookLookedAt(TypedDict):
    """What in Stripe was looked at for a referral."""

    #: Its event; `asked_…` where Stripe told of it when it was asked.
    eventId: str
    #: The type of that event.
    eventType: str
    #: The subscription, session or invoice it tells of.
    objectId: str


class WebhookMoney(TypedDict):
    """An amount."""

    #: In minor units.
    amount: int
    #: ISO 4217 code in lower case.
    currency: str


class WebhookPing(TypedDict):
    """Nothing has happened: somebody tries an endpoint."""



class WebhookProgram(TypedDict):
    """A program was changed."""

    #: The program, as the event left it.
    config: ReferralConfig


class WebhookPromise(TypedDict):
    """What both sides were promised."""

    #: ISO 4217 code in lower case.
    currency: str
    #: Credit of the referee, in minor units.
    refereeCreditAmount: int
    #: Credit of the referrer, in minor units.
    referrerCreditAmount: int


class WebhookReferral(TypedDict):
    """A referral, as the event left it."""

    #: The code that was applied.
    code: str
    #: When it converted: the time of the Stripe event, never before `createdAt`.
    convertedAt: str | None
    #: When the code was applied.
    createdAt: str
    #: Its id.
    id: str
    #: The customer who applied it.
    refereeCustomerId: str
    #: The customer who owns the code.
    referrerCustomerId: str
    #: How far it had come.
    status: ReferralStatus


class WebhookReferralAndBoth(TypedDict):
    """A referral and the two whom it is about."""

    #: Who applied it.
    referee: WebhookCustomer
    #: The referral.
    referral: WebhookReferral
    #: Who owns the code.
    referrer: WebhookCustomer


class WebhookStripeObject(TypedDict):
    """What in Stripe told of something."""

    #: A charge, a refund, a dispute, a credit note, an invoice or a subscription.
    objectId: str | None
    #: The line of the customer's balance.
    transactionId: str | None


class ExplainedReferral(Referral):
    """A referral, and why it is where it is."""

    #: Why it is where it is, and what must still happen.
    explanation: ReferralExplanation


class ReferralCodeWithFigures(ReferralCode):
    """A referral code, and what it has brought."""

    #: How often it was applied.
    applied: int
    #: How often its links were followed, as far as people can be told from programs.
    clicks: int
    #: How many of these referrals converted.
    converted: int


class ReferralConfig(ReferralSettings):
    """The referral program of a project."""

    #: How much may be out in the currency, in minor units: granted and not taken back. Null for no limit.
    budget: int | None
    #: ISO 4217 code in lower case.
    currency: str
    #: Whether codes can be applied.
    enabled: bool
    #: How many conversions pay a referrer.
    maxConversionsPerReferrer: ConversionCaps
    #: The project.
    projectId: str
    #: Credit of the referee at conversion, in minor units.
    refereeCreditAmount: int
    #: Credit of the referrer at conversion, in minor units.
    referrerCreditAmount: int


class ReferralTerms(ReferralSettings):
    """What was promised when the code was applied; later changes of the program do not touch it."""

    #: ISO 4217 code in lower case.
    currency: str
    #: Credit of the referee, in minor units.
    refereeCreditAmount: int
    #: Credit of the referrer, in minor units.
    referrerCreditAmount: int


class WebhookCreditWithheld(WebhookReferralAndBoth):
    """A side of a conversion got no credit, because the program gives no more."""

    #: What it was promised, in minor units.
    amount: int
    #: ISO 4217 code in lower case.
    currency: str
    #: `cap_reached` or `budget_exhausted`.
    reason: str
    #: Which side.
    side: CreditSide


class WebhookReferralApplied(WebhookReferralAndBoth):
    """A code was applied."""

    #: What was promised.
    terms: WebhookPromise


class WebhookReferralConverted(WebhookReferralAndBoth):
    """A referral converted."""

    #: What in Stripe converted it.
    stripe: WebhookConvertedBy


class WebhookReferralExpired(WebhookReferralAndBoth):
    """A referral was closed without a conversion."""

    #: The customer it was closed for.
    customerId: str
    #: Why, as in the story of the referral.
    reason: str


class WebhookReferralNotConverted(WebhookReferralAndBoth):
    """An event of Stripe concerned a referral and did not convert it."""

    #: Why, as in the story of the referral.
    reason: str
    #: What in Stripe was looked at.
    stripe: WebhookLookedAt


# An event, as its webhook tells it. A type only ever gains members.
Event = (
    EventBudgetExhausted
    | EventBudgetLow
    | EventCodeCreated
    | EventCodeDeactivated
    | EventCodeRenamed
    | EventCreditApplied
    | EventCreditDelivered
    | EventCreditDeliveryFellShort
    | EventCreditDeliveryRequested
    | EventCreditDeliveryRetried
    | EventCreditGranted
    | EventCreditHeld
    | EventCreditNeedsAttention
    | EventCreditPutBack
    | EventCreditReleased
    | EventCreditRestored
    | EventCreditReversed
    | EventCreditSettled
    | EventCreditShortfall
    | EventCreditShortfallCanceled
    | EventCreditUnapplied
    | EventCustomerCreated
    | EventCustomerErased
    | EventCustomerLinked
    | EventCustomerUpdated
    | EventPing
    | EventProgramUpdated
    | EventReferralApplied
    | EventReferralConverted
    | EventReferralCreditWithheld
    | EventReferralExpired
    | EventReferralNotConverted
    | EventWebhookEndpointDisabled
    | EventWebhookEndpointFailing
)
