//! Two origins of one server: one for those who sign in, and one for what strangers see.
//!
//! Whoever finds a fault in a page for strangers then has nothing of those who sign in: their cookies belong to the
//! other origin. So each origin answers for its own paths alone.

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::app::Shared;
use crate::error::{ApiError, Reason};

/// What strangers see: these, and what is below them.
const OF_STRANGERS: [&str; 5] = ["/r", "/portal", "/embed", "/api/portal", "/api/public"];

/// What both origins need: what balancers ask, and what pages load.
const OF_BOTH: [&str; 3] = ["/assets", "/healthz", "/readyz"];

/// The layer around all routes of a server with a second origin.
pub async fn separate(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let public = app.settings.public_url.as_deref().unwrap_or_default();
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok()),
    };
    let path = request.uri().path();
    let is_of_strangers = is_below(path, &OF_STRANGERS);
    let is_at_home = is_at(public, host.unwrap_or_default()) == is_of_strangers;
    if is_at_home || is_below(path, &OF_BOTH) {
        return next.run(request).await;
    }
    ApiError::new(Reason::NotFound).into_response()
}

fn is_below(path: &str, places: &[&str]) -> bool {
    let is_below = |place: &&str| {
        let rest = path.strip_prefix(place);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    places.iter().any(is_below)
}

/// Whether a host, with its port or without, is that of an origin.
fn is_at(origin: &str, host: &str) -> bool {
    let Ok(ours) = Url::parse(origin) else {
        return false;
    };
    let asked = Url::parse(&format!("{}://{host}", ours.scheme()));
    asked.is_ok_and(|asked| asked.origin() == ours.origin())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_as_browsers_write_it() {
        let at = |host| is_at("https://refer.test", host);
        assert!(at("refer.test") && at("Refer.Test:443"));
        for other in [
            "refer.test:8443",
            "app.test",
            "x.refer.test",
            "refer.test.",
            "",
            "a b",
        ] {
            assert!(!at(other), "{other}");
        }
        assert!(is_at("http://127.0.0.1:8081", "127.0.0.1:8081"));
        assert!(!is_at("http://127.0.0.1:8081", "127.0.0.1:8080"));
    }

    #[test]
    fn a_path_belongs_to_what_it_is_below() {
        for path in [
            "/r/AB2CD3EF",
            "/portal",
            "/portal/enter/x",
            "/embed/v1.js",
            "/api/portal/me",
        ] {
            assert!(is_below(path, &OF_STRANGERS), "{path}");
        }
        for path in [
            "/",
            "/readyz",
            "/portals",
            "/api/billstack/teams",
            "/t/r/portal",
        ] {
            assert!(!is_below(path, &OF_STRANGERS), "{path}");
        }
    }
}
