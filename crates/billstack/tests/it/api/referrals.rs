//! `…/referrals`.

mod apply;
mod codes;
mod config;
pub(crate) mod credits;
mod explained;
mod exports;
mod finance;
mod list;
mod overview;
mod recheck;
mod reconcile;
mod stats;
mod story;
mod terms;
