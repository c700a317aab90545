//! `…/referrals`.

mod apply;
mod codes;
mod config;
mod credits;
mod events;
mod list;
mod stats;
