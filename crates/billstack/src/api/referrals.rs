//! `…/referrals`: who brought whom, and what became of it.

pub mod apply;
pub mod codes;
pub mod config;
pub mod credits;
pub mod exports;
pub mod get;
pub mod liability;
pub mod list;
pub mod overview;
pub mod recheck;
pub mod reconcile;
pub mod roll_forward;
pub mod settings;
pub mod stats;
pub mod story;
pub mod verify;

use billstack_core::explanation::{Explanation, Sentence};
use billstack_core::money::Currency;
use billstack_core::referral::{Referral, Status, Terms};
use billstack_core::source::{Attribution, Source};
use serde::Serialize;
use utoipa::ToSchema;

use self::settings::SettingsJson;
use crate::clock::rfc3339;

/// What was promised when the code was applied; later changes of the program do not touch it.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralTerms)]
#[serde(rename_all = "camelCase")]
pub struct TermsJson {
    /// Credit of the referrer, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 1000)]
    referrer_credit_amount: i64,
    /// Credit of the referee, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 500)]
    referee_credit_amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// How it converts, and how credits reach the customers and come back.
    #[serde(flatten)]
    settings: SettingsJson,
}

impl From<&Terms> for TermsJson {
    fn from(terms: &Terms) -> TermsJson {
        TermsJson {
            referrer_credit_amount: terms.referrer_credit_amount.get(),
            referee_credit_amount: terms.referee_credit_amount.get(),
            currency: terms.currency,
            settings: SettingsJson::from(terms),
        }
    }
}

/// One person brought by another.
#[derive(Serialize, ToSchema)]
#[schema(as = Referral)]
#[serde(rename_all = "camelCase")]
pub struct ReferralJson {
    /// Its id.
    #[schema(example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The code that was applied.
    #[schema(example = "K7M2QX9D")]
    code: String,
    /// The customer who owns the code.
    referrer_customer_id: String,
    /// The customer who applied it.
    referee_customer_id: String,
    /// How far it has come.
    #[schema(value_type = StatusJson)]
    status: Status,
    /// When the code was applied.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it converted: the time of the Stripe event, never before `createdAt`.
    #[schema(format = DateTime)]
    converted_at: Option<String>,
    /// By what it came about.
    attribution: AttributionJson,
    /// What was promised.
    terms: TermsJson,
}

/// By what a referral came about.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralAttribution)]
#[serde(rename_all = "camelCase")]
pub struct AttributionJson {
    /// What decided.
    #[schema(value_type = SourceJson)]
    source: Source,
    /// By what way the share link had reached the customer: `link`, `qr`, `whatsapp` or `mail`; null where no click is
    /// known.
    #[schema(example = "whatsapp")]
    channel: Option<String>,
    /// When the link was followed; null where no click is known.
    #[schema(format = DateTime)]
    clicked_at: Option<String>,
}

/// What decided to whom a referral is owed.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralSource)]
#[serde(rename_all = "snake_case")]
pub enum SourceJson {
    /// A code that was sent.
    Code,
    /// A click on a share link.
    Click,
}

impl From<&Attribution> for AttributionJson {
    fn from(attribution: &Attribution) -> AttributionJson {
        AttributionJson {
            source: attribution.source,
            channel: attribution.channel.clone(),
            clicked_at: attribution.clicked_at.map(|at| rfc3339(at.0)),
        }
    }
}

/// How far a referral has come.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralStatus)]
#[serde(rename_all = "snake_case")]
pub enum StatusJson {
    /// The code was applied; no subscription yet.
    Pending,
    /// A subscription began and the credits were granted.
    Converted,
    /// Closed without a conversion: a customer was erased or not new, or nothing converted it in time.
    Expired,
}

impl ReferralJson {
    /// The JSON form of a referral.
    pub fn new(referral: &Referral) -> ReferralJson {
        ReferralJson {
            id: referral.id.clone(),
            code: referral.code.clone(),
            referrer_customer_id: referral.referrer_customer_id.clone(),
            referee_customer_id: referral.referee_customer_id.clone(),
            status: referral.status,
            created_at: rfc3339(referral.created_at.0),
            converted_at: referral.converted_at.map(|at| rfc3339(at.0)),
            attribution: AttributionJson::from(&referral.attribution),
            terms: TermsJson::from(&referral.terms),
        }
    }
}

/// Why a referral is where it is, in words. They name nobody, and may improve; programs go by `status` and the events.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralExplanation)]
pub struct ExplanationJson {
    /// Why: one sentence or more.
    #[schema(
        example = "The friend applied the code on 2026-11-03 10:12 UTC. No event of Stripe has told of a subscription of the friend since."
    )]
    why: String,
    /// What must still happen, a sentence each; empty when nothing must.
    #[schema(example = json!(["Stripe must tell of a subscription that began on 2026-11-02 10:12 UTC or later."]))]
    next: Vec<String>,
}

impl From<Explanation> for ExplanationJson {
    fn from(explanation: Explanation) -> ExplanationJson {
        let Explanation { why, next } = explanation;
        ExplanationJson {
            why: why.to_string(),
            next: next.iter().map(Sentence::to_string).collect(),
        }
    }
}

/// A referral as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct ReferralAnswer {
    /// The referral.
    pub referral: ReferralJson,
}
