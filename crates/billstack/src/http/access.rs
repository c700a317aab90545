//! Who may call: every request passes here with the right that the route table names.
//!
//! This reads the credential of a request and hands on what it grants; the store decides, see
//! [`billstack_store::callers`]. Whoever is not let in learns nothing else, whatever else is wrong with
//! the request.

mod callers;
mod entry;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billstack_core::access::{Role, api_key_hash, is_api_key};
use billstack_core::ids::is_id;
use billstack_store::callers::{Admitted, Credential, Guard};
use billstack_store::readers::Reader;
use billstack_store::{Actor, Place};
use hyper::body::Body as _;

use crate::app::{App, Shared};
use crate::budget::Share;
use crate::error::{ApiError, Reason};
use crate::http::cookie::{Holder, SessionCookie};
use crate::http::input::LargestBody;
use crate::http::known::Known;
use crate::http::origin::same_origin;
use crate::http::request_id::{RequestId, Whose};
use crate::http::route::Kind;
use crate::http::serve::{InFlight, bound_body};
use crate::rate_limit::Decision;
use crate::secrets::token_hash;

pub use billstack_store::callers::Right;
pub use callers::{Caller, Person, ProjectAccess, Reading, SignedIn, TeamAccess};
pub use entry::{Administers, ProjectRead};

use entry::Entry;

/// The largest body that takes no room, in bytes: there may be one for each connection.
const SMALL_BODY: u64 = 16 * 1024;

/// The largest answer that takes no room.
const SMALL_ANSWER: u64 = 64 * 1024;

/// What stands in front of a route.
#[derive(Clone)]
pub struct Gate {
    pub app: Shared,
    pub kind: Kind,
    /// Anybody is let in where there is none.
    pub right: Option<Right>,
    /// In bytes.
    pub largest_body: usize,
    /// What may be sent.
    pub known: Arc<Known>,
}

/// The middleware in front of every handler.
///
/// A call that reads in a project admits its caller in the one transaction that it needs anyway; see [`ProjectRead`].
/// Every other caller is admitted before the handler runs.
pub async fn authorize(
    State(gate): State<Gate>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Gate {
        app,
        kind,
        right,
        known,
        ..
    } = gate;
    bound_body(request.body(), gate.largest_body)?;
    let (mut parts, body) = request.into_parts();
    let params = RawPathParams::from_request_parts(&mut parts, &())
        .await
        .ok();
    let mut whose = whose(params.as_ref());
    let Some(right) = right else {
        parts.extensions.insert(LargestBody(gate.largest_body));
        let response = run(known, Request::from_parts(parts, body), next).await;
        return Ok(telling(whose, response));
    };
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let request_id = request_id.unwrap_or_default();
    let guard = match guard(&app, right, &mut parts, params.as_ref()) {
        Ok(guard) => guard,
        Err(refused) => return Ok(telling(whose, refused.into_response())),
    };
    let entry = Arc::new(Entry::new(Arc::clone(&guard), &app.rate));
    let is_read = parts.method.is_safe();
    let admits_itself = kind == Kind::Call && is_read && matches!(right, Right::Project(_));
    let mut response = if admits_itself {
        parts.extensions.insert(ProjectRead::new(&entry));
        let response = run(known, Request::from_parts(parts, body), next).await;
        // The handler has not admitted the caller if the request itself was wrong; a caller without a right
        // must not learn of that.
        let refused = entry.decide(&app).await?.admitted().err();
        refused.map_or(response, IntoResponse::into_response)
    } else {
        match entry.decide(&app).await?.admitted() {
            Ok(admitted) => {
                let _room = room_for_body(&app, admitted, &body, gate.largest_body)?;
                insert_access(&mut parts, &guard, &request_id, admitted);
                run(known, Request::from_parts(parts, body), next).await
            }
            Err(refused) => refused.into_response(),
        }
    };
    let ruling = entry.decide(&app).await?;
    let admitted = ruling.admission.as_ref();
    whose.caller = admitted.ok().map(|admitted| admitted.actor.to_text());
    if is_read && let Ok(admitted) = ruling.admission.as_ref() {
        response = in_flight(&app, admitted, response);
    }
    if ruling
        .admission
        .as_ref()
        .is_ok_and(|admitted| admitted.is_stale)
    {
        touch(&app, guard, &request_id).await;
    }
    let fields = ruling.budget.iter().flat_map(budget_fields);
    response.headers_mut().extend(fields);
    Ok(telling(whose, response))
}

/// The team and the project of a path, as far as they are ids: anything else may be a person's data.
fn whose(params: Option<&RawPathParams>) -> Whose {
    let id = |name: &str| {
        let mut all = params.into_iter().flatten();
        let (_, id) = all.find(|(key, _)| *key == name)?;
        is_id(id).then(|| id.to_owned())
    };
    Whose {
        team: id("teamId"),
        project: id("projectId"),
        caller: None,
    }
}

/// An answer whose line in the log says whose it was.
fn telling(whose: Whose, mut response: Response) -> Response {
    response.extensions_mut().insert(whose);
    response
}

/// Runs the handler for a request whose query it knows.
async fn run(known: Arc<Known>, mut request: Request, next: Next) -> Response {
    match known.query(request.uri().query()) {
        Ok(query) => {
            request.extensions_mut().insert(query);
            request.extensions_mut().insert(known);
            next.run(request).await
        }
        Err(unknown) => unknown.into_response(),
    }
}

/// Takes the room that a large body needs while it is read and used.
fn room_for_body(
    app: &App,
    admitted: &Admitted,
    body: &Body,
    largest: usize,
) -> Result<Option<Share>, ApiError> {
    let bytes = body.size_hint().upper().unwrap_or(largest as u64);
    if bytes <= SMALL_BODY {
        return Ok(None);
    }
    let room = app.bodies.take(&admitted.actor, bytes);
    room.map(Some).ok_or(ApiError::new(Reason::Overloaded))
}

/// Takes the room that a large answer needs until the client has it. Only reads are refused for it: the answer to a
/// change is small, and says what has happened.
fn in_flight(app: &App, admitted: &Admitted, mut response: Response) -> Response {
    let bytes = response.body().size_hint().lower();
    if bytes <= SMALL_ANSWER {
        return response;
    }
    match app.answers.take(&admitted.actor, bytes) {
        Some(share) => {
            response.extensions_mut().insert(InFlight(Arc::new(share)));
            response
        }
        None => {
            let message = "Take the answers to earlier requests first; then try again.";
            ApiError::new(Reason::Overloaded)
                .message(message)
                .into_response()
        }
    }
}

/// What a request asks for, where, and with which credential.
fn guard(
    app: &Shared,
    right: Right,
    parts: &mut Parts,
    params: Option<&RawPathParams>,
) -> Result<Arc<Guard>, ApiError> {
    let params = params.ok_or(ApiError::new(Reason::NotFound))?;
    let credential = credential(app, parts)?;
    let team_id = path_parameter(params, "teamId")?;
    let project_id = path_parameter(params, "projectId")?;
    Ok(Arc::new(Guard {
        right,
        credential,
        place: Arc::new(Place::new(team_id, project_id)),
    }))
}

/// Puts what the right grants where the extractors find it.
fn insert_access(parts: &mut Parts, guard: &Arc<Guard>, request_id: &str, admitted: &Admitted) {
    let caller = Caller {
        guard: Arc::clone(guard),
        actor: admitted.actor.clone(),
        request_id: request_id.to_owned(),
    };
    let extensions = &mut parts.extensions;
    if let Some(user) = admitted.user.clone() {
        let role = admitted.role;
        extensions.insert(Person { user, role });
    }
    match (guard.right, admitted.user.clone(), admitted.role) {
        (Right::Project(_) | Right::ProjectAdmin(_), _, _) => {
            let place = Arc::clone(&guard.place);
            extensions.insert(ProjectAccess { place, caller });
        }
        (Right::Known | Right::TeamKnown | Right::TeamReader(_), user, _) => {
            let id = user.as_ref().map(|user| user.id.as_str());
            if let Some(reader) = Reader::new(&guard.credential, id) {
                let team_id = guard.place.team_id.clone();
                extensions.insert(Reading {
                    team_id,
                    reader,
                    user,
                });
            }
        }
        (Right::TeamMember | Right::TeamWriter | Right::TeamAdmin, Some(user), Some(role)) => {
            let team_id = guard.place.team_id.clone();
            extensions.insert(TeamAccess {
                team_id,
                user,
                role,
                caller,
            });
        }
        (_, Some(user), _) => {
            if let Credential::Session(token_hash) = &guard.credential {
                let token_hash = token_hash.clone();
                extensions.insert(SignedIn {
                    user,
                    token_hash,
                    caller,
                });
            }
        }
        _ => {}
    }
}

/// What somebody with a session is in a team.
pub async fn role_in(app: &Shared, headers: &HeaderMap, team_id: &str) -> Option<Role> {
    let token = session_cookie(app).read(headers)?;
    let guard = Guard {
        right: Right::TeamMember,
        credential: Credential::Session(token_hash(&token)),
        place: Arc::new(Place::new(team_id, "")),
    };
    let now = app.now();
    let admitted = app.store.point(move |tx| Ok(guard.admit(tx, now)?)).await;
    admitted.ok()?.ok()?.role
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

pub(crate) fn bearer(header: &str) -> Option<&str> {
    let (scheme, key) = header.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(key.trim_matches(' '))
}

/// The cookie of this server: its name and flags depend on the base URL.
pub fn session_cookie(app: &Shared) -> SessionCookie {
    SessionCookie {
        secure: app.is_https(),
        holder: Holder::User,
    }
}

/// The cookie of customers on their own pages, which may have an origin of their own.
pub fn portal_cookie(app: &Shared) -> SessionCookie {
    SessionCookie {
        secure: app.public_url().starts_with("https://"),
        holder: Holder::Customer,
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

/// Keeps a session that is in use from going idle; failing at that is no reason to refuse.
async fn touch(app: &Shared, guard: Arc<Guard>, request_id: &str) {
    let origin = app.origin(Actor::System, request_id);
    let touched = app
        .store
        .write(origin, move |tx, act| Ok(guard.touch(tx, act.at)?));
    if let Err(error) = touched.await {
        tracing::warn!(?error, "a session could not be kept alive");
    }
}
