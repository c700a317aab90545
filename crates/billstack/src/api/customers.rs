//! `…/customers`: the people who refer and are referred.

pub mod create;
pub mod credit_balance;
pub mod credit_statement;
pub mod erase;
pub mod get;
pub mod list;
pub mod portal_sessions;
pub mod update;

use crate::http::answer;
use axum::http::StatusCode;
use billstack_core::ids::ProjectId;
use billstack_core::stripe_event::is_customer_id;
use billstack_store::Place;
use billstack_store::customers::Customer;
use billstack_store::idempotency::Answer;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::clock::rfc3339;
use crate::http::json::{JsonObject, Text};

/// The longest name and external id, in characters.
pub const LONGEST_TEXT: usize = 255;

/// The largest metadata object, in bytes of JSON: what Stripe takes, 50 members with 500 characters each, and more.
pub const LARGEST_METADATA: usize = 32 * 1024;

/// A customer of a project.
#[derive(Serialize, ToSchema)]
#[schema(as = Customer)]
#[serde(rename_all = "camelCase")]
pub struct CustomerJson {
    /// Its id.
    #[schema(example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// E-mail address, trimmed and in lower case; unique in the project.
    #[schema(example = "ada@example.com")]
    email: String,
    /// Display name.
    name: Option<String>,
    /// The customer or account in Stripe.
    #[schema(example = "cus_QXr1c2")]
    stripe_customer_id: Option<String>,
    /// The team's own id for this customer; unique in the project.
    external_id: Option<String>,
    /// What the team keeps with the customer.
    #[schema(value_type = Object)]
    metadata: Box<RawValue>,
    /// The project.
    project_id: String,
    /// When it was created here.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl CustomerJson {
    /// The JSON form of a customer.
    pub fn new(customer: &Customer, project_id: &ProjectId) -> CustomerJson {
        CustomerJson {
            id: customer.id.clone(),
            email: customer.email.clone(),
            name: customer.name.clone(),
            stripe_customer_id: customer.stripe_customer_id.clone(),
            external_id: customer.external_id.clone(),
            // Checked when it came, and passed on as it came: the library takes some names for its own.
            metadata: RawValue::from_string(customer.metadata.clone()).unwrap_or_default(),
            project_id: project_id.to_string(),
            created_at: rfc3339(customer.created_at.0),
            updated_at: rfc3339(customer.updated_at.0),
        }
    }
}

/// A customer as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct CustomerAnswer {
    /// The customer.
    pub customer: CustomerJson,
}

/// A customer as an answer, which is erased with them where it is kept.
fn answer(status: StatusCode, customer: &Customer, place: &Place) -> Answer {
    let customer_id = Some(customer.id.clone());
    let customer = CustomerJson::new(customer, &place.project_id);
    Answer {
        customer_id,
        ..answer::answer(status, &CustomerAnswer { customer })
    }
}

/// The id of a Stripe customer or account.
pub struct StripeCustomerId(pub String);

impl<'de> Deserialize<'de> for StripeCustomerId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<0, LONGEST_TEXT>::deserialize(deserializer)?;
        match is_customer_id(&text) {
            true => Ok(StripeCustomerId(text)),
            false => Err(D::Error::custom(
                "must be an id that begins with cus_ or acct_.",
            )),
        }
    }
}

/// What a team keeps with a customer.
pub type Metadata = JsonObject<LARGEST_METADATA>;

/// The metadata of a customer with whom nothing is kept.
fn no_metadata() -> String {
    "{}".to_owned()
}
