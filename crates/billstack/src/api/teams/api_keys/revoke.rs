//! `DELETE …/teams/{teamId}/api-keys/{keyId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::api_keys;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiKeyJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// A key as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct RevokeApiKeyAnswer {
    /// The key.
    key: ApiKeyJson,
}

/// Revoke an API key.
///
/// The next request with it is refused. Doing it again answers the same.
#[utoipa::path(
    delete, path = "", operation_id = "revoke_api_key",
    responses((status = 200, description = "The key is revoked.", body = RevokeApiKeyAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    Item(id): Item,
    _: NoInput,
) -> Result<Response, ApiError> {
    let team_id = access.team_id;
    let revoked = app.write(&access.caller, move |tx, act| {
        api_keys::revoke(tx, act, &team_id, &id)
    });
    let key = ApiKeyJson::new(&revoked.await?);
    Ok(answer::send(answer::ok(&RevokeApiKeyAnswer { key })))
}
