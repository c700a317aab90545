//! `…/referrals`.

mod apply;
mod codes;
mod config;
mod credits;
mod explained;
mod exports;
mod finance;
mod list;
mod overview;
mod reconcile;
mod stats;
mod story;
mod terms;
