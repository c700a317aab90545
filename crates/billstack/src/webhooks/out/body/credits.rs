//! What is told of credits.

use billstack_core::credit::{CreditKind, CreditStatus, Parts, Side};
use billstack_core::ledger::{Account, Transfer};
use billstack_core::money::Currency;
use billstack_store::credits::Credit;
use billstack_store::told::Told;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WebhookCustomer, Why, facts};
use crate::api::referrals::credits::{
    CreditAmountsJson, CreditKindJson, CreditStatusJson, SideJson,
};
use crate::clock::Moment;

/// A credit, as the event left it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookCredit {
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
    /// How much, in minor units. It never changes.
    #[schema(minimum = 1, maximum = 99_999_999, example = 1000)]
    amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// How far it had come.
    #[schema(value_type = CreditStatusJson)]
    status: CreditStatus,
    /// What had become of the amount.
    amounts: CreditAmountsJson,
    /// When its hold ends or would have ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    held_until: Option<Moment>,
    /// When it was granted.
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
}

impl WebhookCredit {
    fn new(credit: &Credit, (amounts, status): (Parts, CreditStatus)) -> WebhookCredit {
        WebhookCredit {
            id: credit.id.clone(),
            kind: credit.kind,
            referral_id: credit.referral_id.clone(),
            customer_id: credit.customer_id.clone(),
            side: credit.side,
            amount: credit.amount.get(),
            currency: credit.currency,
            status,
            amounts: CreditAmountsJson::from(amounts),
            held_until: credit.held_until.map(Moment),
            created_at: Moment(credit.created_at),
        }
    }
}

/// A credit was made: the customer's at once, or later.
#[derive(Serialize, ToSchema)]
pub struct WebhookCreditMade {
    /// The credit.
    credit: WebhookCredit,
    /// Who has it.
    customer: WebhookCustomer,
    /// Why it was given, when a person says so.
    reason: Option<String>,
}

/// Some of a credit, or all of it, went from one part to another.
#[derive(Serialize, ToSchema)]
pub struct WebhookCreditMoved {
    /// The credit, with its parts afterwards.
    credit: WebhookCredit,
    /// Who has it.
    customer: WebhookCustomer,
    /// How much of it.
    moved: WebhookMoney,
    /// Why: what a person said, or `payment_lost`.
    reason: Option<String>,
    /// What the payment is called elsewhere, when a person said so.
    reference: Option<String>,
    /// What in Stripe told of it.
    stripe: Option<WebhookStripeObject>,
}

/// An amount.
#[derive(Serialize, ToSchema)]
pub struct WebhookMoney {
    /// In minor units.
    #[schema(minimum = 1, maximum = 99_999_999, example = 400)]
    amount: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
}

/// What in Stripe told of something.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookStripeObject {
    /// A charge, a refund, a dispute, a credit note, an invoice or a subscription.
    #[schema(example = "in_1RfX2e")]
    object_id: Option<String>,
    /// The line of the customer's balance.
    #[schema(example = "cbtxn_1RfX2d")]
    transaction_id: Option<String>,
}

/// Not all that somebody wanted to take back of a balance at Stripe was there.
#[derive(Serialize, ToSchema)]
pub struct WebhookCreditFellShort {
    /// The credit.
    credit: WebhookCredit,
    /// Who has it.
    customer: WebhookCustomer,
    /// How much had been used before.
    missing: WebhookMoney,
    /// What they gave as their reason.
    reason: Option<String>,
}

/// Something was decided about the delivery of a credit to Stripe.
#[derive(Serialize, ToSchema)]
pub struct WebhookCreditDelivery {
    /// The credit.
    credit: WebhookCredit,
    /// Who has it.
    customer: WebhookCustomer,
    /// Why: one of the reasons of `needs_attention`, or what a person said.
    #[schema(example = "no_stripe_customer")]
    reason: String,
}

#[derive(Deserialize)]
struct Standing {
    amounts: Parts,
    status: CreditStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Moved {
    amount: i64,
    currency: Currency,
    reason: Option<String>,
    reference: Option<String>,
    stripe_object_id: Option<String>,
    stripe_transaction_id: Option<String>,
}

pub(super) fn made(told: &Told) -> Option<WebhookCreditMade> {
    #[derive(Deserialize)]
    struct Made {
        reason: Option<String>,
    }
    let credit = told.credit.as_ref()?;
    let Made { reason } = facts(told)?;
    Some(WebhookCreditMade {
        credit: WebhookCredit::new(credit, at_first(credit)?),
        customer: WebhookCustomer::of(told, &credit.customer_id),
        reason,
    })
}

/// Where every credit begins.
fn at_first(credit: &Credit) -> Option<(Parts, CreditStatus)> {
    let grant = Transfer {
        from: Account::Program,
        to: match credit.held_until {
            Some(_) => Account::Held,
            None => Account::Customer,
        },
        amount: credit.amount,
    };
    let parts = Parts::promised(credit.amount).after(&grant)?;
    Some((parts, parts.status()))
}

pub(super) fn moved(told: &Told) -> Option<WebhookCreditMoved> {
    let credit = told.credit.as_ref()?;
    let moved: Moved = facts(told)?;
    let stripe = WebhookStripeObject {
        object_id: moved.stripe_object_id,
        transaction_id: moved.stripe_transaction_id,
    };
    let is_told = stripe.object_id.is_some() || stripe.transaction_id.is_some();
    Some(WebhookCreditMoved {
        credit: WebhookCredit::new(credit, standing(told)?),
        customer: WebhookCustomer::of(told, &credit.customer_id),
        moved: WebhookMoney {
            amount: moved.amount,
            currency: moved.currency,
        },
        reason: moved.reason,
        reference: moved.reference,
        stripe: is_told.then_some(stripe),
    })
}

pub(super) fn fell_short(told: &Told) -> Option<WebhookCreditFellShort> {
    let credit = told.credit.as_ref()?;
    let missing: Moved = facts(told)?;
    Some(WebhookCreditFellShort {
        credit: WebhookCredit::new(credit, standing(told)?),
        customer: WebhookCustomer::of(told, &credit.customer_id),
        missing: WebhookMoney {
            amount: missing.amount,
            currency: missing.currency,
        },
        reason: missing.reason,
    })
}

pub(super) fn delivery(told: &Told) -> Option<WebhookCreditDelivery> {
    let credit = told.credit.as_ref()?;
    let Why { reason } = facts(told)?;
    Some(WebhookCreditDelivery {
        credit: WebhookCredit::new(credit, standing(told)?),
        customer: WebhookCustomer::of(told, &credit.customer_id),
        reason,
    })
}

fn standing(told: &Told) -> Option<(Parts, CreditStatus)> {
    let Standing { amounts, status } = facts(told)?;
    Some((amounts, status))
}
