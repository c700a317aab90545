//! How calls refuse, as the document tells it.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde_json::json;
use utoipa::openapi::content::Content;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};

use super::headers::{self, Kind};
use crate::error::Reason;
use crate::http::access::Right;
use crate::http::known::Known;
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
    // A body is checked even where none is asked for. Stripe's events are read tolerantly, whatever their
    // declared type.
    if changes && !route.is_of_stripe() {
        all.extend([R::InvalidJson, R::UnknownMember]);
        all.push(R::UnsupportedMediaType);
    }
    if !route.is_of_stripe() {
        all.push(R::UnknownParameter);
    }
    let takes_offset = |known: &Vec<String>| known.iter().any(|name| name == "offset");
    if Known::new(route, Vec::new())
        .parameters
        .as_ref()
        .is_some_and(takes_offset)
    {
        all.push(R::UseCursor);
    }
    if changes {
        all.push(R::OutcomeUnknown);
    }
    all.extend(of_right(route, changes));
    let mut by_status: BTreeMap<StatusCode, Vec<Reason>> = BTreeMap::new();
    for reason in all {
        let reasons = by_status.entry(reason.status()).or_default();
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    by_status
}

fn of_right(route: &Route, changes: bool) -> Vec<Reason> {
    use Reason as R;
    let Some(right) = route.right else {
        return Vec::new();
    };
    let mut all = vec![R::Unauthenticated, R::InvalidApiKey];
    all.extend([R::ApiKeyExpired, R::ApiKeyRevoked, R::SessionExpired]);
    all.extend([R::Forbidden, R::RateLimited]);
    if changes {
        all.push(R::CrossSiteRequest);
    }
    match right {
        Right::Project(_) | Right::ProjectAdmin(_) => {
            all.push(R::InsufficientScope);
            if route.keeps_answers() {
                all.extend([R::IdempotencyKeyInUse, R::IdempotencyKeyReused]);
            }
        }
        Right::TeamReader(_) => all.push(R::InsufficientScope),
        Right::Known | Right::TeamKnown => {}
        _ => all.push(R::SessionRequired),
    }
    all
}

/// An answer that calls share, and its name in the document.
///
/// The name says all that makes one differ from another, so that equal answers meet under one name, and
/// a reader of an operation sees how it refuses.
pub(super) fn response(
    route: &Route,
    status: StatusCode,
    reasons: &[Reason],
) -> (String, Response) {
    let kind = headers::kind(route, status.as_str());
    let name: Vec<String> = reasons.iter().map(|reason| format!("{reason:?}")).collect();
    let name = name.join("Or");
    let name = match kind {
        Some(Kind::Open) => format!("Open{name}"),
        Some(Kind::Keyed) => format!("Keyed{name}"),
        Some(Kind::Counted) | None => name,
    };
    let words: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
    let phrase = status.canonical_reason().unwrap_or("Error");
    let mut content = Content::new(Some(body(reasons)));
    content.examples = words.iter().map(|word| example_of(word)).collect();
    let mut response = ResponseBuilder::new()
        .description(format!("{phrase}: `{}`.", words.join("`, `")))
        .content("application/json", content)
        .build();
    response.headers = headers::of(kind);
    response.headers.extend(headers::of_error(status, reasons));
    (name, response)
}

fn example_of(word: &str) -> (String, RefOr<Example>) {
    let reference = Ref::new(format!("#/components/examples/{word}"));
    (word.to_owned(), RefOr::Ref(reference))
}

/// The example of a refusal.
pub(super) fn example(reason: Reason) -> Example {
    let body = json!({"error": reason.sentence(), "reason": reason.as_str()});
    ExampleBuilder::new()
        .summary(reason.sentence())
        .value(Some(body))
        .build()
}

/// A refusal that shows what is in the way.
pub(super) struct Showing {
    pub(super) reason: Reason,
    /// The member of the body.
    pub(super) member: &'static str,
    /// The schema of that member.
    resource: &'static str,
}

/// Every one of them. Each has a schema of its own, so that a client can tell by `reason` what else there is.
pub(super) const SHOWING: [Showing; 3] = [
    Showing {
        reason: Reason::CustomerExists,
        member: "customer",
        resource: "Customer",
    },
    Showing {
        reason: Reason::ActiveCodeExists,
        member: "code",
        resource: "ReferralCode",
    },
    Showing {
        reason: Reason::AlreadyReferred,
        member: "referral",
        resource: "Referral",
    },
];

impl Showing {
    /// The name of its own schema.
    pub(super) fn schema_name(&self) -> String {
        format!("{:?}Error", self.reason)
    }

    fn schema(&self) -> Schema {
        let mut resource = Ref::from_schema_name(self.resource);
        resource.description = "What is in the way.".to_owned();
        let body = envelope([self.reason]).property(self.member, resource);
        let body = body.required(self.member);
        let sentence = self.reason.sentence();
        Schema::Object(body.description(Some(sentence)).build())
    }
}

/// The body of a refusal for one of these reasons.
fn body(reasons: &[Reason]) -> RefOr<Schema> {
    let shows = |of: &&Showing| reasons.contains(&of.reason);
    let special: Vec<&Showing> = SHOWING.iter().filter(shows).collect();
    let mut names: Vec<_> = special.iter().map(|of| of.schema_name()).collect();
    if special.len() < reasons.len() {
        names.push("Error".to_owned());
    }
    match names.as_slice() {
        [one] => Ref::from_schema_name(one).into(),
        many => {
            let one_of = many.iter().fold(OneOfBuilder::new(), |one_of, name| {
                one_of.item(Ref::from_schema_name(name))
            });
            Schema::OneOf(one_of.build()).into()
        }
    }
}

/// The schemas of all refusals, by name.
pub(super) fn schemas() -> impl Iterator<Item = (String, Schema)> {
    let special = SHOWING.iter().map(|of| (of.schema_name(), of.schema()));
    special.chain([("Error".to_owned(), schema())])
}

/// What a refusal says that shows nothing more.
fn schema() -> Schema {
    let shows = |reason: &Reason| SHOWING.iter().any(|of| of.reason == *reason);
    let reasons = Reason::ALL.iter().filter(|reason| !shows(reason)).copied();
    let body = envelope(reasons).description(Some(
        "Why a call was refused. Refusals that show what is in the way have a schema of their own.",
    ));
    let field = text("The one field at fault, when there is one.");
    Schema::Object(body.property("field", field).build())
}

/// What all refusals have in common.
fn envelope(reasons: impl IntoIterator<Item = Reason>) -> ObjectBuilder {
    let reasons = reasons.into_iter().map(|reason| json!(reason.as_str()));
    let reason = text("Stable, for programs.").enum_values(Some(reasons.collect::<Vec<_>>()));
    ObjectBuilder::new()
        .property("error", text("A sentence for a person."))
        .property("reason", reason)
        .required("error")
        .required("reason")
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .description(Some(description))
}
