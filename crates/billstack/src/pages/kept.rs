//! A form that was sent when its session had ended: it comes back as typed once somebody has signed in, and is not sent.
//!
//! What was typed travels sealed, from the page that asks to sign in to the page of the form. Nothing of it is kept here.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Method;
use axum::http::request::Parts;
use hyper::body::Body as _;
use serde_json::Value;

use super::form::{Form, ONCE};
use crate::app::App;
use crate::http::answer::json;
use crate::http::input::is_declared_as;
use crate::http::origin::same_origin;
use crate::http::serve::read_body;

/// The field that brings a form back.
pub(super) const KEPT: &str = "kept";

/// The largest form that is kept, in bytes.
const LARGEST: u64 = 16 * 1024;

/// What stands in the name of a field that nobody writes down.
const UNWRITTEN: [&str; 3] = ["password", "secret", "token"];

/// The body of a small form of our own pages, to be kept should there be no session, and the body again.
pub(super) async fn of_request(app: &App, parts: &Parts, body: Body) -> (Option<Bytes>, Body) {
    let is_ours = same_origin(&parts.headers, app.settings.base_url.as_deref());
    let is_form = parts.method == Method::POST && is_declared_as(&parts.headers, FORM);
    let is_small = body.size_hint().upper().is_some_and(|size| size <= LARGEST);
    if !(is_ours && is_form && is_small) {
        return (None, body);
    }
    let timeout = Duration::from_secs(app.settings.body_timeout_seconds.into());
    match read_body(body, LARGEST as usize, timeout).await {
        Ok(bytes) => (Some(bytes.clone()), Body::from(bytes)),
        // Whoever reads it next says what is wrong.
        Err(_) => (None, Body::empty()),
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// What was typed, for the page at this path alone. Passwords and secrets are typed anew, and where nothing was typed the
/// form comes back all the same.
pub(super) fn seal(app: &App, path: &str, body: &[u8]) -> String {
    let form = Form::parse(body);
    let is_written = |name: &str| {
        let name = name.to_ascii_lowercase();
        name != ONCE && name != KEPT && !UNWRITTEN.iter().any(|word| name.contains(word))
    };
    let fields: Vec<_> = form.fields().filter(|(name, _)| is_written(name)).collect();
    app.cipher.seal(&json(&fields), &context(path))
}

/// What was typed, if it was for this path.
pub(super) fn open(app: &App, path: &str, sealed: &str) -> Option<Vec<(String, String)>> {
    let text = app.cipher.open(sealed, &context(path)).ok()?;
    let fields: Value = serde_json::from_str(&text).ok()?;
    serde_json::from_value(fields).ok()
}

fn context(path: &str) -> String {
    format!("form {path}")
}
