//! What holds for every call.

mod access;
mod errors;
mod idempotency;
mod limits;
mod newer;
