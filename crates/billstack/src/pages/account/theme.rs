//! `POST /account/theme`: kept by the browser alone.

use axum::extract::State;
use axum::response::Response;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::pages::form::Form;
use crate::pages::theme::Theme;
use crate::pages::view::{see_other, see_other_with};

/// Sets the cookie.
pub async fn handle(
    State(app): State<Shared>,
    _: SignedIn,
    form: Form,
) -> Result<Response, ApiError> {
    if form.is_kept() {
        return Ok(see_other("/account"));
    }
    let theme = Theme::parse(form.text("theme")).unwrap_or_default();
    Ok(see_other_with("/account?done=theme", theme.cookie(&app)))
}
