//! The story of a referral, read: why something is as it is.

pub use crate::tables::events::{LoggedEvent, story};
