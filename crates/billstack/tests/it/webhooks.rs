//! What Stripe sends.

mod stripe;
