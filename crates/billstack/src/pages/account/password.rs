//! `POST /account/password`.

use axum::extract::State;
use axum::response::Response;

use super::{TITLE, body};
use crate::api::auth::{change_password, new_session};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::visitor::Visitor;
use crate::pages::form::Form;
use crate::pages::view::{View, see_other_with};

/// Changes it, and signs out everywhere else.
pub async fn handle(
    State(app): State<Shared>,
    visitor: Visitor,
    signed: SignedIn,
    view: View,
    form: Form,
) -> Result<Response, ApiError> {
    let changed = match form.read(&["currentPassword", "newPassword"]) {
        Ok(request) => change_password::change(&app, signed.clone(), &visitor, request).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok((_, token)) => Ok(see_other_with(
            "/account?done=password",
            new_session(&app, &token),
        )),
        Err(error) => {
            let body = body(&view, &signed, (&form, Some(&error)), None);
            Ok(view.again(&error, TITLE, body))
        }
    }
}
