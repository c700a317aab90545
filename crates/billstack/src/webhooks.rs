//! Webhooks that come in.

pub mod stripe;
