//! What Stripe sends, and what is sent to the systems of a team.

mod out;
mod stripe;
