//! `POST …/customers`.

mod in_stripe;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::customer_creation;
use billstack_store::customers::Customer;
use billstack_store::customers::{self, NewCustomer};
use billstack_store::{Act, Tx};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{CustomerAnswer, LARGEST_METADATA, LONGEST_TEXT, normal_email, stripe_customer_id};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::json::JsonObject;
use crate::http::schema::EmailText;
use in_stripe::{Asked, Creation};

/// A new customer.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields describe the body in the API document")]
pub struct CreateCustomerRequest {
    /// E-mail address; unique in the project after trimming and without regard to case.
    #[schema(value_type = EmailText)]
    email: String,
    /// Display name.
    #[schema(max_length = 255)]
    name: Option<String>,
    /// What the team keeps with the customer, in at most 16,384 bytes of JSON; empty unless given.
    metadata: Option<Map<String, Value>>,
    /// The team's own id for this customer; unique in the project.
    #[schema(min_length = 1, max_length = 255)]
    external_id: Option<String>,
    /// The customer or account in Stripe, when it is known; Stripe is then not asked. Events
    /// that came for it and found nobody are looked at again.
    #[schema(pattern = "^(cus|acct)_[A-Za-z0-9_]*$", max_length = 255)]
    stripe_customer_id: Option<String>,
}

fn read(body: &JsonObject) -> Result<NewCustomer, ApiError> {
    let stripe = body.optional_str("stripeCustomerId", LONGEST_TEXT)?;
    let metadata = body.optional_object("metadata", LARGEST_METADATA)?;
    Ok(NewCustomer {
        id: None,
        email: normal_email(&body.required_str("email", LONGEST_TEXT)?)?,
        name: body.optional_str("name", LONGEST_TEXT)?,
        external_id: body.optional_text("externalId", LONGEST_TEXT)?,
        stripe_customer_id: stripe.map(stripe_customer_id).transpose()?,
        metadata: metadata.unwrap_or_else(|| "{}".to_owned()),
        stripe_note: None,
    })
}

/// Create a customer.
///
/// On a team that is connected with a secret key the customer is created in Stripe too, or linked to
/// the newest Stripe customer of this e-mail address. If Stripe cannot be reached, nothing is created;
/// sending the same request again finishes the same customer.
#[utoipa::path(
    post, path = "", operation_id = "create_customer",
    request_body = CreateCustomerRequest,
    responses((status = 201, description = "The new customer.", body = CustomerAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input,
) -> Result<Response, ApiError> {
    let new = read(&input.body)?;
    let key = match new.stripe_customer_id {
        Some(_) => None,
        None => app.stripe_key(&access.place.team_id).await?,
    };
    if let Some(key) = key {
        let typed_email = input.body.required_str("email", LONGEST_TEXT)?;
        let creation = Creation {
            app,
            key,
            asked: Asked {
                access,
                keyed: input.keyed,
                typed_email: typed_email.trim().to_owned(),
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
