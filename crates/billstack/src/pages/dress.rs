//! What all pages have in common, around their handlers: the headers that keep them safe, and refusals as pages.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use billstack_store::users;
use maud::html;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::parts::lock::Need;
use super::view::{View, see_other};
use super::{kept, sign_in};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason, Said};
use crate::http::access::role_in;
use crate::http::failures::catch_panics;
use crate::http::request_id::RequestId;
use crate::http::serve::Dresser;
use crate::http::visitor::takes_html;
use crate::routes::for_people;

/// Frames show what strangers see, which may have an origin of its own.
const POLICY: [&str; 2] = [
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-src ",
    "; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
];

/// What stands in a query as it is.
pub(super) const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.');

/// The layer around all pages.
pub async fn dress(State(app): State<Shared>, mut request: Request, next: Next) -> Response {
    // A page is for a person: a key opens none.
    request.headers_mut().remove(AUTHORIZATION);
    let (parts, body) = request.into_parts();
    let (form, body) = kept::of_request(&app, &parts, body).await;
    let asked = parts.clone();
    let is_setup = parts.uri.path() == "/setup";
    let answer = match is_setup || has_user(&app).await {
        true => catch_panics(next.run(Request::from_parts(parts, body))).await,
        false => see_other("/setup"),
    };
    let path = asked.uri.path();
    let form = form.filter(|_| is_of_nobody(&answer));
    let kept = form.map(|form| kept::seal(&app, path, &form));
    let mut answer = match kept {
        Some(kept) => {
            let place = asked
                .uri
                .path_and_query()
                .map_or(path, |place| place.as_str());
            sign_in::instead(&View::of(&asked), place, &kept)
        }
        None => {
            let reason = answer.extensions().get::<Reason>().copied();
            let lacking = match reason {
                Some(Reason::Forbidden) => lacking(&app, &asked).await,
                _ => None,
            };
            refused(&asked, answer, lacking)
        }
    };
    answer.headers_mut().extend(safe(&app));
    answer
}

/// Whether an answer refuses somebody who is not signed in.
fn is_of_nobody(answer: &Response) -> bool {
    let reason = answer.extensions().get::<Reason>();
    matches!(
        reason,
        Some(Reason::Unauthenticated | Reason::SessionExpired)
    )
}

/// Whether there is a user. There is one for ever once there is one.
async fn has_user(app: &App) -> bool {
    if app.has_user.get().is_some() {
        return true;
    }
    match app.store.point(|tx| Ok(users::any(tx)?)).await {
        Ok(false) => false,
        Ok(true) => {
            app.has_user.get_or_init(|| ());
            true
        }
        // The page itself will say what is wrong.
        Err(_) => true,
    }
}

/// Pages of refusals that no handler gives, such as that a request took too long: for whoever asks for a page.
pub fn dresser(app: &Shared) -> Dresser {
    let app = Shared::clone(app);
    Arc::new(move |request| {
        if !is_place(request.uri().path()) || !takes_html(request.headers()) {
            return None;
        }
        let (app, asked) = (Shared::clone(&app), head_of(request));
        Some(Box::new(move |answer: Response| {
            let is_refusal = answer.extensions().get::<Reason>().is_some();
            if !is_refusal || is_page(&answer) {
                return answer;
            }
            let mut page = refused(&asked, answer, None);
            page.headers_mut().extend(safe(&app));
            page
        }))
    })
}

/// Whether a path is at or below the first part of a page's.
fn is_place(path: &str) -> bool {
    static FIRST: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        let pages = for_people().into_iter();
        pages.map(|route| first_part(route.path)).collect()
    });
    FIRST.contains(first_part(path))
}

fn first_part(path: &str) -> &str {
    path.split('/').nth(1).unwrap_or_default()
}

/// What of a request a page of its refusal goes by.
fn head_of(request: &Request) -> Parts {
    let (mut head, ()) = axum::http::Request::new(()).into_parts();
    head.method = request.method().clone();
    head.uri = request.uri().clone();
    head.headers = request.headers().clone();
    if let Some(id) = request.extensions().get::<RequestId>() {
        head.extensions.insert(id.clone());
    }
    head
}

/// An address that is none: a page for a browser, and our JSON for programs.
pub async fn nowhere(State(app): State<Shared>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let error = ApiError::new(Reason::NotFound).into_response();
    let is_for_programs = parts.uri.path().starts_with("/api/");
    if is_for_programs || !takes_html(&parts.headers) || !parts.method.is_safe() {
        return error;
    }
    if !has_user(&app).await {
        return see_other("/setup");
    }
    let mut answer = refused(&parts, error, None);
    answer.headers_mut().extend(safe(&app));
    answer
}

/// A refusal as a page, or the way to the page that lifts it.
fn refused(asked: &Parts, answer: Response, lacking: Option<String>) -> Response {
    let reason = answer.extensions().get::<Reason>().copied();
    let Some(reason) = reason.filter(|_| !is_page(&answer)) else {
        return answer;
    };
    let is_nobody = is_of_nobody(&answer);
    if is_nobody && asked.method == Method::GET {
        return see_other(&sign_in_for(asked));
    }
    if reason == Reason::MethodNotAllowed && asked.method == Method::GET {
        return see_other(page_above(asked.uri.path()));
    }
    let said = answer.extensions().get::<Said>().cloned();
    let field = said.as_ref().and_then(|said| said.field.as_deref());
    let has_filters = asked.method == Method::GET && asked.uri.query().is_some();
    let told = said
        .as_ref()
        .map_or(reason.sentence(), |said| &said.message);
    let told = match field.filter(|_| has_filters) {
        Some(field) => told.replace(&format!("`{field}`"), "A filter"),
        None => told.to_owned(),
    };
    let (old, _) = answer.into_parts();
    let view = View::of(asked);
    let (status, title) = (old.status, title(reason));
    let body = html! {
        h1 { (title) }
        @if let Some(lacking) = lacking { p { (lacking) " One of them can give you another role." } }
        @else { p { (sentence(reason).unwrap_or(&told)) } }
        @if let Some(field) = field { p { "It is about " code { (field) } "." } }
        @if is_nobody {
            p { "Nothing was changed. Sign in, and send the form again." }
            p { a.button href="/sign-in" { "Sign in" } }
        } @else if field.is_some() && has_filters {
            p { a.button href=(asked.uri.path()) { "Clear filters" } }
        } @else {
            p { a.button href="/" { "Go to the start" } }
        }
        p.quiet { "Request " code { (view.request_id) } }
    };
    let mut page = view.page_with(status, title, body);
    // Those that say when to come back, and what is left of a budget.
    for (name, value) in old.headers {
        if let Some(name) = name.filter(|name| *name != CONTENT_TYPE) {
            page.headers_mut().insert(name, value);
        }
    }
    page.extensions_mut().extend(old.extensions);
    page
}

/// What a member of the team lacks for a page of it. Nobody else learns anything.
async fn lacking(app: &Shared, asked: &Parts) -> Option<String> {
    let path = asked.extensions.get::<MatchedPath>()?;
    let mut pages = for_people().into_iter();
    let page = pages.find(|page| page.method == asked.method && page.path == path.as_str())?;
    let need = Need::of(page.right?)?;
    let team = asked.uri.path().split('/').nth(2)?;
    role_in(app, &asked.headers, team)
        .await
        .map(|role| need.told(role))
}

fn is_page(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn sign_in_for(asked: &Parts) -> String {
    match asked.uri.path_and_query() {
        Some(place) if place.as_str() != "/" => {
            let next = utf8_percent_encode(place.as_str(), &PLAIN);
            format!("/sign-in?next={next}")
        }
        _ => "/sign-in".to_owned(),
    }
}

/// The page that holds the form of an address which only takes one: a browser is left there by a form that came back,
/// and asks for it again.
fn page_above(path: &str) -> &str {
    static PAGES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let pages = for_people().into_iter();
        let shown = pages.filter(|route| route.method == Method::GET);
        shown.map(|route| route.path).collect()
    });
    let is_shown = |path: &str| PAGES.iter().any(|page| is_at(page, path));
    let mut above = path;
    while let Some((rest, _)) = above.rsplit_once('/') {
        if rest.is_empty() || is_shown(rest) {
            above = rest;
            break;
        }
        above = rest;
    }
    if above.is_empty() { "/" } else { above }
}

/// Whether a path is that of a page.
fn is_at(page: &str, path: &str) -> bool {
    let (page, path) = (page.split('/'), path.split('/'));
    page.clone().count() == path.clone().count()
        && page
            .zip(path)
            .all(|(page, part)| page.starts_with('{') || page == part)
}

/// What a refusal means for somebody who looks at pages, where the sentence of the API does not say it.
fn sentence(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Unauthenticated | Reason::SessionExpired => {
            Some("You are not signed in, or your session has ended.")
        }
        Reason::UnsupportedMediaType => Some("This is no form of our pages. Load the page again."),
        Reason::MethodNotAllowed => Some("This address takes something else than what was sent."),
        _ => None,
    }
}

fn title(reason: Reason) -> &'static str {
    match reason.status() {
        StatusCode::UNAUTHORIZED => "Not signed in",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::TOO_MANY_REQUESTS => "Too fast",
        status if status.is_server_error() => "Something is wrong",
        _ => "That did not work",
    }
}

/// The headers of every page.
fn safe(app: &App) -> HeaderMap {
    let fixed = HeaderValue::from_static;
    let frames = app.settings.public_url.as_deref().unwrap_or("'self'");
    let policy = format!("{}{frames}{}", POLICY[0], POLICY[1]);
    let policy = HeaderValue::try_from(policy).unwrap_or(fixed("default-src 'none'"));
    let mut headers = HeaderMap::from_iter([
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (REFERRER_POLICY, fixed("same-origin")),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            fixed("same-origin"),
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            fixed("same-origin"),
        ),
        (CACHE_CONTROL, fixed("no-store")),
    ]);
    if app.is_https() {
        let a_year = fixed("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, a_year);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_on_the_page_above_it() {
        for (path, above) in [
            ("/t/team_1/keys/revoke", "/t/team_1/keys"),
            ("/t/team_1/leave", "/t/team_1"),
            ("/t/team_1/p/proj_1/start/key", "/t/team_1/p/proj_1/start"),
            (
                "/t/team_1/p/p_1/webhooks/w_1/enable",
                "/t/team_1/p/p_1/webhooks/w_1",
            ),
            ("/account/password", "/account"),
            ("/accept/new", "/accept"),
            ("/sign-out", "/"),
        ] {
            assert_eq!(page_above(path), above, "{path}");
        }
    }
}
