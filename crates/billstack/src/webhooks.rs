//! Webhooks that come in from Stripe, and those that go out to the systems of a team.

pub mod out;
pub mod stripe;
