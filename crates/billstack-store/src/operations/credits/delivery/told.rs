//! What Stripe tells of balances.

use billstack_core::ids::TeamId;

use super::wake;
use crate::seam::{Act, Fault, Tx};
use crate::tables::stripe_balances;

/// A balance may have changed: its lines are read if an operation of ours is on it.
pub(in crate::operations) fn balance_changed(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    stripe_customer_id: &str,
) -> Result<(), Fault> {
    if stripe_balances::get(tx, team_id, stripe_customer_id)?.is_none() {
        return Ok(());
    }
    let now = act.real();
    wake(tx, act, team_id, stripe_customer_id, now)?;
    stripe_balances::changed(tx, team_id, stripe_customer_id, now)
}

/// Whether balances of a team are followed, so that invoices are of interest.
pub(in crate::operations) fn are_balances_followed(
    tx: &mut dyn Tx,
    team_id: &TeamId,
) -> Result<bool, Fault> {
    stripe_balances::any(tx, team_id)
}
