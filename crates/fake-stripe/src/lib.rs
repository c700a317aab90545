//! A stand-in for Stripe, for development and tests only.
//!
//! [`FakeStripe::start`] serves the part of Stripe's API that BillStack calls, on a free port of the
//! loopback interface, with the behaviour that makes billing code go wrong: saved answers per
//! idempotency key, answers that never arrive, connections that break after the work was done.
//! Faults are ordered with an [`Injection`]; what the server under test really sent is read back with
//! [`FakeStripe::requests`].
//!
//! Whatever changes is told as events: [`FakeStripe::take_events`] hands out those that an endpoint of a
//! chosen API version would get, and `GET /v1/events` has them in the account's default version.
//!
//! The other half makes webhook deliveries: [`event`] and [`thin_event`] build bodies in the shapes of
//! several API versions ([`Generation`]), and [`sign`] makes the `Stripe-Signature` header. Delivering
//! them is left to the caller, who may also repeat, delay or damage them.
//!
//! That this behaves like Stripe is not taken on trust: `sdk-proof/` drives every endpoint with
//! Stripe's own Python library, and `tests/sdk.rs` runs it.

mod api;
mod auth;
mod balance;
mod books;
mod call;
mod clock;
mod connection;
mod error;
mod event;
mod fault;
mod form;
mod generation;
mod happening;
mod idempotency;
mod ids;
mod journal;
mod object;
mod pipeline;
mod server;
mod shape;
mod signature;
mod turns;

pub use books::{Books, Collection};
pub use clock::Clock;
pub use event::{EventOptions, body, event, thin_event};
pub use fault::{Fault, Injection, RateLimit};
pub use generation::Generation;
pub use journal::Received;
pub use object::{CheckoutSession, Customer, CustomerRef, EventObject, Subscription};
pub use server::{FakeStripe, Settings};
pub use signature::sign;
