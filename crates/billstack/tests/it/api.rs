//! The API, a file per path.

mod auth;
mod customers;
mod referrals;
mod teams;
