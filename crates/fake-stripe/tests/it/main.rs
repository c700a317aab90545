//! The fake seen from outside, over HTTP.

mod balance;
mod client;
mod endpoints;
mod events;
mod faults;
mod idempotency;
mod money;
mod turns;
mod webhook_endpoints;
