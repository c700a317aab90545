//! `PUT /api/auth/preferences`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::users::{self, User};
use serde::Deserialize;
use utoipa::ToSchema;

use super::PreferencesAnswer;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::answer;
use crate::http::input::Input;

/// How pages shall behave.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PutPreferencesRequest {
    /// Whether single keys are shortcuts.
    single_keys: bool,
}

/// Set your preferences.
///
/// They go with the signed-in user, in every browser.
#[utoipa::path(
    put, path = "", operation_id = "put_preferences",
    request_body = PutPreferencesRequest,
    responses((status = 200, description = "The preferences as they are now.", body = PreferencesAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    input: Input<PutPreferencesRequest>,
) -> Result<Response, ApiError> {
    let user = set(&app, signed, input.body.single_keys).await?;
    Ok(answer::send(answer::ok(&PreferencesAnswer::new(&user))))
}

/// Says whether single keys are shortcuts for somebody.
pub(crate) async fn set(app: &App, signed: SignedIn, single_keys: bool) -> Result<User, ApiError> {
    let user_id = signed.user.id;
    let set = app.write(&signed.caller, move |tx, _| {
        users::set_single_keys(tx, &user_id, single_keys)
    });
    set.await
}
