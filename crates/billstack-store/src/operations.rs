//! One file for each operation over several tables: it reads facts, asks `billstack_core`, and writes
//! through the tables.
//!
//! An operation is a plain function over [`Tx`](crate::Tx). It may be run again from the start, so time, ids
//! and codes come in with the [`Act`](crate::Act).

pub mod activity;
pub mod api_keys;
pub mod apply;
mod asked;
pub mod attention;
mod budget;
pub mod callers;
pub mod codes;
mod convert;
pub mod counting;
pub mod credit_moves;
pub mod credits;
pub mod customer_creation;
pub mod customers;
pub mod erase;
mod evidence;
pub mod expiry;
pub mod explained;
pub mod finance;
pub mod find;
pub(crate) mod hold;
pub mod idempotency;
pub mod intake;
pub mod invitations;
pub mod links;
pub mod members;
mod mend;
pub(crate) mod missed;
pub mod named;
pub mod newness;
pub mod overview;
pub mod payment_answers;
pub mod payments;
pub mod portal;
pub(crate) mod probe;
pub mod programs;
pub mod projects;
pub mod readers;
pub mod received;
pub mod recheck;
pub mod reconcile;
mod reconsider;
pub mod referrals;
pub(crate) mod refusal;
pub mod retention;
pub mod sessions;
mod settle;
pub mod stats;
pub mod story;
pub mod stripe_connection;
pub mod stripe_lane;
pub mod teams;
pub mod test_clock;
mod to_reconsider;
pub mod told;
pub mod upkeep;
pub mod users;
pub mod webhooks;
pub mod work;
