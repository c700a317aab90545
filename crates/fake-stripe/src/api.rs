//! The endpoints. One operation per method and path, each a plain function over the books.

mod account;
mod balance_transactions;
mod checkout_sessions;
mod control;
mod customers;
mod events;
mod expand;
mod list;
mod money;
mod params;
mod subscriptions;
mod webhook_endpoints;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{Method, Uri};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Json, Router, middleware};
use serde_json::Value;

use crate::books::Books;
use crate::call::Call;
use crate::error::StripeError;
use crate::happening::Cause;
use crate::pipeline;
use crate::server::App;
use crate::shape;

/// What an operation comes to.
type Answer = Result<Value, StripeError>;

/// An operation: the books of the caller's mode, the request, the ids in the path.
type Operation = fn(&mut Books, &Call, &[String]) -> Answer;

/// Every route.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/account", reads(account::retrieve))
        .route(
            "/v1/customers",
            reads(customers::list).merge(writes(customers::create)),
        )
        .route("/v1/customers/search", reads(customers::search))
        .route(
            "/v1/customers/{id}",
            reads(customers::retrieve)
                .merge(writes(customers::update))
                .merge(deletes(customers::delete)),
        )
        .route(
            "/v1/customers/{id}/balance_transactions",
            reads(balance_transactions::list).merge(writes(balance_transactions::create)),
        )
        .route(
            "/v1/customers/{id}/balance_transactions/{transaction}",
            reads(balance_transactions::retrieve).merge(writes(balance_transactions::update)),
        )
        .route(
            "/v1/subscriptions",
            reads(subscriptions::list).merge(writes(subscriptions::create)),
        )
        .route(
            "/v1/subscriptions/{id}",
            reads(subscriptions::retrieve).merge(writes(subscriptions::update)),
        )
        .route("/v1/checkout/sessions", writes(checkout_sessions::create))
        .route(
            "/v1/checkout/sessions/{id}",
            reads(checkout_sessions::retrieve),
        )
        .merge(of_money())
        .route("/v1/events", reads(events::list))
        .route("/v1/events/{id}", reads(events::retrieve))
        .route("/v2/core/events/{id}", reads(events::retrieve_thin))
        .route(
            "/v1/webhook_endpoints",
            reads(webhook_endpoints::list).merge(writes(webhook_endpoints::create)),
        )
        .route(
            "/v1/webhook_endpoints/{id}",
            reads(webhook_endpoints::retrieve)
                .merge(writes(webhook_endpoints::update))
                .merge(deletes(webhook_endpoints::delete)),
        )
        .route("/_fake/faults", post(control::inject))
        .route("/_fake/clock", post(control::clock))
        .route("/_fake/idempotency_keys/forget", post(control::forget_keys))
        .route("/_fake/turns", post(control::turns))
        .route("/_fake/requests", get(control::requests))
        .route("/_fake/permissions", post(control::restrict))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .layer(middleware::from_fn_with_state(
            app.clone(),
            pipeline::handle,
        ))
        .with_state(app)
}

fn of_money() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/invoices", reads(money::invoices))
        .route("/v1/invoices/{id}", reads(money::invoice))
        .route("/v1/invoice_payments", reads(money::invoice_payments))
        .route("/v1/invoice_payments/{id}", reads(money::invoice_payment))
        .route("/v1/charges", reads(money::charges))
        .route("/v1/charges/{id}", reads(money::charge))
        .route("/v1/payment_intents/{id}", reads(money::payment_intent))
        .route("/v1/refunds", reads(money::refunds))
        .route("/v1/refunds/{id}", reads(money::refund))
        .route("/v1/disputes", reads(money::disputes))
        .route("/v1/disputes/{id}", reads(money::dispute))
        .route("/v1/credit_notes", reads(money::credit_notes))
        .route("/v1/credit_notes/{id}", reads(money::credit_note))
}

fn reads(operation: Operation) -> MethodRouter<Arc<App>> {
    get(move |app, call, ids| run(operation, app, call, ids))
}

fn writes(operation: Operation) -> MethodRouter<Arc<App>> {
    post(move |app, call, ids| run(operation, app, call, ids))
}

fn deletes(operation: Operation) -> MethodRouter<Arc<App>> {
    axum::routing::delete(move |app, call, ids| run(operation, app, call, ids))
}

async fn run(
    operation: Operation,
    State(app): State<Arc<App>>,
    Extension(call): Extension<Arc<Call>>,
    Path(ids): Path<Vec<String>>,
) -> Result<Json<Value>, StripeError> {
    let mut books = app.books(call.livemode);
    let mut answer = operation(&mut books, &call, &ids)?;
    let expanded = expand::apply(&mut answer, &books, &call)?;
    shape::apply(&mut answer, call.generation, &expanded);
    Ok(Json(answer))
}

async fn unknown(method: Method, uri: Uri) -> StripeError {
    StripeError::unknown_route(method.as_str(), uri.path())
}

/// Writes down the event that a call caused.
fn record(books: &mut Books, call: &Call, kind: &str, object: &Value, previous: Option<Value>) {
    books.tell(kind, object, previous, &Cause::from(call));
}
