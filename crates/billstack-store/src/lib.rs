//! Storage of the BillStack referral service: one operation, two engines.
//!
//! Imports only go down: [`seam`] is what a transaction is; `tables` has one file for each table, with the
//! only writes to it; `operations` has one file for each thing that can be done. Beside them, the engines run
//! operations on SQLite and on PostgreSQL, and know nothing but the seam.
//!
//! An operation is a plain function over [`Tx`]: synchronous, deterministic, re-runnable. Start at
//! [`store::Store`], which runs operations, then read one, for example [`codes`].

pub mod backup;
pub mod copy;
pub mod dump;
mod engines;
pub mod migrate;
mod operations;
pub mod prepare;
pub mod seam;
pub mod store;
mod tables;
mod target;
pub mod verify;

pub use engines::lanes::{Share, Weight};
pub use engines::options;
pub use operations::refusal::{Abort, NotNamed, NotOnPage, Refusal, Thing};
pub use operations::{
    activity, api_keys, apply, attention, callers, codes, counting, credit_moves, credits,
    customer_creation, customers, erase, expiry, explained, finance, find, idempotency, intake,
    invitations, links, members, named, newness, overview, payment_answers, payments, portal,
    programs, projects, readers, received, recheck, reconcile, referrals, retention, sessions,
    stats, story, stripe_connection, stripe_lane, teams, test_clock, told, upkeep, users, webhooks,
    work,
};
pub use seam::list;
pub use seam::{Act, Actor, Fault, Lane, Origin, Place, Tx};

#[cfg(test)]
mod testing;
