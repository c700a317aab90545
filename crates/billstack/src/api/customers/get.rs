//! `GET …/customers/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::customers;

use super::{CustomerAnswer, CustomerJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// Get a customer.
///
/// By our id. To find one by an id of your own, list with `externalId`.
#[utoipa::path(
    get, path = "", operation_id = "get_customer",
    responses((status = 200, description = "The customer.", body = CustomerAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let project_id = &access.place().project_id;
    let customer = access
        .point(&app, move |tx, place| customers::require(tx, place, &id))
        .await?;
    let customer = CustomerJson::new(&customer, project_id);
    Ok(answer::send(answer::ok(&CustomerAnswer { customer })))
}
