//! What is told of referrals.

use billstack_core::credit::Side;
use billstack_core::money::Currency;
use billstack_core::referral::Status;
use billstack_store::told::{Told, ToldReferral};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WebhookCustomer, facts};
use crate::api::referrals::StatusJson;
use crate::api::referrals::credits::SideJson;
use crate::clock::Moment;

/// A referral, as the event left it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookReferral {
    /// Its id.
    #[schema(example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// The code that was applied.
    #[schema(example = "K7M2QX9D")]
    code: String,
    /// How far it had come.
    #[schema(value_type = StatusJson)]
    status: Status,
    /// The customer who owns the code.
    referrer_customer_id: String,
    /// The customer who applied it.
    referee_customer_id: String,
    /// When the code was applied.
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    /// When it converted: the time of the Stripe event, never before `createdAt`.
    #[schema(value_type = Option<String>, format = DateTime)]
    converted_at: Option<Moment>,
}

/// A referral and the two whom it is about.
#[derive(Serialize, ToSchema)]
pub struct WebhookReferralAndBoth {
    /// The referral.
    referral: WebhookReferral,
    /// Who owns the code.
    referrer: WebhookCustomer,
    /// Who applied it.
    referee: WebhookCustomer,
}

impl WebhookReferralAndBoth {
    fn new(told: &Told, status: Status) -> Option<WebhookReferralAndBoth> {
        let id = told.event.referral_id.clone()?;
        let referral = told.referral.as_ref()?;
        let ToldReferral {
            referrer_customer_id,
            referee_customer_id,
            ..
        } = referral;
        let has_converted = status == Status::Converted;
        Some(WebhookReferralAndBoth {
            referrer: WebhookCustomer::of(told, referrer_customer_id),
            referee: WebhookCustomer::of(told, referee_customer_id),
            referral: WebhookReferral {
                id,
                code: referral.code.clone(),
                status,
                referrer_customer_id: referrer_customer_id.clone(),
                referee_customer_id: referee_customer_id.clone(),
                created_at: Moment(referral.created_at),
                converted_at: referral.converted_at.filter(|_| has_converted).map(Moment),
            },
        })
    }
}

/// A code was applied.
#[derive(Serialize, ToSchema)]
pub struct WebhookReferralApplied {
    #[serde(flatten)]
    about: WebhookReferralAndBoth,
    /// What was promised.
    terms: WebhookPromise,
}

/// What both sides were promised.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookPromise {
    /// Credit of the referrer, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 1000)]
    referrer_credit_amount: i64,
    /// Credit of the referee, in minor units.
    #[schema(minimum = 0, maximum = 99_999_999, example = 500)]
    referee_credit_amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
}

/// A referral converted.
#[derive(Serialize, ToSchema)]
pub struct WebhookReferralConverted {
    #[serde(flatten)]
    about: WebhookReferralAndBoth,
    /// What in Stripe converted it.
    stripe: WebhookConvertedBy,
}

/// What in Stripe converted a referral.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookConvertedBy {
    /// Its event; `asked_…` where Stripe told of it when it was asked.
    #[schema(example = "evt_1RfX2cQ")]
    event_id: String,
    /// The type of that event.
    #[schema(example = "customer.subscription.created")]
    event_type: String,
    /// The subscription, or the checkout session that names none.
    #[schema(example = "sub_1RfX2b")]
    subscription_id: Option<String>,
}

/// An event of Stripe concerned a referral and did not convert it.
#[derive(Serialize, ToSchema)]
pub struct WebhookReferralNotConverted {
    #[serde(flatten)]
    about: WebhookReferralAndBoth,
    /// Why, as in the story of the referral.
    #[schema(example = "began too early")]
    reason: String,
    /// What in Stripe was looked at.
    stripe: WebhookLookedAt,
}

/// What in Stripe was looked at for a referral.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookLookedAt {
    /// Its event; `asked_…` where Stripe told of it when it was asked.
    #[schema(example = "evt_1RfX2cQ")]
    event_id: String,
    /// The type of that event.
    #[schema(example = "customer.subscription.created")]
    event_type: String,
    /// The subscription, session or invoice it tells of.
    #[schema(example = "sub_1RfX2b")]
    object_id: String,
}

/// A side of a conversion got no credit, because the program gives no more.
#[derive(Serialize, ToSchema)]
pub struct WebhookCreditWithheld {
    #[serde(flatten)]
    about: WebhookReferralAndBoth,
    /// Which side.
    #[schema(value_type = SideJson)]
    side: Side,
    /// What it was promised, in minor units.
    #[schema(minimum = 1, maximum = 99_999_999, example = 1000)]
    amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// `cap_reached` or `budget_exhausted`.
    #[schema(example = "cap_reached")]
    reason: String,
}

/// A referral was closed without a conversion.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookReferralExpired {
    #[serde(flatten)]
    about: WebhookReferralAndBoth,
    /// Why, as in the story of the referral.
    #[schema(example = "customer erased")]
    reason: String,
    /// The customer it was closed for.
    customer_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfStripe {
    reason: Option<String>,
    status: Option<Status>,
    stripe_event_id: String,
    stripe_event_type: String,
    stripe_object_id: String,
}

#[derive(Deserialize)]
struct Withheld {
    amount: i64,
    currency: Currency,
    reason: String,
    side: Side,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expired {
    customer_id: String,
    reason: String,
}

pub(super) fn applied(told: &Told) -> Option<WebhookReferralApplied> {
    Some(WebhookReferralApplied {
        about: WebhookReferralAndBoth::new(told, Status::Pending)?,
        terms: facts(told)?,
    })
}

pub(super) fn converted(told: &Told) -> Option<WebhookReferralConverted> {
    let by: OfStripe = facts(told)?;
    let referral = told.referral.as_ref()?;
    Some(WebhookReferralConverted {
        about: WebhookReferralAndBoth::new(told, Status::Converted)?,
        stripe: WebhookConvertedBy {
            event_id: by.stripe_event_id,
            event_type: by.stripe_event_type,
            subscription_id: referral.stripe_subscription_id.clone(),
        },
    })
}

pub(super) fn not_converted(told: &Told) -> Option<WebhookReferralNotConverted> {
    let by: OfStripe = facts(told)?;
    Some(WebhookReferralNotConverted {
        about: WebhookReferralAndBoth::new(told, by.status?)?,
        reason: by.reason?,
        stripe: WebhookLookedAt {
            event_id: by.stripe_event_id,
            event_type: by.stripe_event_type,
            object_id: by.stripe_object_id,
        },
    })
}

pub(super) fn withheld(told: &Told) -> Option<WebhookCreditWithheld> {
    let Withheld {
        amount,
        currency,
        reason,
        side,
    } = facts(told)?;
    Some(WebhookCreditWithheld {
        about: WebhookReferralAndBoth::new(told, Status::Converted)?,
        side,
        amount,
        currency,
        reason,
    })
}

pub(super) fn expired(told: &Told) -> Option<WebhookReferralExpired> {
    let Expired {
        customer_id,
        reason,
    } = facts(told)?;
    Some(WebhookReferralExpired {
        about: WebhookReferralAndBoth::new(told, Status::Expired)?,
        reason,
        customer_id,
    })
}
