//! Integration tests, in one program.
//!
//! The behaviour of the server is one suite, and every test of it runs on both databases: a test is
//! an `async fn(&Bench)` named in `on_both_engines!`.

#[macro_use]
mod support;

#[expect(dead_code, reason = "the other suite uses the rest of it")]
#[path = "../browser/chromium.rs"]
mod chromium;
#[expect(dead_code, reason = "the other suite uses the rest of it")]
#[path = "../browser/webdriver.rs"]
mod webdriver;

mod api;
mod cli;
mod crash;
mod http;
mod links;
mod openapi;
mod pages;
mod portal;
mod race;
mod tidy;
mod webhooks;
