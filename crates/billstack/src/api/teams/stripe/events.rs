//! `…/stripe/events`: what Stripe sent, and what became of it.

pub mod get;
pub mod list;
pub mod replay;

use billstack_core::attribution::Outcome;
use billstack_store::intake::{Settled, StripeEvent};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// What became of an event.
#[derive(Serialize, ToSchema)]
#[schema(as = StripeEventOutcome)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeJson {
    /// It converted a referral.
    Converted,
    /// Its customer has no referral it could convert.
    NoReferral,
    /// Nobody here is its customer, so far. It is looked at again when somebody is linked to it.
    NoCustomer,
    /// Several pending referrals could be meant.
    Ambiguous,
    /// It does not concern us, or can never convert.
    Ignored,
    /// It may count later: an incomplete subscription, an unpaid session, an object that is still to be fetched, a
    /// question to Stripe that is open, a payment whose invoice is not known (`payment_unlinked`).
    Waiting,
    /// It tells of a payment, which is kept for whoever has a credit for it.
    Recorded,
    /// It could not be read to the end; a replay may help.
    Failed,
}

/// An event from Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = StripeEvent)]
#[serde(rename_all = "camelCase")]
pub struct StripeEventJson {
    /// Stripe's id of the event.
    #[schema(example = "evt_1RfX2cQ")]
    id: String,
    /// Its type; thin events are shown without the leading `v1.`.
    #[serde(rename = "type")]
    #[schema(example = "customer.subscription.created")]
    kind: String,
    /// When it happened, as Stripe says.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it came in.
    #[schema(format = DateTime)]
    received_at: String,
    /// Whether it is from live mode; null when it did not say.
    livemode: Option<bool>,
    /// What became of it.
    #[schema(value_type = OutcomeJson)]
    outcome: Outcome,
    /// Why, for a person.
    reason: Option<String>,
    /// The project of the customer it concerned.
    project_id: Option<String>,
    /// The customer it concerned.
    customer_id: Option<String>,
    /// The referral it concerned.
    referral_id: Option<String>,
}

impl StripeEventJson {
    fn new(event: &StripeEvent) -> StripeEventJson {
        let settled = event.settled.clone();
        StripeEventJson {
            id: event.id.clone(),
            kind: event.kind.clone(),
            created_at: rfc3339(event.created_at.0),
            received_at: rfc3339(event.received_at.0),
            livemode: event.livemode,
            outcome: settled.outcome,
            reason: Some(settled.reason).filter(|reason| !reason.is_empty()),
            project_id: settled.project_id.map(|id| id.to_string()),
            customer_id: settled.customer_id,
            referral_id: settled.referral_id,
        }
    }
}

/// An event from Stripe with its body.
#[derive(Serialize, ToSchema)]
#[schema(as = StripeEventDetail)]
pub struct StripeEventDetailJson {
    /// The event.
    #[serde(flatten)]
    event: StripeEventJson,
    /// The body as Stripe sent it; null for an API key, for an event that was ignored, and once retention or the
    /// erasure of a person removed it.
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
}

/// An event as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct StripeEventAnswer {
    /// The event.
    event: StripeEventDetailJson,
}

impl StripeEventAnswer {
    fn new(event: StripeEvent) -> StripeEventAnswer {
        StripeEventAnswer {
            event: StripeEventDetailJson {
                event: StripeEventJson::new(&event),
                // Kept only after it was read as JSON, and passed on without reading it again.
                payload: event
                    .payload
                    .and_then(|text| RawValue::from_string(text).ok()),
            },
        }
    }
}

/// What became of an event means, and what helps.
pub(crate) fn cure_of(settled: &Settled) -> (&'static str, &'static str) {
    of_reason(&settled.reason).unwrap_or_else(|| of_outcome(settled.outcome))
}

/// Where there is a referral that the event does not convert.
fn of_reason(reason: &str) -> Option<(&'static str, &'static str)> {
    const DONE: &str = "Nothing is left to do.";
    Some(match reason {
        "already converted" => ("Its referral had converted before.", DONE),
        "already referred" => (
            "Its customer had been referred as another customer before.",
            DONE,
        ),
        "self-referral" => ("The friend and the referrer are the same person.", DONE),
        "referral expired" => ("The time of its referral was over.", DONE),
        "began too early" => (
            "Its subscription began too long before the code was applied.",
            DONE,
        ),
        "nothing was paid" => (
            "Its customer has a referral, and nothing was paid for this invoice.",
            "Nothing is left to do: the first one that is paid with real money converts the referral.",
        ),
        "less than the minimum was paid" => (
            "Its customer has a referral, and less was paid than the program asks for.",
            "Nothing is left to do: one of at least the minimum converts the referral.",
        ),
        "minimum_in_other_currency" => (
            "Its customer has a referral, and the minimum of the program is in another currency.",
            "Somebody must decide: where the payment is enough, give the credits by hand with the API.",
        ),
        _ => return None,
    })
}

fn of_outcome(outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Converted => ("It converted a referral.", "Nothing is left to do."),
        Outcome::Recorded => (
            "It tells of a payment, which is kept for whoever has a credit for it.",
            "Nothing is left to do.",
        ),
        Outcome::Waiting => (
            "It may count later.",
            "It is looked at again by itself, when what it waits for has come.",
        ),
        Outcome::NoReferral => (
            "Its customer has no referral that it could convert.",
            "If a code was meant to be applied, apply it: the event is looked at again then.",
        ),
        Outcome::NoCustomer => (
            "Nobody here is its customer, so far.",
            "Link the customer to the one in Stripe: the event is looked at again then.",
        ),
        Outcome::Ignored => (
            "It does not concern us, or can never convert.",
            "Nothing is left to do.",
        ),
        Outcome::Ambiguous => (
            "Several pending referrals could be meant, so none was converted.",
            "Put metadata.project_id on the object in Stripe, or link the right customer; then replay it.",
        ),
        Outcome::Failed => (
            "It could not be read to the end.",
            "Mend what the reason names, then replay it.",
        ),
        Outcome::Other(_) => (
            "This version does not know the outcome.",
            "A newer version does.",
        ),
    }
}
