//! `POST /account/keys`: whether single keys are shortcuts.

use axum::extract::State;
use axum::response::Response;

use crate::api::auth::preferences::put;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::pages::form::Form;
use crate::pages::view::see_other;

/// Keeps it in the database, for every browser.
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    form: Form,
) -> Result<Response, ApiError> {
    if form.is_kept() {
        return Ok(see_other("/account"));
    }
    put::set(&app, signed, form.text("singleKeys") == "yes").await?;
    Ok(see_other("/account?done=keys"))
}
