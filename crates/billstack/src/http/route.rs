//! A row of the route table, and how a table becomes a router.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::MethodRouter;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::app::Shared;
use crate::error::Reason;
use crate::http::access::{Gate, Right, authorize};
use crate::http::input::LARGEST_BODY;
use crate::http::known::{Known, shown};

/// The largest form of a page, in bytes.
const LARGEST_FORM: usize = 64 * 1024;

/// Whom a route is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Programs: JSON in and out, described in the API document.
    Call,
    /// People: forms in and HTML out.
    Page,
}

/// One call of the API, or one page.
pub struct Route {
    pub kind: Kind,
    pub method: Method,
    /// The path, with `{names}` for its variable parts.
    pub path: &'static str,
    /// Without one anybody may call, and the handler itself asks for a password, a token or a signature.
    pub right: Option<Right>,
    /// How it may refuse, besides what every call of its kind can answer.
    pub reasons: &'static [Reason],
    /// Its description for the API document.
    pub operation: Operation,
    /// The schemas that the description refers to.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// In bytes.
    pub largest_body: usize,
    handler: MethodRouter<Shared>,
}

impl Route {
    /// A row. The description comes from the attribute on the handler, the path from the table.
    pub fn new(
        method: Method,
        path: &'static str,
        right: impl Into<Option<Right>>,
        reasons: &'static [Reason],
        (schemas, mut paths, handler): UtoipaMethodRouter<Shared>,
    ) -> Route {
        let operation = take_operation(&mut paths, &method);
        let operation = operation.unwrap_or_else(|| {
            unreachable!("{method} {path} leads to a handler for another method")
        });
        let largest_body = LARGEST_BODY;
        Route {
            kind: Kind::Call,
            method,
            path,
            right: right.into(),
            reasons,
            operation,
            schemas,
            largest_body,
            handler,
        }
    }

    /// A row for a page, which no document describes.
    pub fn page(
        method: Method,
        path: &'static str,
        right: impl Into<Option<Right>>,
        handler: MethodRouter<Shared>,
    ) -> Route {
        Route {
            kind: Kind::Page,
            method,
            path,
            right: right.into(),
            reasons: &[],
            operation: Operation::new(),
            schemas: Vec::new(),
            largest_body: LARGEST_FORM,
            handler,
        }
    }

    /// Whether Stripe is the one who calls. What it sends is read tolerantly, because it changes as Stripe likes.
    pub fn is_of_stripe(&self) -> bool {
        self.path.starts_with("/api/webhooks/")
    }

    /// Whether its answers are kept under an Idempotency-Key: those that show a secret are not.
    pub fn keeps_answers(&self) -> bool {
        let shows_secret = self.path.ends_with("/rotate-secret")
            || self.path.ends_with("/test")
            || self.path.ends_with("/portal-sessions")
            || (self.method == Method::POST && self.path.ends_with("/webhook-endpoints"));
        let is_of_project = self.right.and_then(Right::scope).is_some();
        is_of_project && self.method != Method::GET && !shows_secret
    }

    /// The same row with another limit for its body.
    #[must_use]
    pub fn with_largest_body(self, largest_body: usize) -> Route {
        Route {
            largest_body,
            ..self
        }
    }
}

fn take_operation(paths: &mut Paths, method: &Method) -> Option<Operation> {
    let item = paths.paths.values_mut().next()?;
    operation_slot(item, method)?.take()
}

fn operation_slot<'i>(
    item: &'i mut PathItem,
    method: &Method,
) -> Option<&'i mut Option<Operation>> {
    Some(match *method {
        Method::GET => &mut item.get,
        Method::POST => &mut item.post,
        Method::PUT => &mut item.put,
        Method::PATCH => &mut item.patch,
        Method::DELETE => &mut item.delete,
        _ => return None,
    })
}

/// The router of a table: no route without its right in front of it.
pub fn router(table: Vec<Route>, app: &Shared) -> Router<Shared> {
    let mut shown_at: HashMap<&str, Vec<String>> = HashMap::new();
    for route in &table {
        shown_at.entry(route.path).or_default().extend(shown(route));
    }
    table.into_iter().fold(Router::new(), |router, route| {
        let shown = shown_at.get(route.path).cloned().unwrap_or_default();
        let gate = Gate {
            app: app.clone(),
            kind: route.kind,
            right: route.right,
            largest_body: route.largest_body,
            known: Arc::new(Known::new(&route, shown)),
        };
        let guard = from_fn_with_state(gate, authorize);
        let slashed = route.is_of_stripe().then(|| format!("{}/", route.path));
        let handler = route.handler.route_layer(guard);
        let router = match slashed {
            // Stripe's address is pasted by hand, and would get 404 for days before anybody noticed.
            Some(path) => router.route(&path, handler.clone()),
            None => router,
        };
        router.route(route.path, handler)
    })
}
