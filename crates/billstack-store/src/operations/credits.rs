//! Credits: given, held and read. A conversion gives those of a referral; the rest is in `credit_moves`.

pub(super) mod book;
pub mod delivery;
pub(super) mod give;
pub(super) mod hold;

pub use book::require;
pub use hold::HOLD_KIND;

pub use crate::tables::credits::{Balance, Credit, CreditFilter, balances, get, list, of_referral};
pub use crate::tables::entries::{Posting, postings};
