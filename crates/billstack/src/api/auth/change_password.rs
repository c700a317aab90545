//! `POST /api/auth/change-password`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::users::User;
use billstack_store::{sessions, users};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Password, UserAnswer, hash_new, signed_in, throttle};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::SignedIn;
use crate::http::input::Input;
use crate::http::visitor::Visitor;
use crate::secrets::{new_token, token_hash};

/// The password as it is and as it shall be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangePasswordRequest {
    /// The password as it is.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    current_password: Password,
    /// 8 to 256 characters, and not a common password.
    #[schema(value_type = String, min_length = 8, max_length = 256)]
    new_password: Password,
}

/// Change the password.
///
/// Ends every session of the user, and opens a new one in place of the one at hand.
#[utoipa::path(
    post, path = "", operation_id = "change_password",
    request_body = ChangePasswordRequest,
    responses((
        status = 200, description = "The password is changed.", body = UserAnswer,
        headers(("Set-Cookie" = String, description = "The new session.")),
    )),
)]
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    visitor: Visitor,
    input: Input<ChangePasswordRequest>,
) -> Result<Response, ApiError> {
    let (user, token) = change(&app, signed, &visitor, input.body).await?;
    Ok(signed_in(&app, &user, &token))
}

/// Changes the password of whoever knows it, and opens a session in place of all others: the user, and its token.
pub(crate) async fn change(
    app: &App,
    signed: SignedIn,
    visitor: &Visitor,
    request: ChangePasswordRequest,
) -> Result<(User, String), ApiError> {
    let old_hash = verify(app, &signed, visitor, request.current_password.0).await?;
    let new_hash = hash_new(app, request.new_password.0, "newPassword").await?;
    let token = new_token();
    let (user_id, session_hash) = (signed.user.id, token_hash(&token));
    let changed = app.write(&signed.caller, move |tx, act| {
        if !users::has_password(tx, &user_id, &old_hash)? {
            return Ok(None);
        }
        users::set_password(tx, act, &user_id, &new_hash)?;
        let lifetime = sessions::LIFETIME;
        let session = sessions::create(tx, act, &user_id, &session_hash, lifetime)?;
        Ok(Some(session.user))
    });
    let user = changed.await?.ok_or_else(wrong_password)?;
    Ok((user, token))
}

/// The hash that the current password was found to match. Attempts count like those to sign in:
/// whoever got hold of a session must not be able to guess on.
async fn verify(
    app: &App,
    signed: &SignedIn,
    visitor: &Visitor,
    password: String,
) -> Result<String, ApiError> {
    let (account, address) = (signed.user.email.clone(), &visitor.address);
    throttle(app, &account, address)?;
    let email = account.clone();
    let known = app
        .store
        .point(move |tx| Ok(users::credentials(tx, &email)?))
        .await?;
    let stored = known.map(|(_, hash)| hash);
    if app.passwords.verify(password, stored.clone()).await
        && let Some(stored) = stored
    {
        app.sign_ins.succeeded(&account, address, app.now().0);
        return Ok(stored);
    }
    app.sign_ins.failed(&account, address, app.now().0);
    Err(wrong_password())
}

fn wrong_password() -> ApiError {
    ApiError::new(Reason::InvalidCredentials)
        .message("The current password is wrong.")
        .field("currentPassword")
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::InvalidCredentials,
    Reason::WeakPassword,
    Reason::TooManySignIns,
];
