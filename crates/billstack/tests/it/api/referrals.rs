//! `…/referrals`.

mod apply;
mod codes;
mod config;
mod credits;
mod list;
mod stats;
mod story;
