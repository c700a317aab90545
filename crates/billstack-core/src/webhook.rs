//! Outgoing webhooks: what is told to the systems of a team, in which words, when, and how their endpoints do.
//!
//! - [`types`] says what is told, and as what.
//! - [`endpoint`] says where, and what is wanted there.
//! - [`attempt`] says what came of an attempt.
//! - [`schedule`] says when the next one is made.
//! - [`health`] says whether an endpoint still gets any.

pub mod attempt;
pub mod endpoint;
pub mod health;
pub mod schedule;
pub mod types;
