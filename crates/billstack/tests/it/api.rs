//! The API, a file per path.

pub(crate) mod auth;
mod customers;
mod events;
mod find;
mod links;
mod operations;
mod portal;
mod public;
mod referrals;
mod reports;
mod teams;
mod test_clock;
pub(crate) mod webhook_endpoints;
