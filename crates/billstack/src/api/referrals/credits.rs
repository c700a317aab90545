//! `…/referrals/credits`: what was given to whom, and what became of it.

pub mod create;
pub mod deliver;
pub mod delivery;
pub mod get;
pub mod list;
pub mod postings;
pub mod release;
pub mod retry;
pub mod reverse;
pub mod settle;

use axum::response::Response;
use billstack_core::credit::{CreditKind, CreditStatus, Parts, Side};
use billstack_core::money::{Amount, Currency};
use billstack_store::credit_moves::Asked;
use billstack_store::credits::Credit;
use billstack_store::credits::delivery::{Shown, shown};
use billstack_store::idempotency::Keyed;
use billstack_store::{Abort, Act, Place, Tx};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use self::delivery::DeliveryJson;
use crate::app::App;
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::json::{self, Text};

/// Which side of a referral.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditSide)]
#[serde(rename_all = "snake_case")]
pub enum SideJson {
    /// Who shared the code.
    Referrer,
    /// Who applied it.
    Referee,
}

/// What a credit was given for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CreditKind)]
pub enum CreditKindJson {
    /// A conversion.
    Referral,
    /// A reason of the team's own.
    Manual,
}

/// How far a credit has come.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditStatus)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatusJson {
    /// The customer's, at least in part.
    Granted,
    /// Earned, but held until `heldUntil`.
    Held,
    /// All of it has reached the customer.
    Applied,
    /// Some of it was taken back.
    PartiallyReversed,
    /// All of it was taken back.
    Reversed,
}

/// What became of a credit, in minor units. The parts sum to its amount, the shortfall apart.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreditAmounts)]
pub struct CreditAmountsJson {
    /// Earned, but held.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    held: i64,
    /// The customer's, in our books.
    #[schema(minimum = 0, maximum = 99_999_999, example = 1000)]
    available: i64,
    /// In the customer's balance in Stripe, and not used yet.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    delivered: i64,
    /// Used for an invoice of Stripe.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    applied: i64,
    /// Paid to the customer.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    settled: i64,
    /// Taken back.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    reversed: i64,
    /// What should have been taken back and could not be, because it was used. It is among the other parts.
    #[schema(minimum = 0, maximum = 99_999_999, example = 0)]
    shortfall: i64,
}

impl From<Parts> for CreditAmountsJson {
    fn from(parts: Parts) -> CreditAmountsJson {
        CreditAmountsJson {
            held: parts.held,
            available: parts.available,
            delivered: parts.delivered,
            applied: parts.applied,
            settled: parts.settled,
            reversed: parts.reversed,
            shortfall: parts.shortfall,
        }
    }
}

/// Money given to a customer.
#[derive(Serialize, ToSchema)]
#[schema(as = Credit)]
#[serde(rename_all = "camelCase")]
pub struct CreditJson {
    /// Its id.
    #[schema(example = "cr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// What it was given for.
    #[schema(value_type = CreditKindJson)]
    kind: CreditKind,
    /// The referral that earned it; null for one of another kind.
    referral_id: Option<String>,
    /// Who has it.
    customer_id: String,
    /// Which side of the referral that is.
    #[schema(value_type = Option<SideJson>)]
    side: Option<Side>,
    /// How much, in minor units.
    #[schema(minimum = 1, maximum = 99_999_999, example = 1000)]
    amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// How far it has come.
    #[schema(value_type = CreditStatusJson)]
    status: CreditStatus,
    /// What became of the amount.
    amounts: CreditAmountsJson,
    /// How it reaches the customer's balance in Stripe.
    delivery: DeliveryJson,
    /// When its hold ends or would have ended.
    #[schema(format = DateTime)]
    held_until: Option<String>,
    /// When it was granted.
    #[schema(format = DateTime)]
    created_at: String,
}

impl CreditJson {
    /// The JSON form of a credit.
    pub fn new(shown: &Shown) -> CreditJson {
        let credit = &shown.credit;
        CreditJson {
            id: credit.id.clone(),
            kind: credit.kind,
            referral_id: credit.referral_id.clone(),
            customer_id: credit.customer_id.clone(),
            side: credit.side,
            amount: credit.amount.get(),
            currency: credit.currency,
            status: credit.status,
            amounts: CreditAmountsJson::from(credit.parts),
            delivery: DeliveryJson::new(shown),
            held_until: credit.held_until.map(|at| rfc3339(at.0)),
            created_at: rfc3339(credit.created_at.0),
        }
    }
}

/// A credit as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct CreditAnswer {
    /// The credit.
    credit: CreditJson,
}

impl CreditAnswer {
    /// The answer that shows a credit.
    pub fn new(shown: &Shown) -> CreditAnswer {
        CreditAnswer {
            credit: CreditJson::new(shown),
        }
    }
}

/// Why money moves: 1 to 500 characters, kept with the posting for ever.
pub type Why = Text<1, 500>;

/// An amount of a credit, above zero.
pub struct SentPart(pub Amount);

impl<'de> Deserialize<'de> for SentPart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::whole_number(deserializer, 1..=Amount::MAX.get(), Amount::new).map(SentPart)
    }
}

/// What a call that moves a credit does in the store.
type Operation = fn(&mut dyn Tx, &mut Act, &Place, &Asked) -> Result<Credit, Abort>;

/// Moves a credit, and answers it as it is afterwards.
async fn move_credit(
    app: &App,
    access: ProjectAccess,
    keyed: Option<Keyed>,
    asked: Asked,
    operation: Operation,
) -> Result<Response, ApiError> {
    let place = access.place;
    let op = move |tx: &mut dyn Tx, act: &mut Act| {
        let credit = operation(tx, act, &place, &asked)?;
        Ok(shown(tx, &place, credit)?)
    };
    let answer = |shown: &Shown| answer::ok(&CreditAnswer::new(shown));
    app.write_answer(&access.caller, keyed, op, answer).await
}

/// The refusals that a move can meet, for the API document.
pub const REASONS_OF_MOVES: &[Reason] = &[
    Reason::CreditNotFound,
    Reason::IllegalTransition,
    Reason::AmountExceedsCredit,
    Reason::DeliveryUnderWay,
];
