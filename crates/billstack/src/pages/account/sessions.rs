//! `POST /account/sessions`: ends all others.

use axum::extract::State;
use axum::response::Response;

use super::{TITLE, body};
use crate::api::auth::end_other_sessions;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::pages::form::Form;
use crate::pages::view::{View, see_other};

/// Signs out everywhere else.
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    view: View,
    form: Form,
) -> Result<Response, ApiError> {
    if let Err(error) = form.is_meant() {
        let shown = body(&view, &signed, (&form, Some(&error)), None);
        return Ok(view.again(&error, TITLE, shown));
    }
    end_other_sessions::end(&app, signed).await?;
    Ok(see_other("/account?done=sessions"))
}
