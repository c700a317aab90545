//! `POST /api/auth/sign-up/email`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Refusal;
use billstack_store::users::{self, NewUser, User};
use billstack_store::{Abort, Tx};
use billstack_store::{Act, Actor};
use billstack_store::{invitations, sessions};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{LONGEST_NAME, Password, UserAnswer, hash_new, signed_in};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::input::Input;
use crate::http::json::Text;
use crate::http::schema::EmailText;
use crate::http::visitor::Visitor;
use crate::one_time_token::OneTimeToken;
use crate::secrets::{new_token, token_hash};

/// Who signs up, and the token that lets them.
#[derive(Deserialize, ToSchema)]
pub struct SignUpRequest {
    /// Display name.
    #[schema(value_type = String, min_length = 1, max_length = 255)]
    name: Text<1, LONGEST_NAME>,
    /// E-mail address; an invitation is good for its own address only.
    email: EmailText,
    /// 8 to 256 characters, and not a common password.
    #[schema(value_type = String, min_length = 8, max_length = 256)]
    password: Password,
    /// The set-up token that the server prints while it has no user, or an invitation.
    #[schema(value_type = String, max_length = 133, pattern = "^(setup|inv\\.[A-Za-z0-9_-]{1,64})\\.[0-9a-f]{64}$", example = "inv.team_01kgv5r3mq7x2h9d4t8w6c0b1e.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    token: OneTimeToken,
}

/// Sign up.
///
/// The first user of a server needs the set-up token, everyone after that an invitation to a team.
/// A session is opened at once.
#[utoipa::path(
    post, path = "", operation_id = "sign_up",
    request_body = SignUpRequest,
    responses((
        status = 200, description = "The new user, signed in.", body = UserAnswer,
        headers(("Set-Cookie" = String, description = "The session.")),
    )),
)]
pub async fn handle(
    State(app): State<Shared>,
    visitor: Visitor,
    input: Input<SignUpRequest>,
) -> Result<Response, ApiError> {
    let (user, token) = enter(&app, visitor, input.body).await?;
    Ok(signed_in(&app, &user, &token))
}

/// Makes the user whom the token lets in, and opens a session: the user, and the token of the session.
pub(crate) async fn enter(
    app: &App,
    visitor: Visitor,
    request: SignUpRequest,
) -> Result<(User, String), ApiError> {
    check_token(app, &request).await?;
    let new = NewUser {
        email: request.email.normal,
        name: request.name.0,
        password_hash: hash_new(app, request.password.0, "password").await?,
    };
    let token = new_token();
    let session_hash = token_hash(&token);
    let origin = app.origin(Actor::Anonymous, &visitor.request_id);
    let user = app.store.write(origin, move |tx, act| {
        let user = create(tx, act, &request.token, &new)?;
        if let Some(old) = &visitor.token_hash {
            sessions::end(tx, old)?;
        }
        sessions::create(tx, act, &user.id, &session_hash, sessions::LIFETIME)?;
        Ok(user)
    });
    Ok((user.await?, token))
}

/// Checks the token before a password is hashed, so that nobody without one can make the server work.
async fn check_token(app: &App, request: &SignUpRequest) -> Result<(), ApiError> {
    let (token, email, now) = (
        request.token.clone(),
        request.email.normal.clone(),
        app.now(),
    );
    let checked = app.store.point(move |tx| match &token {
        OneTimeToken::SetUp { .. } if users::any(tx)? => Err(Refusal::AlreadySetUp.into()),
        OneTimeToken::SetUp { hash } if users::has_setup_token(tx, hash)? => Ok(()),
        OneTimeToken::SetUp { .. } => Err(Refusal::InvalidToken.into()),
        OneTimeToken::Invitation { team_id, hash } => {
            let invitation = invitations::find(tx, team_id, hash, now)?;
            let invitation = invitation.filter(|invitation| invitation.email == email);
            Ok(invitation.map(|_| ()).ok_or(Refusal::InvalidToken)?)
        }
    });
    Ok(checked.await?)
}

fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    token: &OneTimeToken,
    new: &NewUser,
) -> Result<User, Abort> {
    match token {
        OneTimeToken::SetUp { hash } => users::sign_up_with_setup_token(tx, act, hash, new),
        OneTimeToken::Invitation { team_id, hash } => {
            invitations::accept_as_new_user(tx, act, team_id, hash, new)
        }
    }
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::CrossSiteRequest,
    Reason::InvalidToken,
    Reason::WeakPassword,
    Reason::UserExists,
    Reason::AlreadySetUp,
];
