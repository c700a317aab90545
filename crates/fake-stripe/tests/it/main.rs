//! The fake seen from outside, over HTTP.

mod client;
mod endpoints;
mod faults;
mod idempotency;
