//! `…/referrals/config`: whether the program runs and what it promises.

pub mod get;
pub mod put;

use billstack_core::ids::ProjectId;
use billstack_core::money::Currency;
use billstack_core::program::Program;
use serde::Serialize;
use utoipa::ToSchema;

use super::settings::SettingsJson;

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
    /// How referrals convert, and how credits reach customers and come back.
    #[serde(flatten)]
    settings: SettingsJson,
    /// How many conversions pay a referrer.
    max_conversions_per_referrer: CapsJson,
    /// How much may be out in the currency, in minor units: granted and not taken back. Null for no limit.
    #[schema(minimum = 0, maximum = 999_999_999_999_i64)]
    budget: Option<i64>,
    /// The project.
    project_id: String,
}

/// How many conversions pay a referrer.
#[derive(Serialize, ToSchema)]
#[schema(as = ConversionCaps)]
#[serde(rename_all = "camelCase")]
pub struct CapsJson {
    /// In all; null for no limit.
    #[schema(minimum = 0, maximum = 1_000_000)]
    total: Option<i64>,
    /// In a month of UTC; null for no limit.
    #[schema(minimum = 0, maximum = 1_000_000)]
    per_month: Option<i64>,
}

/// The program as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct ConfigAnswer {
    /// The program.
    config: ConfigJson,
}

impl ConfigJson {
    /// The JSON form of a program.
    pub fn new(program: &Program, project_id: &ProjectId) -> ConfigJson {
        ConfigJson {
            enabled: program.enabled,
            referrer_credit_amount: program.terms.referrer_credit_amount.get(),
            referee_credit_amount: program.terms.referee_credit_amount.get(),
            currency: program.terms.currency,
            settings: SettingsJson::from(&program.terms),
            max_conversions_per_referrer: CapsJson {
                total: program.caps.total,
                per_month: program.caps.per_month,
            },
            budget: program.budget,
            project_id: project_id.to_string(),
        }
    }
}

impl ConfigAnswer {
    /// A program as an answer.
    pub fn new(program: &Program, project_id: &ProjectId) -> ConfigAnswer {
        ConfigAnswer {
            config: ConfigJson::new(program, project_id),
        }
    }
}
