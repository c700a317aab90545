//! `PATCH …/customers/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::customers::Customer;
use billstack_store::customers::{self, CustomerPatch};
use billstack_store::{Act, Tx};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{CustomerAnswer, LARGEST_METADATA, LONGEST_TEXT, normal_email, stripe_customer_id};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::json::{JsonObject, Member};
use crate::http::path::Item;
use crate::http::schema::EmailText;

/// What to change; a member left out stays as it is, `null` clears it.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "the fields describe the body in the API document")]
pub struct UpdateCustomerRequest {
    /// New e-mail address.
    #[schema(value_type = EmailText, required = false)]
    email: Option<String>,
    /// New display name.
    #[schema(max_length = 255)]
    name: Option<String>,
    /// New id of the team's own.
    #[schema(min_length = 1, max_length = 255)]
    external_id: Option<String>,
    /// New id in Stripe. Events kept for it are looked at again.
    #[schema(pattern = "^(cus|acct)_[A-Za-z0-9_]*$", max_length = 255)]
    stripe_customer_id: Option<String>,
    /// New metadata, replacing the old as a whole, in at most 16,384 bytes of JSON; `null` empties it.
    metadata: Option<Map<String, Value>>,
}

fn read(body: &JsonObject) -> Result<CustomerPatch, ApiError> {
    let email = match body.member("email") {
        Member::Absent => None,
        Member::Null => {
            return Err(ApiError::invalid("email", "`email` cannot be taken away."));
        }
        Member::Present => Some(normal_email(&body.required_str("email", LONGEST_TEXT)?)?),
    };
    let stripe = nullable(body, "stripeCustomerId")?;
    let metadata = match body.member("metadata") {
        Member::Absent => None,
        _ => Some(
            body.optional_object("metadata", LARGEST_METADATA)?
                .unwrap_or_else(|| "{}".to_owned()),
        ),
    };
    Ok(CustomerPatch {
        email,
        name: nullable(body, "name")?,
        external_id: match body.member("externalId") {
            Member::Absent => None,
            _ => Some(body.optional_text("externalId", LONGEST_TEXT)?),
        },
        stripe_customer_id: match stripe {
            Some(Some(id)) => Some(Some(stripe_customer_id(id)?)),
            other => other,
        },
        metadata,
    })
}

/// `None` when left out, `Some(None)` for null.
fn nullable(body: &JsonObject, name: &'static str) -> Result<Option<Option<String>>, ApiError> {
    match body.member(name) {
        Member::Absent => Ok(None),
        _ => Ok(Some(body.optional_str(name, LONGEST_TEXT)?)),
    }
}

/// Update a customer.
///
/// A new `stripeCustomerId` links the customer: a subscription that Stripe told of before converts
/// the pending referral now.
#[utoipa::path(
    patch, path = "", operation_id = "update_customer",
    request_body = UpdateCustomerRequest,
    responses((status = 200, description = "The customer as it is now.", body = CustomerAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: Input,
) -> Result<Response, ApiError> {
    let patch = read(&input.body)?;
    let (place, at) = (access.place.clone(), access.place.clone());
    let update =
        move |tx: &mut dyn Tx, act: &mut Act| customers::update(tx, act, &place, &id, &patch);
    let answer = move |customer: &Customer| super::answer(StatusCode::OK, customer, &at);
    app.write_answer(&access.caller, input.keyed, update, answer)
        .await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::CustomerNotFound,
    Reason::CustomerExists,
    Reason::ExternalIdTaken,
];
