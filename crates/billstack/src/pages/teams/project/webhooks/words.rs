//! Endpoints and deliveries in words.

use billstack_core::webhook::attempt::AttemptError;
use billstack_core::webhook::endpoint::{DeliveryState, Disabled, Types};
use billstack_core::webhook::health::EndpointState;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::log::{Lately, MOST_LATELY, MOST_RETRIED};
use billstack_store::webhooks::{Attempt, Endpoint};
use maud::{Markup, html};

use crate::pages::parts::time::moment;

/// What an endpoint is told.
pub(super) fn of_types(types: &Types) -> String {
    match types {
        Types::Every => "all types, those to come included".to_owned(),
        Types::Only(_) => types.names().join(", "),
    }
}

/// How an endpoint is.
pub(super) fn of_endpoint(endpoint: &Endpoint) -> Markup {
    match endpoint.health.state {
        EndpointState::Active => html! { span.state.on { "Active" } },
        EndpointState::Failing => html! { span.state.bad { "Failing" } },
        EndpointState::Disabled => html! { span.state.off { "Disabled" } },
        EndpointState::Other(word) => html! { span.state.off { (word.as_str()) } },
    }
}

/// Why an endpoint is told nothing.
pub(super) fn of_disabled(why: Disabled) -> &'static str {
    match why {
        Disabled::ByHand => "Somebody switched it off.",
        Disabled::Failures => {
            "It was switched off because it had done nothing but fail for five days."
        }
        Disabled::Gone => "It was switched off because it answered 410: it wants no more events.",
        Disabled::Other(_) => "It was switched off.",
    }
}

/// What came of the last day; each number leads to its rows.
pub(super) fn of_day(lately: &Lately, one: &str) -> Markup {
    let number = |count: i64| match count {
        MOST_LATELY.. => format!("{MOST_LATELY}+"),
        count => count.to_string(),
    };
    let link = |count: i64, state: &str, text: &str| {
        let since = crate::clock::rfc3339(lately.since.0);
        html! {
            @if count == 0 { "0 " (text) }
            @else { a href={ (one) "?status=" (state) "&from=" (since) } { (number(count)) " " (text) } }
        }
    };
    let again = match lately.retried {
        MOST_RETRIED.. => format!("{MOST_RETRIED}+"),
        count => count.to_string(),
    };
    html! {
        (link(lately.delivered, "delivered", "delivered")) ", " (link(lately.failed, "failed", "failed"))
        @if lately.retried > 0 {
            ", " a href={ (one) "?status=waiting" } { (again) " tried again" }
        }
    }
}

/// When something is sent next.
pub(super) fn of_next(endpoint: &Endpoint, lately: &Lately) -> Markup {
    html! {
        @if endpoint.disabled.is_some() { span.quiet { "not while it is disabled" } }
        @else if let Some(at) = lately.next { (moment(at)) }
        @else { span.quiet { "nothing waits" } }
    }
}

/// Why an attempt failed.
pub(super) fn of_failure(attempt: &Attempt) -> Markup {
    html! {
        @if let Some(status) = attempt.status { "Answer " (status) ". " }
        @if let Some(error) = attempt.error { (of_error(error)) }
    }
}

/// Whether an endpoint has not failed since it last took an event.
pub(super) fn is_well(endpoint: &Endpoint) -> bool {
    endpoint.health.state == EndpointState::Active && endpoint.health.first_failure_at.is_none()
}

/// How far a delivery has come, with the status that ended it.
pub(super) fn of_delivery(state: DeliveryState, last: Option<&Attempt>) -> Markup {
    let status = last.and_then(|last| last.status);
    match state {
        DeliveryState::Delivered => html! { span.state.on { "Delivered" (behind(status)) } },
        DeliveryState::Failed => html! { span.state.bad { "Failed" (behind(status)) } },
        DeliveryState::Waiting => html! { span.state.off { "Waiting" } },
        DeliveryState::Other(word) => html! { span.state.off { (word.as_str()) } },
    }
}

/// What came of one attempt.
pub(super) fn of_attempt(attempt: &Attempt) -> Markup {
    match attempt.error {
        None => html! { span.state.on { "Delivered" (behind(attempt.status)) } },
        Some(error) => {
            html! { span.state.bad { "Failed" (behind(attempt.status)) } (of_error(error)) }
        }
    }
}

fn behind(status: Option<i64>) -> Markup {
    html! { @if let Some(status) = status { " " (status) } }
}

/// What went wrong, and what to do about it.
pub(super) fn of_error(error: AttemptError) -> &'static str {
    match error {
        AttemptError::AddressNotAllowed => {
            "The address is not allowed: it leads into a network that is not public."
        }
        AttemptError::Dns => "The name of the host could not be looked up.",
        AttemptError::Connect => {
            "No connection came about: nothing listens there, or a firewall is in between."
        }
        AttemptError::Tls => "The certificate does not do, or the handshake failed.",
        AttemptError::Timeout => {
            "The answer took longer than 15 seconds. Answer first, and work afterwards."
        }
        AttemptError::Closed => "The connection ended before the answer.",
        AttemptError::Unreadable => "What came back is no answer of HTTP.",
        AttemptError::Status => "The answer was none of 2xx. Redirects are not followed.",
        AttemptError::Secret => {
            "The secret cannot be opened with the key of this server; rotate it."
        }
        AttemptError::Event => "The event in the log cannot be read.",
        AttemptError::Other(_) => "It failed.",
    }
}

/// The types, in the order of their names.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    Type::ALL.iter().map(Type::as_str)
}
