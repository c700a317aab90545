//! `…/portal` of a project, and `/api/portal`: what customers see of their referrals.

pub mod code;
pub mod credits;
pub mod end_sessions;
pub mod me;
pub mod referrals;
pub mod settings;

use billstack_core::money::Currency;
use billstack_core::time::Micros;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;
use crate::error::Reason;

/// An amount of money.
#[derive(Serialize, ToSchema)]
#[schema(as = Money)]
#[serde(rename_all = "camelCase")]
pub struct MoneyJson {
    /// In the smallest unit of the currency.
    #[schema(minimum = 0, example = 1000)]
    amount: i64,
    /// ISO 4217, in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// As people read it.
    #[schema(example = "10.00 USD")]
    text: String,
}

impl MoneyJson {
    /// The JSON form of an amount.
    pub fn new(amount: i64, currency: Currency) -> MoneyJson {
        MoneyJson {
            amount,
            currency,
            text: currency.text(amount),
        }
    }

    /// The same, where it is more than nothing.
    pub fn some(amount: i64, currency: Currency) -> Option<MoneyJson> {
        (amount != 0).then(|| MoneyJson::new(amount, currency))
    }
}

/// Where the recommendation of a friend stands.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalState)]
#[serde(rename_all = "snake_case")]
pub enum StateJson {
    /// Something is still to happen.
    Waiting,
    /// The reward is the customer's.
    Earned,
    /// It came to nothing.
    NotCounted,
    /// It is over.
    Ended,
}

/// The day of UTC that holds a time: customers see days, not times.
pub(crate) fn day(at: Micros) -> String {
    rfc3339(at.0).chars().take(10).collect()
}

/// The refusals of every call with a portal token, for the API document.
pub const REASONS: &[Reason] = &[Reason::InvalidPortalToken, Reason::TooManyRequests];
