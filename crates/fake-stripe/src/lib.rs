//! A stand-in for Stripe, for development and tests only.
//!
//! [`FakeStripe::start`] serves the part of Stripe's API that BillStack calls, on a free port of the
//! loopback interface, with the behaviour that makes billing code go wrong: saved answers per
//! idempotency key, answers that never arrive, connections that break after the work was done.
//! Faults are ordered with an [`Injection`]; what the server under test really sent is read back with
//! [`FakeStripe::requests`].
//!
//! What happens at Stripe without a call of ours, a test lets happen with [`FakeStripe::money`]: invoices
//! are finalized, paid and voided, charges refunded and disputed, credit notes written. See [`Money`].
//!
//! | A test wants | and uses |
//! |---|---|
//! | a call to fail | [`FakeStripe::inject`], [`FakeStripe::fail_next`], [`FakeStripe::set_down`] |
//! | calls to take their time, or writes to one customer to collide | [`FakeStripe::set_latency`], [`FakeStripe::refuse_overlap`] |
//! | a day to go by | [`FakeStripe::clock`], [`FakeStripe::forget_idempotency_keys`] |
//! | to know what was sent, and what was in flight together | [`FakeStripe::requests`], [`FakeStripe::overlaps`] |
//! | something to happen to money | [`FakeStripe::money`] |
//! | the events of it | [`FakeStripe::take_events`], or `GET /v1/events` |
//! | objects as they are, or put in by hand | [`FakeStripe::with_books`] |
//!
//! Another process steers with `POST /_fake/faults`, `/_fake/clock`, `/_fake/turns` and
//! `/_fake/idempotency_keys/forget`, and reads `GET /_fake/requests`.
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
mod money;
mod object;
mod permissions;
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
pub use money::{Money, NewCreditNote, NewInvoice, OnVoid, Pay, Payment};
pub use object::{CheckoutSession, Customer, CustomerRef, EventObject, Subscription};
pub use server::{FakeStripe, Settings};
pub use signature::sign;
