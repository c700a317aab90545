//! `/embed/…`: what pages of other origins show of a customer's page, in a frame.
//!
//! Neither the element nor the frame has a cookie or storage: the page around it brings the token of a session.

use std::sync::LazyLock;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use billstack_core::portal::{Locale, Settings};
use billstack_store::{Place, portal};

use super::page::{locale, safe};
use super::sight::Sight;
use super::view;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::fixed::Fixed;
use crate::http::path::Somewhere;
use crate::http::query::Query;
use crate::http::visitor::client_address;

const ELEMENT: &str = include_str!("../../../../assets/embed/v1.js");

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Around the origins that may show the frame.
const POLICY: [&str; 2] = [
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; frame-src 'none'; frame-ancestors ",
    "; base-uri 'none'; require-trusted-types-for 'script'; trusted-types billstack-frame",
];

/// `GET /embed/v1.js`: the element that pages of other origins use. Its address is written into those pages, so it never
/// changes, and what is there may.
pub async fn element(headers: HeaderMap) -> Response {
    static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
        let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
        Fixed::new(kind, ELEMENT)
    });
    let fixed = HeaderValue::from_static;
    let mut response = FIXED.answer(&headers);
    let own = response.headers_mut();
    // A module of another origin is read by the page that uses it.
    own.insert(ACCESS_CONTROL_ALLOW_ORIGIN, fixed("*"));
    own.insert(CORP, fixed("cross-origin"));
    own.insert(X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    own.insert(CACHE_CONTROL, fixed("public, max-age=300"));
    response
}

/// `GET /embed/{teamId}/{projectId}`: the page in the frame, which is empty until it is told whose it is.
pub async fn frame(
    State(app): State<Shared>,
    Somewhere(place): Somewhere,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let (settings, locale) = look(&app, &place, &parts).await?;
    let sample_path = format!("/embed/{}/{}/sample", place.team_id, place.project_id);
    let query = Query::parse(parts.uri.query()).unwrap_or_default();
    let asked = |name| query.optional_str(name, 16).ok().flatten();
    let look = asked("theme").filter(|look| ["light", "dark"].contains(look));
    let sample = asked("sample").map(|_| Sight::sample(locale, &settings));
    let page = view::frame(
        locale,
        &settings.theme,
        &sample_path,
        (look, sample.as_ref()),
    );
    let policy = policy(&app, &settings.allowed_origins);
    Ok((StatusCode::OK, headers(&app, policy), page.into_string()).into_response())
}

/// `GET /embed/{teamId}/{projectId}/sample`: what a frame shows to whoever sets it up.
pub async fn sample(
    State(app): State<Shared>,
    Somewhere(place): Somewhere,
    request: Request,
) -> Result<Response, ApiError> {
    let (parts, _) = request.into_parts();
    let (settings, locale) = look(&app, &place, &parts).await?;
    let view = view::view(&Sight::sample(locale, &settings));
    let policy = HeaderValue::from_static("default-src 'none'");
    Ok((StatusCode::OK, headers(&app, policy), view.into_string()).into_response())
}

/// How a project has set its pages up, and the language that whoever asks reads.
async fn look(app: &Shared, place: &Place, parts: &Parts) -> Result<(Settings, Locale), ApiError> {
    app.portal_pace
        .count_address(&client_address(parts, app)?)?;
    let place = place.clone();
    let looked = app
        .store
        .point(move |tx| Ok(portal::settings_of(tx, &place)?));
    let settings = looked.await?.ok_or(ApiError::new(Reason::NotFound))?;
    let query = Query::parse(parts.uri.query()).unwrap_or_default();
    Ok((settings, locale(&query, None, &parts.headers)))
}

/// Who may show the frame: pages of the allowed origins, and our own for those who set it up.
fn policy(app: &App, allowed: &[String]) -> HeaderValue {
    let ours = match app.settings.public_url {
        Some(_) => app.base_url(),
        None => "'self'",
    };
    let mut ancestors = vec![ours];
    ancestors.extend(allowed.iter().map(String::as_str));
    let policy = format!("{}{}{}", POLICY[0], ancestors.join(" "), POLICY[1]);
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    HeaderValue::try_from(policy).unwrap_or(nothing)
}

fn headers(app: &App, policy: HeaderValue) -> HeaderMap {
    let mut headers = safe(app);
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(CORP, HeaderValue::from_static("cross-origin"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_element_holds_its_budget() {
        assert!(ELEMENT.len() <= 6 * 1024, "{}", ELEMENT.len());
    }
}
