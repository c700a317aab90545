//! The headers of answers, as the document tells them.

use axum::http::Method;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, path::Operation};
use utoipa::openapi::{Response, Responses};

use crate::http::access::Right;

/// Statuses whose answers an Idempotency-Key can keep.
const KEPT: [&str; 4] = ["200", "201", "404", "409"];

/// Adds the headers of a call to each of its answers.
pub(super) fn add(operation: &mut Operation, right: Right, method: &Method) {
    let Responses { responses, .. } = &mut operation.responses;
    for (status, response) in responses {
        let RefOr::T(response) = response else {
            continue;
        };
        insert(response, "X-Request-Id", request_id());
        if right != Right::Open && (status.starts_with('2') || KEPT.contains(&status.as_str())) {
            insert(response, "RateLimit-Policy", policy());
            insert(response, "RateLimit", rate());
        }
        let is_keyed = matches!(right, Right::Project(_)) && *method != Method::GET;
        if is_keyed && KEPT.contains(&status.as_str()) {
            insert(response, "Idempotency-Replayed", replayed());
        }
    }
}

fn insert(response: &mut Response, name: &str, header: Header) {
    response.headers.insert(name.to_owned(), header.into());
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

pub(super) fn retry_after() -> Header {
    let schema = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Integer))
        .minimum(Some(1))
        .examples([1]);
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Seconds to wait before trying again."))
        .build()
}

pub(super) fn scheme() -> Header {
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
