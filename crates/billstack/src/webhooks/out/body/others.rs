//! What is told of codes, customers, programs and endpoints.

use billstack_core::money::{Amount, Currency};
use billstack_core::program::{
    Caps, Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery, Program,
};
use billstack_core::referral::Terms;
use billstack_core::time::Micros;
use billstack_core::webhook::types::Type;
use billstack_store::told::Told;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WebhookCustomer, Why, facts};
use crate::api::referrals::config::ConfigJson;
use crate::clock::Moment;

/// A code was made or renamed, or can no longer be applied.
#[derive(Serialize, ToSchema)]
pub struct WebhookCode {
    /// The code.
    code: WebhookCodeItself,
    /// Who owns it.
    customer: WebhookCustomer,
}

/// A code, as the event left it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookCodeItself {
    /// Eight upper-case letters and digits.
    #[schema(example = "K7M2QX9D")]
    code: String,
    /// Who owns it.
    customer_id: String,
    /// Whether it can be applied.
    is_active: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Moment,
    /// The name that people gave it last, as it is when this is sent; null for none, and once its owner was erased.
    #[schema(example = "ADA-L")]
    vanity: Option<String>,
    /// All its names, the last one first, as they are when this is sent.
    #[schema(example = json!(["ADA-L", "ADA"]))]
    aliases: Vec<String>,
}

/// A customer was created.
#[derive(Serialize, ToSchema)]
pub struct WebhookCustomerCreated {
    /// The customer.
    customer: WebhookCustomer,
    /// Who they are in Stripe, when that was known from the beginning.
    stripe: Option<WebhookLink>,
}

/// Who somebody is in Stripe.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookLink {
    /// The customer or account in Stripe.
    #[schema(example = "cus_Grace")]
    customer_id: String,
    /// The one they were linked to before.
    instead_of: Option<String>,
}

/// Members of a customer were changed.
#[derive(Serialize, ToSchema)]
pub struct WebhookCustomerUpdated {
    /// The customer.
    customer: WebhookCustomer,
    /// The names of the members; read the customer for what they are now.
    #[schema(example = json!(["email", "name"]))]
    changed: Vec<String>,
}

/// It became known who a customer is in Stripe.
#[derive(Serialize, ToSchema)]
pub struct WebhookCustomerLinked {
    /// The customer.
    customer: WebhookCustomer,
    /// The names of other members that were changed with it.
    changed: Vec<String>,
    /// Who they are in Stripe.
    stripe: WebhookLink,
}

/// A customer's personal data were erased.
#[derive(Serialize, ToSchema)]
pub struct WebhookCustomerErased {
    /// The customer.
    customer: WebhookCustomer,
}

/// A program was changed.
#[derive(Serialize, ToSchema)]
pub struct WebhookProgram {
    /// The program, as the event left it.
    config: ConfigJson,
}

/// Little or nothing of a program's budget is left.
#[derive(Serialize, ToSchema)]
pub struct WebhookBudget {
    /// The budget.
    budget: WebhookBudgetItself,
}

/// A budget, as the event left it.
#[derive(Serialize, ToSchema)]
pub struct WebhookBudgetItself {
    /// How much may be out, in minor units.
    #[schema(minimum = 0, maximum = 999_999_999_999_i64, example = 100_000)]
    amount: i64,
    /// How much was out.
    #[schema(minimum = 0, example = 80_000)]
    out: i64,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
}

/// Another endpoint of the project has taken nothing for a day.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookEndpointFailing {
    /// The endpoint.
    endpoint: WebhookEndpointNamed,
    /// When it took something last; null if it never did.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_success_at: Option<Moment>,
}

/// Another endpoint of the project is sent nothing any more.
#[derive(Serialize, ToSchema)]
pub struct WebhookEndpointDisabled {
    /// The endpoint.
    endpoint: WebhookEndpointNamed,
    /// Why: `gone`, `failures` or `by_hand`.
    #[schema(example = "failures")]
    reason: String,
}

/// An endpoint by its id.
#[derive(Serialize, ToSchema)]
pub struct WebhookEndpointNamed {
    /// Its id.
    #[schema(example = "whe_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
}

/// Nothing has happened: somebody tries an endpoint.
#[derive(Serialize, ToSchema)]
pub struct WebhookPing {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Linked {
    #[serde(default)]
    changed: Vec<String>,
    instead_of: Option<String>,
    stripe_customer_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProgramFacts {
    budget: Option<i64>,
    clawback: Clawback,
    clawback_applied: ClawbackApplied,
    clawback_window_days: i64,
    conversion_trigger: ConversionTrigger,
    credit_delivery: CreditDelivery,
    credit_description: String,
    currency: Currency,
    enabled: bool,
    exclude_trials: bool,
    hold_days: i64,
    max_conversions_per_month: Option<i64>,
    max_conversions_total: Option<i64>,
    minimum_paid_amount: i64,
    referee_credit_amount: i64,
    referral_expiry_days: Option<i64>,
    referrer_credit_amount: i64,
}

impl ProgramFacts {
    fn program(self) -> Option<Program> {
        let defaults = Terms::default();
        Some(Program {
            enabled: self.enabled,
            terms: Terms {
                referrer_credit_amount: Amount::new(self.referrer_credit_amount)?,
                referee_credit_amount: Amount::new(self.referee_credit_amount)?,
                currency: self.currency,
                grace: defaults.grace,
                hold_days: self.hold_days,
                conversion_trigger: self.conversion_trigger,
                exclude_trials: self.exclude_trials,
                minimum_paid_amount: Amount::new(self.minimum_paid_amount)?,
                credit_delivery: self.credit_delivery,
                clawback: self.clawback,
                clawback_window_days: self.clawback_window_days,
                clawback_applied: self.clawback_applied,
                referral_expiry_days: self.referral_expiry_days,
                credit_description: self.credit_description,
            },
            caps: Caps {
                total: self.max_conversions_total,
                per_month: self.max_conversions_per_month,
            },
            budget: self.budget,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BudgetFacts {
    budget: i64,
    budget_out: i64,
    currency: Currency,
}

pub(super) fn code(told: &Told) -> Option<WebhookCode> {
    let code = told.code.as_ref()?;
    Some(WebhookCode {
        customer: WebhookCustomer::of(told, &code.customer_id),
        code: WebhookCodeItself {
            code: code.code.clone(),
            customer_id: code.customer_id.clone(),
            is_active: told.kind != Type::CodeDeactivated,
            created_at: Moment(code.created_at),
            vanity: code.names.0.first().cloned(),
            aliases: code.names.0.clone(),
        },
    })
}

fn subject(told: &Told) -> WebhookCustomer {
    WebhookCustomer::of(told, &told.event.subject)
}

pub(super) fn created(told: &Told) -> Option<WebhookCustomerCreated> {
    let Linked {
        stripe_customer_id, ..
    } = facts(told)?;
    Some(WebhookCustomerCreated {
        customer: subject(told),
        stripe: stripe_customer_id.map(|customer_id| WebhookLink {
            customer_id,
            instead_of: None,
        }),
    })
}

pub(super) fn updated(told: &Told) -> Option<WebhookCustomerUpdated> {
    let Linked { changed, .. } = facts(told)?;
    Some(WebhookCustomerUpdated {
        customer: subject(told),
        changed,
    })
}

pub(super) fn linked(told: &Told) -> Option<WebhookCustomerLinked> {
    let linked: Linked = facts(told)?;
    Some(WebhookCustomerLinked {
        customer: subject(told),
        changed: linked.changed,
        stripe: WebhookLink {
            customer_id: linked.stripe_customer_id?,
            instead_of: linked.instead_of,
        },
    })
}

pub(super) fn erased(told: &Told) -> WebhookCustomerErased {
    WebhookCustomerErased {
        customer: subject(told),
    }
}

pub(super) fn program(told: &Told) -> Option<WebhookProgram> {
    let facts: ProgramFacts = facts(told)?;
    Some(WebhookProgram {
        config: ConfigJson::new(&facts.program()?, &told.place.project_id),
    })
}

pub(super) fn budget(told: &Told) -> Option<WebhookBudget> {
    let facts: BudgetFacts = facts(told)?;
    Some(WebhookBudget {
        budget: WebhookBudgetItself {
            amount: facts.budget,
            out: facts.budget_out,
            currency: facts.currency,
        },
    })
}

pub(super) fn failing(told: &Told) -> Option<WebhookEndpointFailing> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Failing {
        last_success_at: Option<i64>,
    }
    let Failing { last_success_at } = facts(told)?;
    Some(WebhookEndpointFailing {
        endpoint: endpoint(told),
        last_success_at: last_success_at.map(|at| Moment(Micros(at))),
    })
}

pub(super) fn disabled(told: &Told) -> Option<WebhookEndpointDisabled> {
    let Why { reason } = facts(told)?;
    Some(WebhookEndpointDisabled {
        endpoint: endpoint(told),
        reason,
    })
}

fn endpoint(told: &Told) -> WebhookEndpointNamed {
    WebhookEndpointNamed {
        id: told.event.subject.clone(),
    }
}
