//! `/portal`: a customer's page, which needs no script, and `/portal/view`: what of it a frame shows.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    LOCATION, REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::portal::{Locale, Session};
use billstack_core::vanity::Vanity;
use billstack_store::list::{Page, Part};
use billstack_store::portal::{self, Friend, Overview, Visit};
use billstack_store::{Abort, Fault, NotOnPage, Refusal, Share, Tx, Weight};
use maud::Markup;
use url::form_urlencoded;

use super::caller::{PortalCaller, own_origin};
use super::place::{Context, sealed_cursor, unsealed};
use super::sight::{Seen, Sight};
use super::view;
use crate::api::portal::me::share_url;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::portal_cookie;
use crate::http::origin::same_origin;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::http::serve::read_body;
use crate::http::visitor::client_address;

/// Rows of each list on a page.
const ROWS: i64 = 20;

/// The largest form, in bytes.
const LARGEST_FORM: usize = 4096;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// What there is to see of a customer whom a session lets in.
struct Looked {
    overview: Overview,
    friends: Part<Friend>,
    credits: Part<billstack_store::credits::Credit>,
}

/// `GET /portal`.
pub async fn page(State(app): State<Shared>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let Some(session) = session(&app, &parts) else {
        return over(&app, &parts);
    };
    if let Err(refused) = count(&app, &parts) {
        return refused.into_response();
    }
    shown(&app, &parts, &session, None).await
}

/// `POST /portal/code`: makes the customer's code, or gives it a name.
pub async fn code(State(app): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(session) = session(&app, &parts) else {
        return over(&app, &parts);
    };
    let is_ours = same_origin(&parts.headers, own_origin(&app));
    if !is_ours {
        return ApiError::new(Reason::CrossSiteRequest).into_response();
    }
    if let Err(refused) = count(&app, &parts) {
        return refused.into_response();
    }
    let timeout = std::time::Duration::from_secs(app.settings.body_timeout_seconds.into());
    let typed = match read_body(body, LARGEST_FORM, timeout).await {
        Ok(bytes) => vanity(&bytes),
        Err(refused) => return refused.into_response(),
    };
    let name = match typed.as_deref().map(Vanity::parse).transpose() {
        Ok(name) => name,
        Err(_) => return shown(&app, &parts, &session, typed).await,
    };
    let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let caller = PortalCaller::of_page(session.clone(), request_id.unwrap_or_default());
    let taken = caller.write(&app, move |tx, act, session| {
        portal::take_code(tx, act, session, name.as_ref())
    });
    match taken.await {
        Ok(_) => back(&app),
        Err(Abort::Refused(Refusal::NotNamed(_))) => shown(&app, &parts, &session, typed).await,
        Err(Abort::Refused(Refusal::NotOnPage(NotOnPage::SessionOver))) => over(&app, &parts),
        // A form of a page that was opened before the settings changed.
        Err(Abort::Refused(Refusal::NotOnPage(_) | Refusal::Apply(_))) => back(&app),
        Err(abort) => ApiError::from(abort).into_response(),
    }
}

/// `GET /portal/view`: the page without its head, for who shows the token of a session.
pub async fn fragment(
    State(app): State<Shared>,
    caller: PortalCaller,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let query = Query::parse(parts.uri.query()).unwrap_or_default();
    let session = caller.session.clone();
    let (friends, credits) = pages(&app, &session, &query);
    let customer_id = session.customer_id.clone();
    let read = move |tx: &mut dyn Tx, visit: &Visit| {
        Ok(look(tx, visit, &customer_id, &friends, &credits)?)
    };
    let show = |visit: &Visit, looked: Looked| {
        let locale = locale(&query, session.locale, &parts.headers);
        let sight = sight(&app, locale, &session, visit, &looked);
        let mut headers = safe(&app);
        headers.insert(
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'"),
        );
        (headers, view::view(&sight).into_string()).into_response()
    };
    caller.answer(&app, read, show).await
}

fn count(app: &Shared, parts: &Parts) -> Result<(), ApiError> {
    app.portal_pace.count_address(&client_address(parts, app)?)
}

/// The session of whoever has our cookie, as far as the cookie tells.
fn session(app: &Shared, parts: &Parts) -> Option<Session> {
    let token = portal_cookie(app).read(&parts.headers)?;
    Session::read(&token, &app.portal_key)
}

/// The page, with what was typed if that is refused.
async fn shown(
    app: &Shared,
    parts: &Parts,
    session: &Session,
    refused: Option<String>,
) -> Response {
    let query = Query::parse(parts.uri.query()).unwrap_or_default();
    let (friends, credits) = pages(app, session, &query);
    let (asked, now) = (session.clone(), app.now());
    let (team, weight) = (session.team_id.number(), Weight::Short);
    let looked = app.store.scan_for(Share { team, weight }, move |tx| {
        let visit = portal::visit(tx, &asked, now)?;
        let looked = match visit.is_let_in {
            true => Some(look(tx, &visit, &asked.customer_id, &friends, &credits)?),
            false => None,
        };
        Ok((visit, looked))
    });
    let (visit, looked) = match looked.await {
        Ok((visit, Some(looked))) => (visit, looked),
        Ok((_, None)) => return over(app, parts),
        Err(abort) => return ApiError::from(abort).into_response(),
    };
    let locale = locale(&query, session.locale, &parts.headers);
    let mut sight = sight(app, locale, session, &visit, &looked);
    let status = match (&mut sight.form, refused) {
        (Some(form), Some(typed)) => {
            form.refused = Some(typed);
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    };
    answer(app, status, &view::page(&sight, &visit.settings.theme))
}

fn look(
    tx: &mut dyn Tx,
    visit: &Visit,
    customer_id: &str,
    friends: &Page,
    credits: &Page,
) -> Result<Looked, Fault> {
    Ok(Looked {
        overview: portal::overview(tx, &visit.place, customer_id)?,
        friends: portal::friends(tx, &visit.place, customer_id, friends)?,
        credits: portal::credits(tx, &visit.place, customer_id, credits)?,
    })
}

fn context<'a>(session: &'a Session, list: &'static str) -> Context<'a> {
    Context { session, list }
}

/// Where the two lists go on. A place that is none is where they begin.
fn pages(app: &App, session: &Session, query: &Query) -> (Page, Page) {
    let page = |list: &'static str| {
        let sealed = query.optional_str(list, 700).ok().flatten();
        let first = |_| unsealed(app, context(session, list), None, ROWS);
        let page = unsealed(app, context(session, list), sealed, ROWS).or_else(first);
        page.unwrap_or(Page::first(ROWS))
    };
    (page("referrals"), page("credits"))
}

/// The language: as the address says, or the session, or the browser.
pub(super) fn locale(query: &Query, of_session: Option<Locale>, headers: &HeaderMap) -> Locale {
    let asked = query.optional_str("locale", 16).ok().flatten();
    let accepted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    asked
        .and_then(Locale::of_tag)
        .or(of_session)
        .or(accepted.and_then(Locale::of_accept_language))
        .unwrap_or(Locale::English)
}

fn sight(app: &App, locale: Locale, session: &Session, visit: &Visit, looked: &Looked) -> Sight {
    let link = share_url(app, &looked.overview).map(|url| {
        let path = url.strip_prefix(app.public_url()).unwrap_or(&url);
        let qr_path = format!("{path}/qr.svg");
        (url, qr_path)
    });
    let seen = Seen {
        settings: &visit.settings,
        overview: &looked.overview,
        friends: &looked.friends.rows,
        credits: &looked.credits.rows,
        link,
        read_only: session.read_only,
    };
    let next = |list: &'static str, next| {
        let sealed = sealed_cursor(app, context(session, list), next)?;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("locale", locale.as_str());
        Some(query.append_pair(list, &sealed).finish())
    };
    Sight {
        older_friends: next("referrals", looked.friends.next.as_ref()),
        older_credits: next("credits", looked.credits.next.as_ref()),
        ..Sight::new(locale, &seen)
    }
}

/// The name that a form brings; an empty field is none.
fn vanity(form: &[u8]) -> Option<String> {
    let mut fields = form_urlencoded::parse(form);
    let found = fields.find(|(name, _)| name == "vanity");
    let typed = found.map(|(_, value)| value.trim().to_owned());
    typed.filter(|typed| !typed.is_empty())
}

fn back(app: &App) -> Response {
    let to = [(LOCATION, HeaderValue::from_static("/portal"))];
    (StatusCode::SEE_OTHER, safe(app), to).into_response()
}

/// The page of whom nothing lets in any more. The cookie goes.
fn over(app: &Shared, parts: &Parts) -> Response {
    let mut response = no_way_in(app, parts);
    let cookie = portal_cookie(app).clear();
    response.headers_mut().insert(SET_COOKIE, cookie);
    response
}

/// The same for an address that lets nobody in: whoever has a session keeps it.
pub(super) fn no_way_in(app: &Shared, parts: &Parts) -> Response {
    let accepted = parts.headers.get(ACCEPT_LANGUAGE);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    let locale = accepted.and_then(Locale::of_accept_language);
    let page = view::over(locale.unwrap_or(Locale::English));
    answer(app, StatusCode::UNAUTHORIZED, &page)
}

fn answer(app: &App, status: StatusCode, page: &Markup) -> Response {
    (status, safe(app), page.0.clone()).into_response()
}

/// The headers of every page.
pub(super) fn safe(app: &App) -> HeaderMap {
    let fixed = HeaderValue::from_static;
    let same_origin = |name: &'static str| (HeaderName::from_static(name), fixed("same-origin"));
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, fixed("text/html; charset=utf-8")),
        (CONTENT_SECURITY_POLICY, fixed(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, fixed("nosniff")),
        (REFERRER_POLICY, fixed("same-origin")),
        same_origin("cross-origin-opener-policy"),
        same_origin("cross-origin-resource-policy"),
        (CACHE_CONTROL, fixed("no-store")),
        (HeaderName::from_static("x-robots-tag"), fixed("noindex")),
    ]);
    if app.public_url().starts_with("https://") {
        headers.insert(STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000"));
    }
    headers
}
