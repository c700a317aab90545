//! Who may call: every request passes here with the right that the route table names.
//!
//! The decision is one function over the database, [`Guard::admit`]. It runs before the handler,
//! unless the key was let in before, and what can change of it is looked at again inside every
//! transaction: a key that was revoked in between, on any node, changes and reads nothing. A handler that
//! refuses before any transaction has not looked; then it is done before its answer is sent.

mod callers;
mod known_keys;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billstack_core::access::{Role, Scope, api_key_hash, is_api_key};
use billstack_core::time::Micros;
use billstack_store::Refusal;
use billstack_store::api_keys::KeyOwner;
use billstack_store::users::User;
use billstack_store::{Abort, Tx};
use billstack_store::{Actor, Place};
use billstack_store::{api_keys, members, projects, sessions};

use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::cookie::SessionCookie;
use crate::http::origin::same_origin;
use crate::http::request_id::RequestId;
use crate::http::serve::bound_body;
use crate::rate_limit::Decision;
use crate::secrets::token_hash;

pub use callers::{Caller, ProjectAccess, SignedIn, TeamAccess};
pub use known_keys::KnownKeys;

/// Who may use a route.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Anybody; the handler itself asks for a password, a token or a signature.
    Open,
    /// Anybody who is signed in.
    SignedIn,
    /// A signed-in member of the team in the path.
    TeamMember,
    /// A signed-in owner or admin of the team in the path.
    TeamAdmin,
    /// An API key with this scope, or a signed-in member whose role allows it, for the project in
    /// the path.
    Project(Scope),
}

/// What a caller shows to be let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credential {
    /// The hash of an API key.
    ApiKey(String),
    /// The hash of a session token.
    Session(String),
}

/// A right asked for at a place by somebody with a credential.
#[derive(Debug)]
pub struct Guard {
    right: Right,
    credential: Credential,
    /// The project is empty where the path names none.
    place: Arc<Place>,
    /// Whether the last transaction of this request found the caller still allowed.
    is_rechecked: AtomicBool,
}

/// Who was let in.
#[derive(Clone, Debug)]
pub struct Admitted {
    actor: Actor,
    user: Option<User>,
    role: Option<Role>,
    /// The session was last seen long enough ago to be worth a write.
    stale: bool,
}

/// The answer of [`Guard::admit`].
pub type Admission = Result<Admitted, Reason>;

impl Guard {
    /// Decides from what the database says now, and remembers a key that is let in.
    pub fn admit(
        &self,
        tx: &mut dyn Tx,
        now: Micros,
        keys: &KnownKeys,
    ) -> Result<Admission, Abort> {
        let hash = match &self.credential {
            Credential::ApiKey(hash) => hash,
            Credential::Session(hash) => return self.admit_session(tx, hash, now),
        };
        let Some(owner) = api_keys::find(tx, hash)? else {
            return Ok(Err(Reason::InvalidApiKey));
        };
        let admission = self.judge_key(&owner, now);
        if admission.is_ok() {
            if !projects::exists(tx, &self.place)? {
                return Ok(Err(Reason::NotFound));
            }
            keys.insert(hash, Arc::clone(&self.place), owner);
        }
        Ok(admission)
    }

    /// Looks again, inside the transaction of a read or a write, at what may have changed since the
    /// caller was let in.
    pub fn recheck(&self, tx: &mut dyn Tx, now: Micros) -> Result<(), Abort> {
        let allowed = match &self.credential {
            Credential::ApiKey(hash) => api_keys::is_valid(tx, hash, now)?,
            Credential::Session(hash) => self.admit_session(tx, hash, now)?.is_ok(),
        };
        self.is_rechecked.store(allowed, Ordering::Relaxed);
        if allowed {
            return Ok(());
        }
        Err(Refusal::CallerNoLongerAllowed.into())
    }

    /// What the facts about a key that never change, and its revocation as far as known, allow.
    fn judge_key(&self, owner: &KeyOwner, now: Micros) -> Admission {
        let key = &owner.key;
        if key.revoked_at.is_some() {
            return Err(Reason::ApiKeyRevoked);
        }
        if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Reason::ApiKeyExpired);
        }
        let Right::Project(scope) = self.right else {
            return Err(Reason::SessionRequired);
        };
        let elsewhere = owner.team_id != self.place.team_id
            || key
                .project_id
                .as_ref()
                .is_some_and(|project| *project != self.place.project_id);
        if elsewhere {
            return Err(Reason::Forbidden);
        }
        if !key.scopes.grants(scope) {
            return Err(Reason::InsufficientScope);
        }
        Ok(Admitted {
            actor: Actor::ApiKey(key.id.clone()),
            user: None,
            role: None,
            stale: false,
        })
    }

    fn admit_session(&self, tx: &mut dyn Tx, hash: &str, now: Micros) -> Result<Admission, Abort> {
        let Some(session) = sessions::find(tx, hash, now, sessions::IDLE)? else {
            return Ok(Err(Reason::SessionExpired));
        };
        let stale = now.since(session.seen_at) > sessions::TOUCH_AFTER;
        let user = session.user;
        let actor = Actor::User(user.id.clone());
        if self.right == Right::SignedIn {
            return Ok(Ok(Admitted {
                actor,
                user: Some(user),
                role: None,
                stale,
            }));
        }
        let Some(role) = members::role_of(tx, &self.place.team_id, &user.id)? else {
            return Ok(Err(Reason::Forbidden));
        };
        let allowed = match self.right {
            Right::Open | Right::SignedIn | Right::TeamMember => true,
            Right::TeamAdmin => role.can_administer(),
            Right::Project(Scope::CustomersRead | Scope::ReferralsRead) => true,
            Right::Project(Scope::CustomersWrite | Scope::ReferralsWrite) => role.can_write(),
            Right::Project(Scope::Other(_)) => false,
        };
        if !allowed {
            return Ok(Err(Reason::Forbidden));
        }
        if matches!(self.right, Right::Project(_)) && !projects::exists(tx, &self.place)? {
            return Ok(Err(Reason::NotFound));
        }
        Ok(Ok(Admitted {
            actor,
            user: Some(user),
            role: Some(role),
            stale,
        }))
    }
}

impl Credential {
    /// The hash of the API key, when it is one.
    fn api_key(&self) -> Option<&str> {
        match self {
            Credential::ApiKey(hash) => Some(hash),
            Credential::Session(_) => None,
        }
    }
}

/// What stands in front of a route.
#[derive(Clone)]
pub struct Gate {
    /// What requests share.
    pub app: Shared,
    /// Who is let in.
    pub right: Right,
    /// The largest body, in bytes.
    pub largest_body: usize,
}

/// The middleware in front of every handler.
pub async fn authorize(
    State(gate): State<Gate>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Gate { app, right, .. } = gate;
    bound_body(request.body(), gate.largest_body)?;
    let (mut parts, body) = request.into_parts();
    if right == Right::Open {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let params = RawPathParams::from_request_parts(&mut parts, &()).await;
    let params = params.map_err(|_| ApiError::new(Reason::NotFound))?;
    let credential = credential(&app, &parts)?;
    let team_id = path_parameter(&params, "teamId")?;
    let project_id = path_parameter(&params, "projectId")?;
    let known = app.known_keys.get(&credential, team_id, project_id);
    let (owner, place) = known.unzip();
    let guard = Arc::new(Guard {
        right,
        credential,
        place: place.unwrap_or_else(|| Arc::new(Place::new(team_id, project_id))),
        is_rechecked: AtomicBool::new(false),
    });
    // A known key may have been revoked since: see `Guard::recheck`.
    let known = owner.and_then(|owner| guard.judge_key(&owner, app.now()).ok());
    let was_known = known.is_some();
    let admitted = match known {
        Some(admitted) => admitted,
        None => admit_now(&app, &guard).await?,
    };
    let budget = app.rate.check(&admitted.actor);
    let spent = budget.as_ref().filter(|budget| !budget.allowed);
    let mut response = if let Some(budget) = spent {
        let seconds = u64::from(budget.retry_after.unwrap_or(1));
        ApiError::new(Reason::RateLimited)
            .retry_after(seconds)
            .into_response()
    } else {
        if admitted.stale {
            touch(&app, &guard.credential, &parts).await;
        }
        insert_access(&mut parts, &guard, admitted);
        let response = next.run(Request::from_parts(parts, body)).await;
        let is_rechecked = guard.is_rechecked.load(Ordering::Relaxed);
        if was_known && !is_rechecked && response.status().is_client_error() {
            // The key has ended since it was known, or nobody looked; the caller is told of that first.
            app.known_keys.remove(&guard.credential);
            admit_now(&app, &guard).await?;
        }
        response
    };
    response
        .headers_mut()
        .extend(budget.iter().flat_map(budget_fields));
    Ok(response)
}

/// Lets a caller in by what the database says now.
async fn admit_now(app: &Shared, guard: &Arc<Guard>) -> Result<Admitted, ApiError> {
    let (now, checked, keys) = (app.now(), Arc::clone(guard), Arc::clone(&app.known_keys));
    let admission = app.store.point(move |tx| checked.admit(tx, now, &keys));
    Ok(admission.await??)
}

/// Puts what the right grants where the extractors find it.
fn insert_access(parts: &mut Parts, guard: &Arc<Guard>, admitted: Admitted) {
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let caller = Caller {
        guard: Arc::clone(guard),
        actor: admitted.actor,
        request_id: request_id.unwrap_or_default(),
    };
    match (guard.right, admitted.user, admitted.role) {
        (Right::Project(_), _, _) => {
            parts.extensions.insert(ProjectAccess {
                place: Arc::clone(&guard.place),
                caller,
            });
        }
        (Right::TeamMember | Right::TeamAdmin, Some(user), Some(role)) => {
            let team_id = guard.place.team_id.clone();
            parts.extensions.insert(TeamAccess {
                team_id,
                user,
                role,
                caller,
            });
        }
        (_, Some(user), _) => {
            if let Credential::Session(token_hash) = &guard.credential {
                parts.extensions.insert(SignedIn {
                    user,
                    token_hash: token_hash.clone(),
                    caller,
                });
            }
        }
        _ => {}
    }
}

/// The one credential of a request. A key wins over a cookie; a cookie that would change something
/// must come from our own pages.
fn credential(app: &Shared, parts: &Parts) -> Result<Credential, ApiError> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    if let Some(header) = headers.next() {
        let key = header
            .to_str()
            .ok()
            .and_then(bearer)
            .filter(|key| is_api_key(key));
        return match (key, headers.next()) {
            (Some(key), None) => Ok(Credential::ApiKey(api_key_hash(key))),
            _ => Err(ApiError::new(Reason::InvalidApiKey)),
        };
    }
    let token = session_cookie(app).read(&parts.headers);
    let token = token.ok_or(ApiError::new(Reason::Unauthenticated))?;
    let base_url = app.settings.base_url.as_deref();
    if !parts.method.is_safe() && !same_origin(&parts.headers, base_url) {
        return Err(ApiError::new(Reason::CrossSiteRequest));
    }
    Ok(Credential::Session(token_hash(&token)))
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(key.trim_matches(' '))
}

/// The cookie of this server: its name and flags depend on the base URL.
pub fn session_cookie(app: &Shared) -> SessionCookie {
    let base_url = app.settings.base_url.as_deref();
    SessionCookie {
        secure: base_url.is_some_and(|url| url.starts_with("https://")),
    }
}

/// A part of the path; one that cannot be an id is the same as an unknown one.
fn path_parameter<'p>(params: &'p RawPathParams, name: &str) -> Result<&'p str, ApiError> {
    let found = params.iter().find(|(key, _)| *key == name);
    let value = found.map(|(_, value)| value).unwrap_or_default();
    // No id holds NUL, and PostgreSQL cannot even be asked about a text that does.
    if value.contains('\0') {
        return Err(ApiError::new(Reason::NotFound));
    }
    Ok(value)
}

/// The header fields that tell a caller what is left of its budget.
fn budget_fields(budget: &Decision) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let fields = [
        ("ratelimit-policy", budget.policy_header()),
        ("ratelimit", budget.limit_header()),
    ];
    fields.into_iter().filter_map(|(name, value)| {
        let value = HeaderValue::from_str(&value).ok()?;
        Some((HeaderName::from_static(name), value))
    })
}

/// Keeps a session that is in use from going idle.
async fn touch(app: &Shared, credential: &Credential, parts: &Parts) {
    let Credential::Session(hash) = credential else {
        return;
    };
    let (hash, request_id) = (hash.clone(), parts.extensions.get::<RequestId>());
    let request_id = request_id.map(|id| id.0.clone()).unwrap_or_default();
    let origin = app.origin(Actor::System, &request_id);
    let touched = app.store.write(origin, move |tx, act| {
        Ok(sessions::touch(tx, &hash, act.at)?)
    });
    if let Err(error) = touched.await {
        tracing::warn!(?error, "a session could not be kept alive");
    }
}
