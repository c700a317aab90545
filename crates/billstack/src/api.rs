//! The HTTP API. A file per verb at the path of its URL; the table of routes is [`crate::routes`].

pub(crate) mod actors;
pub mod attention;
pub mod auth;
pub mod caller;
pub mod currency;
pub mod customers;
pub mod events;
mod facts;
pub mod find;
pub mod links;
pub mod operations;
pub mod portal;
pub mod public;
pub mod referrals;
mod refusals;
pub mod reports;
pub mod teams;
pub mod test_clock;
pub mod upkeep;
pub mod webhook_endpoints;
