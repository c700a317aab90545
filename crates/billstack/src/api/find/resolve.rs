//! `GET /api/billstack/find/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::find;
use serde::Serialize;
use utoipa::ToSchema;

use super::FoundJson;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::Reading;
use crate::http::answer;
use crate::http::path::Item;

/// Where something is.
#[derive(Serialize, ToSchema)]
pub struct FoundAnswer {
    /// The thing.
    found: FoundJson,
}

/// Tell where something is.
///
/// What an id of ours or of Stripe, a code, one of its names or the id of a request names in the teams of the signed-in
/// user, or where the API key is good. What there is not, and what is somebody else's, is answered alike.
#[utoipa::path(
    get, path = "", operation_id = "resolve_id",
    params(("id" = String, Path, description = "An id or a code.", example = "ref_01kgv5r3mq7x2h9d4t8w6c0b1e")),
    responses((status = 200, description = "Where it is.", body = FoundAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: Reading,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let found = app
        .store
        .scan(move |tx| find::resolve(tx, &access.reader, &id));
    let found = found.await?.ok_or(ApiError::new(Reason::NotFound))?;
    let found = FoundJson::from(found);
    Ok(answer::send(answer::ok(&FoundAnswer { found })))
}
