//! Credits: given, moved and read. [`convert`](super::convert) gives those of a referral.

pub(super) mod book;
pub(super) mod give;
pub(super) mod hold;

pub use book::require;
pub use hold::{HOLD_KIND, Held, end_hold};

pub use crate::tables::credits::{Balance, Credit, CreditFilter, balances, get, list};
pub use crate::tables::entries::{Posting, postings};
