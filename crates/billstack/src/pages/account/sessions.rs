//! `POST /account/sessions`: ends all others.

use axum::extract::State;
use axum::response::Response;

use crate::api::auth::end_other_sessions;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::pages::form::Form;
use crate::pages::view::see_other;

/// Signs out everywhere else.
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    _: Form,
) -> Result<Response, ApiError> {
    end_other_sessions::end(&app, signed).await?;
    Ok(see_other("/account?done=sessions"))
}
