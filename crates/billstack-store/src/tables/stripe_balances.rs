//! The balances that customers have in Stripe, as far as operations of ours are on them: what is to be read of them,
//! and what stands in the way.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO stripe_balances (team_id, stripe_customer_id, changes, failures, is_unclear, is_deleted, \
        has_cash) VALUES ($1, $2, 0, 0, FALSE, FALSE, FALSE) ON CONFLICT DO NOTHING";
    GET = "SELECT changes, due, failures, is_unclear, is_deleted, has_cash FROM stripe_balances \
        WHERE team_id = $1 AND stripe_customer_id = $2";
    ANY = "SELECT changes FROM stripe_balances WHERE team_id = $1 LIMIT 1";
    /// What was to be read later, after a failure, is now as well.
    CHANGED = "UPDATE stripe_balances SET changes = changes + 1, due = $3 \
        WHERE team_id = $1 AND stripe_customer_id = $2";
    /// Whoever has read says up to which change; one that was told meanwhile is still to be read.
    READ = "UPDATE stripe_balances SET failures = 0, is_unclear = $4, \
        due = CASE WHEN changes = $3 THEN NULL ELSE due END WHERE team_id = $1 AND stripe_customer_id = $2";
    LATER = "UPDATE stripe_balances SET failures = failures + 1, due = $3 \
        WHERE team_id = $1 AND stripe_customer_id = $2";
    FOUND = "UPDATE stripe_balances SET is_deleted = $3, has_cash = $4 \
        WHERE team_id = $1 AND stripe_customer_id = $2";
}

/// What is known of the balance of a customer in Stripe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StripeBalance {
    /// How many changes of it were told.
    pub(crate) changes: i64,
    /// From when on its lines are to be read, by the time of day; `None` when they are known.
    pub(crate) due: Option<Micros>,
    /// How often in succession they could not be read.
    pub(crate) failures: i64,
    /// Whether its lines do not follow from each other.
    pub(crate) is_unclear: bool,
    /// Whether it is gone with its customer.
    pub(crate) is_deleted: bool,
    /// Whether Stripe holds money of the customer's own, who then cannot owe anything.
    pub(crate) has_cash: bool,
}

/// Begins to follow a balance, if nobody does.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<(), Fault> {
    let row = params![team_id, stripe_customer_id];
    tx.execute(INSERT, row).map(drop)
}

/// The balance of a customer, if an operation of ours is on it.
pub(crate) fn get(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<Option<StripeBalance>, Fault> {
    tx.one(GET, params![team_id, stripe_customer_id], |row| {
        Ok(StripeBalance {
            changes: row.int(0)?,
            due: row.opt_time(1)?,
            failures: row.int(2)?,
            is_unclear: row.flag(3)?,
            is_deleted: row.flag(4)?,
            has_cash: row.flag(5)?,
        })
    })
}

/// Whether any balance of a team is followed.
pub(crate) fn any(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.exists(ANY, params![team_id])
}

/// A balance may have changed: its lines are to be read.
pub(crate) fn changed(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
    now: Micros,
) -> Result<(), Fault> {
    tx.must(CHANGED, params![team_id, stripe_customer_id, now])
}

/// The lines of a balance were read, with everything up to so many changes.
pub(crate) fn read(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
    changes: i64,
    is_unclear: bool,
) -> Result<(), Fault> {
    tx.must(
        READ,
        params![team_id, stripe_customer_id, changes, is_unclear],
    )
}

/// The lines of a balance could not be read; that is tried again at a time of the day.
pub(crate) fn later(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
    due: Micros,
) -> Result<(), Fault> {
    tx.must(LATER, params![team_id, stripe_customer_id, due])
}

/// Keeps what a customer was found to be.
pub(crate) fn found(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_customer_id: &str,
    is_deleted: bool,
    has_cash: bool,
) -> Result<(), Fault> {
    tx.must(
        FOUND,
        params![team_id, stripe_customer_id, is_deleted, has_cash],
    )
}
