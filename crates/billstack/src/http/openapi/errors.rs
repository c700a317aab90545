//! How calls refuse, as the document tells it.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, Response, ResponseBuilder};

use super::headers;
use crate::error::Reason;
use crate::http::access::Right;
use crate::http::route::Route;

/// Every way a call can refuse, by status.
pub(super) fn reasons(route: &Route) -> BTreeMap<StatusCode, Vec<Reason>> {
    use Reason as R;
    let mut all = route.reasons.to_vec();
    all.extend([R::InvalidRequest, R::RequestTimeout, R::PayloadTooLarge]);
    all.extend([R::Internal, R::Overloaded]);
    all.extend([R::DatabaseUnavailable, R::ShuttingDown]);
    if route.path.contains('{') {
        all.push(R::NotFound);
    }
    let changes = route.method != Method::GET;
    // A body is looked at also where none is asked for. Stripe's events are read tolerantly and whatever
    // their declared type.
    if changes && !route.path.starts_with("/api/webhooks/") {
        all.extend([R::InvalidJson, R::UnsupportedMediaType]);
    }
    if changes {
        all.push(R::OutcomeUnknown);
    }
    all.extend(of_right(route.right, changes));
    let mut by_status: BTreeMap<StatusCode, Vec<Reason>> = BTreeMap::new();
    for reason in all {
        let reasons = by_status.entry(reason.status()).or_default();
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    by_status
}

fn of_right(right: Right, changes: bool) -> Vec<Reason> {
    use Reason as R;
    if right == Right::Open {
        return Vec::new();
    }
    let mut all = vec![R::Unauthenticated, R::InvalidApiKey];
    all.extend([R::ApiKeyExpired, R::ApiKeyRevoked, R::SessionExpired]);
    all.extend([R::Forbidden, R::RateLimited]);
    if changes {
        all.push(R::CrossSiteRequest);
    }
    match right {
        Right::Project(_) => {
            all.push(R::InsufficientScope);
            if changes {
                all.extend([R::IdempotencyKeyInUse, R::IdempotencyKeyReused]);
            }
        }
        _ => all.push(R::SessionRequired),
    }
    all
}

/// The answer of one status.
pub(super) fn response(status: StatusCode, reasons: &[Reason]) -> Response {
    let names: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    let mut content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Error")));
    for reason in reasons {
        let body = json!({"error": reason.sentence(), "reason": reason.as_str()});
        let example = ExampleBuilder::new()
            .summary(reason.sentence())
            .value(Some(body));
        content = content.examples_from_iter([(reason.as_str().to_owned(), example.build())]);
    }
    let phrase = status.canonical_reason().unwrap_or("Error");
    let response = ResponseBuilder::new()
        .description(format!("{phrase}: `{}`.", names.join("`, `")))
        .content("application/json", content.build());
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            response.header("Retry-After", headers::retry_after())
        }
        StatusCode::UNAUTHORIZED => response.header("WWW-Authenticate", headers::scheme()),
        _ => response,
    }
    .build()
}

/// The one shape of every error.
pub(super) fn schema() -> Schema {
    let reasons = Reason::ALL.iter().map(|reason| json!(reason.as_str()));
    let reason = text("Stable, for programs.").enum_values(Some(reasons.collect::<Vec<_>>()));
    let resource = |name: &str, description: &str| {
        let mut reference = Ref::from_schema_name(name);
        reference.description = description.to_owned();
        reference
    };
    Schema::Object(
        ObjectBuilder::new()
            .property("error", text("A sentence for a person."))
            .property("reason", reason)
            .property("field", text("The one field at fault, when there is one."))
            .property(
                "customer",
                resource("CustomerJson", "With `customer_exists`: that customer."),
            )
            .property(
                "code",
                resource("CodeJson", "With `active_code_exists`: that code."),
            )
            .property(
                "referral",
                resource("ReferralJson", "With `already_referred`: that referral."),
            )
            .required("error")
            .required("reason")
            .description(Some(
                "Why a call was refused. Some refusals carry the thing in the way.",
            ))
            .build(),
    )
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .description(Some(description))
}
