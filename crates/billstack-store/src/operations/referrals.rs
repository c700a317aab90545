//! Referrals, read. They are made by an [apply](super::apply).

pub use crate::tables::referrals::{Episode, ReferralFilter, get, history, list, of_referee};
