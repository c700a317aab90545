//! One file for each table: its rows, its statements, and the only writes to it.
//!
//! A read that joins stands with the table whose rows it returns. Nothing here decides anything.

pub(crate) mod api_keys;
pub(crate) mod booked_days;
pub(crate) mod booked_marks;
pub(crate) mod code_aliases;
pub(crate) mod codes;
pub(crate) mod compared;
pub(crate) mod credits;
pub(crate) mod customers;
pub(crate) mod entries;
pub(crate) mod events;
pub(crate) mod finance;
pub(crate) mod idempotency_keys;
pub(crate) mod invitations;
pub(crate) mod link_keys;
pub(crate) mod locks;
pub(crate) mod members;
pub(crate) mod money_facts;
pub(crate) mod payment_links;
pub(crate) mod program_budgets;
pub(crate) mod program_days;
pub(crate) mod program_marks;
pub(crate) mod programs;
pub(crate) mod projects;
pub(crate) mod reconcile_lines;
pub(crate) mod reconcile_notes;
pub(crate) mod reconcile_runs;
pub(crate) mod referrals;
pub(crate) mod sessions;
pub(crate) mod setup_tokens;
pub(crate) mod stripe_balance_lines;
pub(crate) mod stripe_balances;
pub(crate) mod stripe_connections;
pub(crate) mod stripe_events;
pub(crate) mod stripe_operations;
pub(crate) mod subscription_starts;
pub(crate) mod teams;
pub(crate) mod terms;
pub(crate) mod unlinked;
pub(crate) mod users;
pub(crate) mod webhook_attempts;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_endpoints;
pub(crate) mod work;
