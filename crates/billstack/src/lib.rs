//! The BillStack server: its HTTP API, its webhooks, its workers and its command line.

pub mod api;
pub mod app;
pub mod budget;
mod bytes;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod error;
pub mod http;
pub mod links;
pub mod one_time_token;
pub mod pages;
pub mod password;
pub mod portal;
pub mod rate_limit;
pub mod routes;
pub mod secrets;
pub mod server;
pub mod settings;
pub mod setup;
pub mod stripe;
pub mod telemetry;
pub mod tickets;
pub mod webhooks;
pub mod workers;
