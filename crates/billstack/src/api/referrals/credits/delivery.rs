//! How a credit reaches the balance that its customer has in Stripe, as an answer shows it.

use billstack_core::delivery::{DeliveryState, Reason};
use billstack_store::credits::delivery::Shown;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// How far the delivery of a credit has come.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditDeliveryState)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStateJson {
    /// It is not delivered: it stands in our books alone.
    None,
    /// It is delivered once its hold is over.
    Waiting,
    /// It is about to be delivered.
    Queued,
    /// Stripe is being told.
    InFlight,
    /// Stripe was told, and nobody knows what came of it. It is found out.
    Unknown,
    /// It is in the customer's balance.
    Delivered,
    /// It waits until the reason is out of the way.
    NeedsAttention,
}

/// Why a delivery needs attention.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditDeliveryReason)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryReasonJson {
    /// The customer is not linked to one of Stripe.
    NoStripeCustomer,
    /// The customer was deleted in Stripe.
    CustomerDeleted,
    /// The account does not know the customer.
    CustomerUnknown,
    /// The customer has no currency yet, and a credit would choose it.
    CurrencyUnset,
    /// The customer pays in another currency.
    CurrencyMismatch,
    /// Stripe did not accept it; `message` says why.
    StripeRefused,
    /// Somebody gave the customer the same amount meanwhile.
    PossibleDuplicate,
    /// It is there, with another amount or currency.
    AmountDiffers,
    /// The customer's balance cannot be followed.
    HistoryUnclear,
    /// Its idempotency key was used for another call.
    KeyConflict,
    /// Stripe has not answered for days. It is tried every hour.
    StripeUnreachable,
}

/// How a credit reaches the balance that its customer has in Stripe.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditDeliveryProgress)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryJson {
    /// How far it has come.
    #[schema(value_type = DeliveryStateJson)]
    state: DeliveryState,
    /// Why it needs attention; otherwise null.
    #[schema(value_type = Option<DeliveryReasonJson>)]
    reason: Option<Reason>,
    /// What Stripe said when it refused.
    message: Option<String>,
    /// Whose balance it is put into; null before that is known.
    stripe_customer_id: Option<String>,
    /// The line of the balance, once it is there.
    transaction_id: Option<String>,
    /// How many times Stripe was told.
    #[schema(minimum = 0, example = 1)]
    attempts: i64,
    /// When it goes on by itself; null when it is over or needs attention.
    #[schema(format = DateTime)]
    next_attempt_at: Option<String>,
}

impl DeliveryJson {
    /// The JSON form of the delivery of a credit.
    pub fn new(shown: &Shown) -> DeliveryJson {
        DeliveryJson {
            state: shown.credit.delivery,
            reason: shown.credit.delivery_reason,
            message: shown.refusal.clone(),
            stripe_customer_id: shown.stripe_customer_id.clone(),
            transaction_id: shown.transaction_id.clone(),
            attempts: shown.attempts,
            next_attempt_at: shown.next_attempt_at.map(|at| rfc3339(at.0)),
        }
    }
}
