//! `GET …/referrals/credits/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::credits;

use super::CreditAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// Get a credit.
///
/// A credit never changes; what has come of the customer's credits is in their balance.
#[utoipa::path(
    get, path = "", operation_id = "get_credit",
    responses((status = 200, description = "The credit.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let read = access.point(&app, move |tx, place| credits::require(tx, place, &id));
    let credit = read.await?;
    Ok(answer::send(answer::ok(&CreditAnswer::new(&credit))))
}
