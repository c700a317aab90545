//! Share links: `/r/{code}` and `/r/{slug}/{code}`.
//!
//! Whoever follows one is sent on at once: nothing is written, and a database that does not answer is not waited for.
//! What the visitor brings along is a token that tells of the click (`billstack_core::click`); we set no cookie and keep
//! nothing of them. How often a link was followed is counted in memory, and written every few seconds.

pub mod counts;
mod known;
mod pace;
mod page;
pub mod qr;
mod redirect;

pub use counts::Counts;
pub use known::KnownLinks;
pub use pace::Pace;
pub(crate) use redirect::{headers as asked_by, tried};
pub use redirect::{of_first, of_project};
