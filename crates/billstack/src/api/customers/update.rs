//! `PATCH …/customers/{id}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::customers::Customer;
use billstack_store::customers::{self, CustomerPatch};
use billstack_store::{Act, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CustomerAnswer, LONGEST_TEXT, Metadata, StripeCustomerId, no_metadata};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::json::{Text, sent};
use crate::http::path::Item;
use crate::http::schema::EmailText;

/// What to change; a member left out stays as it is, `null` clears it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateCustomerRequest {
    /// New e-mail address.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = EmailText, required = false)]
    email: Option<Option<EmailText>>,
    /// New display name.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, max_length = 255)]
    name: Option<Option<Text<0, LONGEST_TEXT>>>,
    /// New id of the team's own.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    external_id: Option<Option<Text<1, LONGEST_TEXT>>>,
    /// New id in Stripe. Events kept for it are looked at again.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<String>, pattern = "^(cus|acct)_[A-Za-z0-9_]*$", max_length = 255)]
    stripe_customer_id: Option<Option<StripeCustomerId>>,
    /// New metadata, replacing the old as a whole, in at most 32,768 bytes of JSON; `null` empties it.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<Map<String, Value>>)]
    metadata: Option<Option<Metadata>>,
}

impl UpdateCustomerRequest {
    /// What is changed.
    pub(crate) fn into_patch(self) -> Result<CustomerPatch, ApiError> {
        let email = match self.email {
            None => None,
            Some(Some(email)) => Some(email.normal),
            Some(None) => {
                return Err(ApiError::invalid("email", "`email` cannot be taken away."));
            }
        };
        Ok(CustomerPatch {
            email,
            name: self.name.map(|name| name.map(|Text(name)| name)),
            external_id: self.external_id.map(|id| id.map(|Text(id)| id)),
            stripe_customer_id: self
                .stripe_customer_id
                .map(|id| id.map(|StripeCustomerId(id)| id)),
            metadata: self
                .metadata
                .map(|sent| sent.map_or_else(no_metadata, |metadata| metadata.0)),
        })
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
    input: Input<UpdateCustomerRequest>,
) -> Result<Response, ApiError> {
    let patch = input.body.into_patch()?;
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
