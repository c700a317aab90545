//! The API document: descriptions from the handlers, paths, rights and refusals from the route table.

mod answers;
mod errors;
mod examples;
mod headers;
mod paths;
mod shared;
mod strict;
mod text;

use axum::http::Method;
use billstack_core::access::Scope;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, Operation, PathItem, Paths};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, ComponentsBuilder, ContactBuilder, Info, InfoBuilder, LicenseBuilder,
    OpenApiBuilder, Ref, RefOr,
};

use crate::error::Reason;
use crate::http::access::Right;
use crate::http::route::Route;

const ABOUT: &str = "Referral codes, conversions and credits over Stripe, on your own server.

Bodies are JSON objects. A member that a schema does not name is refused with 400 `unknown_member`, and a
query parameter that a call does not name with `unknown_parameter`. Only a member that the resource itself
shows, such as `id` or `createdAt`, may stand in any body and has no effect, so that you can send back what you
read. A text with NUL, a member or parameter sent twice, and broken UTF-8 are refused with 400.
Times are RFC 3339 in UTC; money is an integer in the smallest unit of its currency.

Every refusal has an `error` for people and a `reason` for programs, also where no operation is to tell of it:
404 `not_found` at an unknown address, 405 `method_not_allowed` with `Allow` for another method. A few show what is
in the way, such as `already_referred` the `referral`. Only a head that is not HTTP, or too large, gets a bare 400
or 431.";

/// The tags in the order of the document, and what they are about.
const TAGS: [(&str, &str); 9] = [
    ("Referrals", "The program, its codes, and who brought whom."),
    ("Credits", "What conversions gave to whom."),
    ("Customers", "The people who refer and are referred."),
    (
        "Portal",
        "The page on which customers see what they brought, and the same for pages of your own.",
    ),
    ("Teams", "Teams, their projects, people and API keys."),
    (
        "Stripe",
        "A team's connection to Stripe, and what came in over it.",
    ),
    (
        "Webhooks",
        "Where a project's events are sent, what was sent there, and what is told.",
    ),
    ("Sign-in", "Signing up, in and out."),
    ("Operations", "For those who run the server."),
];

/// The document for a table of routes, and for what we send to others, as people read it.
pub fn text(table: Vec<Route>, webhooks: Value) -> String {
    text::written(&document(table, webhooks))
}

/// The document for a table of routes, and for what we send to others.
fn document(table: Vec<Route>, webhooks: Value) -> Value {
    let mut components = components();
    let mut paths = Paths::new();
    let all: Vec<&str> = table.iter().map(|route| route.path).collect();
    for mut route in table {
        components
            .schemas
            .extend(std::mem::take(&mut route.schemas));
        let (path, method) = (route.path, http_method(&route.method));
        let item = PathItem::new(method, described(route, &all, &mut components));
        match paths.paths.get_mut(path) {
            Some(existing) => existing.merge_operations(item),
            None => {
                paths.paths.insert(path.to_owned(), item);
            }
        }
    }
    let server = ServerBuilder::new()
        .url("/")
        .description(Some("The server that this document comes from."));
    let document = OpenApiBuilder::new()
        .info(info())
        .servers(Some([server.build()]))
        .paths(paths)
        .components(Some(components))
        .tags(Some(tags()))
        .build();
    let mut document = json!(document);
    document["webhooks"] = webhooks;
    strict::apply(&mut document);
    shared::apply(&mut document);
    answers::apply(&mut document);
    examples::add(&mut document);
    document
}

fn info() -> Info {
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .identifier(Some("Apache-2.0"));
    let contact = ContactBuilder::new().name(Some("Whoever runs this server"));
    InfoBuilder::new()
        .title("BillStack Referrals")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(license.build()))
        .contact(Some(contact.build()))
        .build()
}

fn components() -> Components {
    let bearer = |description: &str| {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        SecurityScheme::Http(bearer.description(Some(description)).build())
    };
    let cookie = ApiKeyValue::with_description(
        "billstack_session",
        "Set by signing in. On a server with an https address it is `__Host-billstack_session`. A \
         call that changes something must come from the server's own pages: `Sec-Fetch-Site` \
         `same-origin` or `none`, or, without that header, an `Origin` equal to the server's.",
    );
    let key = bearer("An API key: `bs_` and 48 hex digits.");
    let portal = bearer("The `token` of a portal session: `bp_` and letters, digits, `-` and `_`.");
    let metrics = bearer("`BILLSTACK_METRICS_TOKEN` of the server.");
    let components = ComponentsBuilder::new()
        .schemas_from_iter(errors::schemas())
        .security_scheme("apiKey", key)
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .security_scheme("portalToken", portal)
        .security_scheme("metricsToken", metrics);
    let headers = headers::shared().into_iter();
    headers
        .fold(components, |components, (name, header)| {
            components.header(name, header)
        })
        .build()
}

fn tags() -> Vec<Tag> {
    let tag = |(name, about): (&str, &str)| {
        let tag = TagBuilder::new().name(name).description(Some(about));
        tag.build()
    };
    TAGS.into_iter().map(tag).collect()
}

fn http_method(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// A handler's description, completed with what the table knows. What calls have in common is put into
/// the components once.
fn described(route: Route, all: &[&str], components: &mut Components) -> Operation {
    let mut operation = route.operation.clone();
    operation.description = Some(description(&route));
    let mut parameters = paths::parameters(&route, all, components);
    parameters.extend(operation.parameters.take().unwrap_or_default());
    operation.parameters = Some(parameters);
    operation.tags = Some(vec![tag(route.path).to_owned()]);
    operation.security = Some(match route.right {
        // A handler that anybody may call says itself what it can be shown.
        None => operation.security.unwrap_or_default(),
        Some(right) if right.is_for_keys() => {
            vec![requirement("apiKey"), requirement("session")]
        }
        _ => vec![requirement("session")],
    });
    headers::add(&mut operation, &route);
    for (status, reasons) in errors::reasons(&route) {
        for reason in &reasons {
            let example = errors::example(*reason);
            let examples = &mut components.examples;
            examples.insert(reason.as_str().to_owned(), example.into());
        }
        let (name, response) = errors::response(&route, status, &reasons);
        let reference = RefOr::Ref(Ref::from_response_name(&name));
        components.responses.insert(name, response.into());
        let responses = &mut operation.responses.responses;
        responses.insert(status.as_str().to_owned(), reference);
    }
    operation
}

/// What a handler says of itself, and who may call it.
fn description(route: &Route) -> String {
    let own = route.operation.description.as_deref().unwrap_or_default();
    // These handlers ask for something of their own, and say so.
    let asks = [Reason::Unauthenticated, Reason::InvalidSignature];
    let of_customer = route.reasons.contains(&Reason::InvalidPortalToken);
    let open = !asks.iter().any(|reason| route.reasons.contains(reason));
    let caller = match route.right {
        None if of_customer => "For customers, with the token of a portal session.",
        None if open => "Anybody may call it.",
        None => "",
        Some(Right::SignedIn) => "For anybody who has signed in.",
        Some(Right::Known) => "For API keys, and anybody who has signed in.",
        Some(Right::TeamKnown) => "For API keys of the team, and members of it who have signed in.",
        Some(Right::TeamReader(scope)) => &format!(
            "For API keys with `{}`, and members of the team except viewers.",
            scope.as_str()
        ),
        Some(Right::TeamMember) => "For members of the team who have signed in.",
        Some(Right::TeamWriter) => "For members of the team except viewers, who have signed in.",
        Some(Right::TeamAdmin) => "For owners and admins of the team who have signed in.",
        Some(Right::ProjectAdmin(scope)) => &format!(
            "For API keys with `{}` and every other scope, and owners and admins of the team.",
            scope.as_str()
        ),
        Some(Right::Project(scope)) => {
            let who = match scope {
                Scope::WebhooksWrite => "owners and admins of the team",
                Scope::CustomersWrite | Scope::ReferralsWrite => {
                    "members of the team except viewers"
                }
                _ => "members of the team",
            };
            let scope = scope.as_str();
            &format!("For API keys with `{scope}`, and {who}.")
        }
    };
    format!("{own}\n\n{caller}").trim().to_owned()
}

/// Every operation of a finished document, with its path.
fn operations_mut(document: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let operations = item.as_object_mut().into_iter().flatten();
        operations.map(move |(_, operation)| (path.as_str(), operation))
    })
}

/// Whether a schema takes values of this type.
fn allows(schema: &Value, kind: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(many) => many.iter().any(|one| one == kind),
        _ => false,
    }
}

/// The name of the schema that a `$ref` leads to.
fn followed(reference: &Value) -> Option<&str> {
    reference.as_str()?.strip_prefix("#/components/schemas/")
}

fn requirement(scheme: &str) -> SecurityRequirement {
    SecurityRequirement::new::<&str, [&str; 0], &str>(scheme, [])
}

fn tag(path: &str) -> &'static str {
    match path {
        path if path.contains("/portal") || path.ends_with("/offer") => "Portal",
        path if path.contains("/credit") => "Credits",
        path if path.contains("/customers") => "Customers",
        path if path.contains("/referrals") || path.contains("/links") => "Referrals",
        path if path.contains("/webhook-endpoints") => "Webhooks",
        path if path.contains("stripe") => "Stripe",
        path if path.ends_with("/events") => "Webhooks",
        path if path.starts_with("/api/auth") => "Sign-in",
        path if path.starts_with("/api") => "Teams",
        _ => "Operations",
    }
}
