//! `…/referrals/credits`: what conversions gave to whom.

pub mod get;
pub mod list;

use billstack_core::credit::{CreditStatus, Side};
use billstack_store::credits::Credit;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// Which side of a referral.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideJson {
    /// Who shared the code.
    Referrer,
    /// Who applied it.
    Referee,
}

/// How far a credit has come.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatusJson {
    /// Promised and booked.
    Granted,
}

/// Money that a conversion gave to one side.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreditJson {
    /// Its id.
    #[schema(example = "cr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The referral that earned it.
    referral_id: String,
    /// Who has it.
    customer_id: String,
    /// Which side of the referral that is.
    side: SideJson,
    /// How much, in minor units.
    #[schema(minimum = 1, maximum = 99_999_999, example = 1000)]
    amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(example = "usd")]
    currency: &'static str,
    /// How far it has come.
    status: CreditStatusJson,
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
            side: match credit.side {
                Side::Referrer => SideJson::Referrer,
                Side::Referee => SideJson::Referee,
            },
            amount: credit.amount.get(),
            currency: credit.currency.as_str(),
            status: match credit.status {
                CreditStatus::Granted => CreditStatusJson::Granted,
            },
            created_at: rfc3339(credit.created_at.0),
        }
    }
}
