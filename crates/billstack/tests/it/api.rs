//! The API, a file per path.

pub(crate) mod auth;
mod customers;
mod events;
mod links;
mod operations;
mod portal;
mod public;
mod referrals;
mod teams;
mod test_clock;
mod webhook_endpoints;
