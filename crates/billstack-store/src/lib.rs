//! Storage of the BillStack referral service: one operation, two engines.
//!
//! An operation is a plain function over [`tx::Tx`]: synchronous, deterministic, re-runnable. The
//! same function runs on SQLite and on PostgreSQL; there is no second copy that could drift. Start
//! at [`store::Store`], which runs operations, then read one subject, for example [`codes`].

pub mod act;
pub mod dialect;
mod failing;
mod jobs;
pub mod list;
pub mod migrate;
pub mod options;
mod postgres;
pub mod prepare;
pub mod refusal;
mod sqlite;
pub mod store;
pub mod tx;

pub mod api_keys;
pub mod apply;
pub mod backup;
pub mod callers;
pub mod codes;
pub mod conversion;
pub mod credits;
pub mod customer_reservations;
pub mod customers;
pub mod dump;
pub mod erase;
pub mod events;
mod grants;
pub mod idempotency;
pub mod invitations;
pub mod members;
mod probe;
pub mod programs;
pub mod projects;
mod reconsider;
pub mod referrals;
pub mod retention;
pub mod sessions;
pub mod stats;
pub mod stripe_connections;
pub mod stripe_events;
mod subscription_starts;
pub mod teams;
pub mod users;
pub mod verify;

#[cfg(test)]
mod testing;
