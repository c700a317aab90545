//! The API, a file per path.

mod auth;
mod customers;
mod events;
mod links;
mod operations;
mod referrals;
mod teams;
mod test_clock;
mod webhook_endpoints;
