//! `POST …/customers`.

mod in_stripe;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::customer_creation;
use billstack_store::customers::Customer;
use billstack_store::customers::{self, NewCustomer};
use billstack_store::{Act, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CustomerAnswer, LONGEST_TEXT, Metadata, StripeCustomerId, no_metadata};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::json::Text;
use crate::http::schema::EmailText;
use in_stripe::{Asked, Creation};

/// A new customer.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateCustomerRequest {
    /// E-mail address; unique in the project after trimming and without regard to case.
    email: EmailText,
    /// Display name.
    #[schema(value_type = Option<String>, max_length = 255)]
    name: Option<Text<0, LONGEST_TEXT>>,
    /// What the team keeps with the customer, in at most 32,768 bytes of JSON; empty unless given.
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Metadata>,
    /// The team's own id for this customer; unique in the project.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    external_id: Option<Text<1, LONGEST_TEXT>>,
    /// The customer or account in Stripe, when it is known; Stripe is then not asked. Events
    /// that came for it and found nobody are looked at again.
    #[schema(value_type = Option<String>, pattern = "^(cus|acct)_[A-Za-z0-9_]*$", max_length = 255)]
    stripe_customer_id: Option<StripeCustomerId>,
}

impl CreateCustomerRequest {
    /// The address as addresses are compared.
    pub(crate) fn address(&self) -> &str {
        &self.email.normal
    }

    /// What is to be made.
    pub(crate) fn into_new(self) -> NewCustomer {
        NewCustomer {
            id: None,
            email: self.email.normal,
            name: self.name.map(|Text(name)| name),
            external_id: self.external_id.map(|Text(id)| id),
            stripe_customer_id: self.stripe_customer_id.map(|StripeCustomerId(id)| id),
            metadata: self
                .metadata
                .map_or_else(no_metadata, |metadata| metadata.0),
            stripe_note: None,
        }
    }
}

/// Create a customer.
///
/// On a team that is connected with a secret key the customer is created in Stripe too, or linked to
/// the Stripe customer of this e-mail address: of several the one with a live subscription, else the newest. If Stripe cannot be reached, nothing is created;
/// sending the same request again finishes the same customer.
#[utoipa::path(
    post, path = "", operation_id = "create_customer",
    request_body = CreateCustomerRequest,
    responses((status = 201, description = "The new customer.", body = CustomerAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<CreateCustomerRequest>,
) -> Result<Response, ApiError> {
    create(app, access, input).await
}

/// Creates the customer, here alone or in Stripe too.
pub(crate) async fn create(
    app: Shared,
    access: ProjectAccess,
    input: Input<CreateCustomerRequest>,
) -> Result<Response, ApiError> {
    let typed_email = input.body.email.typed.trim().to_owned();
    let new = input.body.into_new();
    let key = match new.stripe_customer_id {
        Some(_) => None,
        None => app.stripe_key_in(&access.place).await?,
    };
    if let Some(key) = key {
        let creation = Creation {
            app,
            key,
            asked: Asked {
                access,
                keyed: input.keyed,
                typed_email,
                new,
            },
        };
        return creation.run().await;
    }
    let (place, at) = (access.place.clone(), access.place.clone());
    let create = move |tx: &mut dyn Tx, act: &mut Act| {
        // One that an earlier try left behind, before the team was disconnected from Stripe.
        customer_creation::finish(tx, &place, &new.email)?;
        customers::create(tx, act, &place, &new)
    };
    let answer = move |customer: &Customer| super::answer(StatusCode::CREATED, customer, &at);
    app.write_answer(&access.caller, input.keyed, create, answer)
        .await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::CustomerExists,
    Reason::ExternalIdTaken,
    Reason::CustomerBeingCreated,
    Reason::StripeUnavailable,
    Reason::StripeRefused,
];
