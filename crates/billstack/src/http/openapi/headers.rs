//! The headers of answers, as the document tells them.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};

use crate::error::Reason;
use crate::http::route::Route;

/// Statuses whose answers an Idempotency-Key can keep.
const KEPT: [&str; 4] = ["200", "201", "404", "409"];

/// What counts the answers of a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Anybody may call, uncounted.
    Open,
    /// The caller's requests are counted.
    Counted,
    /// They are, and the answer is kept under an Idempotency-Key.
    Keyed,
}

/// What the answers of this status are, where that is a question.
pub(super) fn kind(route: &Route, status: &str) -> Option<Kind> {
    let is_kept = KEPT.contains(&status);
    match route.right {
        _ if !is_kept && !status.starts_with('2') => None,
        None => Some(Kind::Open),
        Some(_) if is_kept && route.keeps_answers() => Some(Kind::Keyed),
        _ => Some(Kind::Counted),
    }
}

/// The headers of an answer of this kind.
pub(super) fn of(kind: Option<Kind>) -> BTreeMap<String, RefOr<Header>> {
    let names: &[&str] = match kind {
        None | Some(Kind::Open) => &["X-Request-Id"],
        Some(Kind::Counted) => &["X-Request-Id", "RateLimit-Policy", "RateLimit"],
        Some(Kind::Keyed) => &[
            "X-Request-Id",
            "RateLimit-Policy",
            "RateLimit",
            "Idempotency-Replayed",
        ],
    };
    names.iter().map(|name| named(name)).collect()
}

/// The header with which errors of this status say what to do next.
pub(super) fn of_error(status: StatusCode, reasons: &[Reason]) -> Option<(String, RefOr<Header>)> {
    match status {
        _ if reasons.iter().any(|reason| reason.asks_to_retry()) => Some(named("Retry-After")),
        StatusCode::UNAUTHORIZED => Some(named("WWW-Authenticate")),
        _ => None,
    }
}

fn named(name: &str) -> (String, RefOr<Header>) {
    let reference = Ref::new(format!("#/components/headers/{name}"));
    (name.to_owned(), RefOr::Ref(reference))
}

/// Adds the headers of a call to each answer that its handler describes.
pub(super) fn add(operation: &mut Operation, route: &Route) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            response.headers.extend(of(kind(route, status)));
        }
    }
}

/// Every header that answers share.
pub(super) fn shared() -> [(&'static str, Header); 6] {
    [
        ("X-Request-Id", request_id()),
        ("RateLimit-Policy", policy()),
        ("RateLimit", rate()),
        ("Idempotency-Replayed", replayed()),
        ("Retry-After", retry_after()),
        ("WWW-Authenticate", scheme()),
    ]
}

fn request_id() -> Header {
    text(
        "Names this request in logs and events: the `X-Request-Id` that was sent, if it is plain, or \
         a new one.",
        "9f86d081884c7d659a2feaa0",
    )
}

fn policy() -> Header {
    text(
        "The limit that applies: a quota `q` per window of `w` seconds. Absent when limits are off.",
        "\"default\";q=100;w=1",
    )
}

fn rate() -> Header {
    text(
        "What remains (`r`), and the seconds until the quota is whole again (`t`).",
        "\"default\";r=99;t=1",
    )
}

fn replayed() -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(["true"]));
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(
            "Present when this is the kept answer of an earlier request under the same \
             `Idempotency-Key`.",
        ))
        .build()
}

fn retry_after() -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(1))
        .examples([1]);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Seconds to wait before trying again."))
        .build()
}

fn scheme() -> Header {
    text("How to authenticate.", "Bearer realm=\"billstack\"")
}

fn text(description: &str, example: &str) -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .examples([example]);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some(description))
        .build()
}
