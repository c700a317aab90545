//! `/api/auth`: signing up, in and out.

pub mod accept_invitation;
pub mod change_password;
pub mod end_other_sessions;
pub mod get_session;
pub mod preferences;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;

use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use billstack_core::time::SECOND;
use billstack_store::sessions;
use billstack_store::users::User;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::http::access::session_cookie;
use crate::http::answer;
use crate::http::json::Text;
use crate::password::{MAX_LENGTH, NotHashed};

/// The longest name of anything, in characters.
const LONGEST_NAME: usize = 255;

/// A person who can sign in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
#[serde(rename_all = "camelCase")]
pub struct UserJson {
    /// Their id.
    #[schema(example = "usr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Display name.
    name: String,
    /// E-mail address, trimmed and in lower case; unique on this server.
    #[schema(example = "ada@example.com")]
    email: String,
    /// When they signed up.
    #[schema(format = DateTime)]
    created_at: String,
}

impl UserJson {
    /// The JSON form of a user.
    pub fn new(user: &User) -> UserJson {
        UserJson {
            id: user.id.clone(),
            name: user.name.clone(),
            email: user.email.clone(),
            created_at: rfc3339(user.created_at.0),
        }
    }
}

/// A user as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct UserAnswer {
    /// The user.
    user: UserJson,
}

/// A password that somebody claims is theirs. Whether it may be used as a new one is asked elsewhere.
type Password = Text<1, MAX_LENGTH>;

/// Hashes a new password; `field` is where it was sent.
async fn hash_new(app: &App, password: String, field: &'static str) -> Result<String, ApiError> {
    let hashed = app.passwords.hash_new(password).await;
    hashed.map_err(|why| match why {
        NotHashed::Weak(weakness) => ApiError::new(Reason::WeakPassword)
            .message(weakness.to_string())
            .field(field),
        NotHashed::Failed => {
            tracing::error!("a password could not be hashed");
            ApiError::new(Reason::Internal)
        }
    })
}

/// The refusal of an attempt that came too soon; asking counts it.
fn throttle(app: &App, account: &str, address: &str) -> Result<(), ApiError> {
    match app.sign_ins.check(account, address, app.now().0) {
        Some(seconds) => Err(ApiError::new(Reason::TooManySignIns).retry_after(u64::from(seconds))),
        None => Ok(()),
    }
}

/// The answer that hands out a session.
fn signed_in(app: &Shared, user: &User, token: &str) -> Response {
    let cookie = new_session(app, token);
    let user = UserJson::new(user);
    with_cookie(answer::send(answer::ok(&UserAnswer { user })), cookie)
}

/// The cookie of a new session.
pub(crate) fn new_session(app: &Shared, token: &str) -> HeaderValue {
    let max_age = u64::try_from(sessions::LIFETIME / SECOND).unwrap_or_default();
    session_cookie(app).set(token, max_age)
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}
