//! The API, a file per path.

mod attention;
pub(crate) mod auth;
mod customers;
mod events;
mod find;
mod links;
mod operations;
mod portal;
mod public;
pub(crate) mod referrals;
mod reports;
mod teams;
mod test_clock;
pub(crate) mod webhook_endpoints;
