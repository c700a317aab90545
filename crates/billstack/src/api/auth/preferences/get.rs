//! `GET /api/auth/preferences`.

use axum::response::Response;

use super::PreferencesAnswer;
use crate::http::access::SignedIn;
use crate::http::answer;

/// Get your preferences.
///
/// How pages behave for the signed-in user.
#[utoipa::path(
    get, path = "", operation_id = "get_preferences",
    responses((status = 200, description = "The preferences.", body = PreferencesAnswer)),
)]
pub async fn handle(signed: SignedIn) -> Response {
    answer::send(answer::ok(&PreferencesAnswer::new(&signed.user)))
}
