//! What Stripe tells of payments, and what it takes back of credits.
//!
//! Every fact and every link is taken in here, and whenever one is new, or a referral converts, the credits of the
//! subscriptions that it leads to are brought to where the facts say (`clawback`). So nothing depends on what came
//! first. Whoever does either holds the names of everything on the way from a charge to a subscription (`reach`).

pub mod asking;
mod clawback;
mod known;
mod reach;
mod release;
mod take;

pub(crate) use clawback::{Why, again, bring_back, bring_within, is_not_as_told, told};
pub(in crate::operations) use known::known_of;
pub use release::{Ended, end_hold};
pub(crate) use take::{NO_EFFECT, ended, hold_subscription, names, take, wants};
