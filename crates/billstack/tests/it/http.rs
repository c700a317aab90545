//! What holds for every call.

mod access;
mod errors;
mod idempotency;
mod known;
mod limits;
mod newer;
mod pages;
mod two_origins;
