//! `POST /api/auth/sign-in/email`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Actor;
use billstack_store::users::User;
use billstack_store::{sessions, users};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Password, UserAnswer, signed_in, throttle};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::input::Input;
use crate::http::json::Text;
use crate::http::schema::EmailText;
use crate::http::visitor::Visitor;
use crate::secrets::{new_token, token_hash};

/// Who signs in.
#[derive(Deserialize, ToSchema)]
pub struct SignInRequest {
    /// E-mail address; case does not matter.
    email: EmailText,
    /// The password.
    #[schema(value_type = String, min_length = 1, max_length = 256)]
    password: Password,
}

/// Sign in.
///
/// Opens a session and ends the one that the request may carry. After five failures from an address, each
/// further attempt from there has to wait twice as long as the last; one at an account that the address has
/// signed in to before waits for failures at that account alone.
#[utoipa::path(
    post, path = "", operation_id = "sign_in",
    request_body = SignInRequest,
    responses((
        status = 200, description = "The user, signed in.", body = UserAnswer,
        headers(("Set-Cookie" = String, description = "The session.")),
    )),
)]
pub async fn handle(
    State(app): State<Shared>,
    visitor: Visitor,
    input: Input<SignInRequest>,
) -> Result<Response, ApiError> {
    let (user, token) = open(&app, visitor, input.body).await?;
    Ok(signed_in(&app, &user, &token))
}

/// Opens a session for whoever has the password: the user, and the token of the session.
pub(crate) async fn open(
    app: &App,
    visitor: Visitor,
    request: SignInRequest,
) -> Result<(User, String), ApiError> {
    let (account, address) = (request.email.normal.clone(), visitor.address.clone());
    throttle(app, &account, &address)?;
    let token = new_token();
    match sign_in(app, visitor, request, token_hash(&token)).await? {
        Some(user) => {
            app.sign_ins.succeeded(&account, &address, app.now().0);
            Ok((user, token))
        }
        None => {
            app.sign_ins.failed(&account, &address, app.now().0);
            Err(ApiError::new(Reason::InvalidCredentials))
        }
    }
}

/// Opens a session when the password is right; an unknown user has a wrong one.
async fn sign_in(
    app: &App,
    visitor: Visitor,
    request: SignInRequest,
    session_hash: String,
) -> Result<Option<User>, ApiError> {
    let (email, Text(password)) = (request.email.normal, request.password);
    let known = app
        .store
        .point(move |tx| Ok(users::credentials(tx, &email)?))
        .await?;
    let stored = known.as_ref().map(|(_, hash)| hash.clone());
    let verified = app.passwords.verify(password, stored).await;
    let Some((user, password_hash)) = known.filter(|_| verified) else {
        return Ok(None);
    };
    let origin = app.origin(Actor::User(user.id.clone()), &visitor.request_id);
    let opened = app.store.write(origin, move |tx, act| {
        if !users::has_password(tx, &user.id, &password_hash)? {
            return Ok(None);
        }
        if let Some(old) = &visitor.token_hash {
            sessions::end(tx, old)?;
        }
        let session = sessions::create(tx, act, &user.id, &session_hash, sessions::LIFETIME)?;
        Ok(Some(session.user))
    });
    Ok(opened.await?)
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::CrossSiteRequest,
    Reason::InvalidCredentials,
    Reason::TooManySignIns,
];
