//! `…/referrals/config`: whether the program runs and what it promises.

pub mod get;
pub mod put;

use billstack_core::ids::ProjectId;
use billstack_core::money::Currency;
use billstack_core::program::Program;
use serde::Serialize;
use utoipa::ToSchema;

/// The referral program of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralConfig)]
#[serde(rename_all = "camelCase")]
pub struct ConfigJson {
    /// Whether codes can be applied.
    enabled: bool,
    /// Credit of the referrer at conversion, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 1000)]
    referrer_credit_amount: i64,
    /// Credit of the referee at conversion, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 500)]
    referee_credit_amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// For how many days after a conversion its credits are held.
    #[schema(minimum = 0, maximum = 365, example = 0)]
    hold_days: i64,
    /// The project.
    project_id: String,
}

/// The program as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct ConfigAnswer {
    /// The program.
    config: ConfigJson,
}

impl ConfigAnswer {
    /// The JSON form of a program.
    pub fn new(program: &Program, project_id: &ProjectId) -> ConfigAnswer {
        ConfigAnswer {
            config: ConfigJson {
                enabled: program.enabled,
                referrer_credit_amount: program.referrer_credit_amount.get(),
                referee_credit_amount: program.referee_credit_amount.get(),
                currency: program.currency,
                hold_days: program.hold_days,
                project_id: project_id.to_string(),
            },
        }
    }
}
