//! The rules of the referral service, as pure functions over plain types.
//!
//! Nothing here reads a clock, draws random numbers or touches the world: times, seeds and facts
//! come in as arguments, decisions go out as values. The same call therefore gives the same answer
//! on every node and on every re-run, which is what lets one operation run unchanged on SQLite and
//! on PostgreSQL, and what makes the rules testable without a server.
//!
//! Where to look first:
//!
//! - [`referral`] decides whether a code may be applied.
//! - [`attribution`] decides whose an event is, whether it counts, and who was first.
//! - [`stripe_event`] reads what a Stripe webhook says, across all API versions since 2020; [`stripe_access`] names what
//!   is needed of an account.
//! - [`credit`] and [`ledger`] turn a conversion into credits and balanced entries.
//! - [`project`] tells how the clock of a test project goes.
//! - [`payments`] decides how much of a credit refunds and disputes take back.
//! - [`balance`] tells what became of credits in a balance at Stripe.
//! - [`delivery`] and [`balance`] bring credits into a balance at Stripe, and back.
//! - [`reconcile`] says how our books may differ from Stripe's.
//! - [`event`] lists everything that can happen here, and [`webhook`] what of it is told outside.
//! - [`explanation`] says in words why a referral is where it is.
//! - [`portal`] says what customers see of their referrals, and how it is masked.
//! - [`period`] tells the days, weeks and months that figures go by.
//! - [`found`] names what can be found by an id.
//! - [`ids`], [`code`], [`email`], [`money`], [`time`] and [`access`] are the vocabulary.

#[macro_use]
mod text_enum;

/// The words that one of the enums here can be read from.
pub trait Words: Sized {
    /// Reads what a caller sent: anything but an exact match is `None`.
    fn parse(text: &str) -> Option<Self>;
    /// Every word, in the order of declaration.
    fn all() -> Vec<&'static str>;
}

pub mod access;
pub mod attention;
pub mod attribution;
pub mod balance;
pub mod click;
pub mod code;
pub mod credit;
pub mod delivery;
pub mod email;
pub mod event;
pub mod explanation;
pub mod found;
pub mod ids;
pub mod ledger;
pub mod link;
pub mod money;
pub mod payments;
pub mod period;
pub mod portal;
pub mod program;
pub mod project;
pub mod reconcile;
pub mod referral;
pub mod source;
pub mod stripe_access;
pub mod stripe_event;
pub mod time;
pub mod vanity;
pub mod webhook;
pub mod word;
