//! `GET …/referrals/credits/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::credits;
use billstack_store::credits::delivery::shown;

use super::CreditAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// Get a credit.
///
/// With what became of it, and how its delivery stands.
#[utoipa::path(
    get, path = "", operation_id = "get_credit",
    responses((status = 200, description = "The credit.", body = CreditAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let read = access.point(&app, move |tx, place| {
        let credit = credits::require(tx, place, &id)?;
        Ok(shown(tx, place, credit)?)
    });
    let shown = read.await?;
    Ok(answer::send(answer::ok(&CreditAnswer::new(&shown))))
}
