//! `…/referrals/credits`: what conversions gave to whom.

pub mod get;
pub mod list;

use billstack_core::credit::{CreditStatus, Side};
use billstack_core::money::Currency;
use billstack_store::credits::Credit;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

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

/// How far a credit has come.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditStatus)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatusJson {
    /// Promised and booked.
    Granted,
}

/// Money that a conversion gave to one side.
#[derive(Serialize, ToSchema)]
#[schema(as = Credit)]
#[serde(rename_all = "camelCase")]
pub struct CreditJson {
    /// Its id.
    #[schema(example = "cr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The referral that earned it.
    #[schema(value_type = String)]
    referral_id: Option<String>,
    /// Who has it.
    customer_id: String,
    /// Which side of the referral that is.
    #[schema(value_type = SideJson)]
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
    /// When it was granted.
    #[schema(format = DateTime)]
    created_at: String,
}

impl CreditJson {
    /// The JSON form of a credit.
    pub fn new(credit: &Credit) -> CreditJson {
        CreditJson {
            id: credit.id.clone(),
            referral_id: credit.referral_id.clone(),
            customer_id: credit.customer_id.clone(),
            side: credit.side,
            amount: credit.amount.get(),
            currency: credit.currency,
            status: credit.status,
            created_at: rfc3339(credit.created_at.0),
        }
    }
}
