//! Refunds and disputes that lead to no invoice: they are tried again at each new link, and told here.

use billstack_core::ids::TeamId;
use billstack_core::reconcile::Drift;
use billstack_core::reconcile::lines::Cure;
use billstack_core::reconcile::walk::Walk;

use super::Run;
use super::balances::{Found, pass, settle};
use crate::operations::payment_answers::ANSWERED;
use crate::operations::refusal::Abort;
use crate::seam::{Act, Fault, Tx};
use crate::tables::{customers, unlinked};

/// How many payments are looked at in one transaction.
const AT_ONCE: i64 = 50;

/// Tells of some of them. Returns how far the run has come; `None` when somebody else has carried it on.
pub fn look(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    run: &Run,
) -> Result<Option<Walk>, Abort> {
    let payments = unlinked::payments(tx, team_id, &run.walk.after, AT_ONCE)?;
    let walk = run.walk.clone();
    let walk = match payments.last() {
        Some(last) => walk.passing(last),
        None => walk.next(run.is_whole),
    };
    if !pass(tx, team_id, run, &walk, 0)? {
        return Ok(None);
    }
    for payment in payments {
        if let Some(found) = of_payment(tx, team_id, payment)? {
            settle(tx, act, team_id, run, &found)?;
        }
    }
    Ok(Some(walk))
}

/// What there is to tell of a payment, if it is of a customer of ours.
fn of_payment(tx: &mut dyn Tx, team_id: &TeamId, payment: String) -> Result<Option<Found>, Fault> {
    let mut events = unlinked::events(tx, team_id, &payment)?;
    // What we found out ourselves is no change of what Stripe told.
    events.retain(|id| !id.starts_with(ANSWERED));
    let Some(first) = events.first() else {
        return Ok(None);
    };
    // Where something waits for a charge and for its payment intent, the charge stands for both.
    let mut waits_for = unlinked::waits_for(tx, team_id, first)?;
    waits_for.sort_by_key(|id| id.starts_with("pi_"));
    if waits_for.first() != Some(&payment) || !is_of_ours(tx, team_id, &waits_for)? {
        return Ok(None);
    }
    let count = events.len();
    Ok(Some(Found {
        kind: Drift::Unlinked,
        detail: format!(
            "nothing tells which invoice it paid: {count} events wait, the first is {first}"
        ),
        appearance: format!("{count} {first}"),
        subject: payment,
        operation: None,
        line: None,
        cure: Cure::TakeNote,
        is_explained: false,
    }))
}

fn is_of_ours(tx: &mut dyn Tx, team_id: &TeamId, payments: &[String]) -> Result<bool, Fault> {
    for payment in payments {
        for payer in unlinked::payers(tx, team_id, payment)? {
            if !customers::of_stripe(tx, team_id, &payer)?.is_empty() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
