//! Credits, read. They are given by a conversion.

pub use crate::tables::credits::{Credit, CreditFilter, get, list};
pub use crate::tables::entries::{Balance, balances};
