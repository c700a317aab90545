//! Putting questions into the queue.

use billstack_core::ids::TeamId;
use billstack_core::payments;
use billstack_core::time::Micros;

use super::questions::{is_known, told_by_total};
use super::{Facts, KIND, LONG_SLEEP, SLEEP, Thing};
use crate::operations::payments::reach::Reach;
use crate::seam::{Act, Fault, Tx};
use crate::tables::stripe_connections;
use crate::tables::work::{self, Key};

/// Has it asked which invoice a payment was for, of which something waits that is kept until a time.
pub(in crate::operations::payments) fn for_invoice(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    reach: &Reach,
    keep_until: Micros,
) -> Result<(), Fault> {
    let otherwise = keep_until.plus(SLEEP);
    let mut has_charge = false;
    for id in reach.charges() {
        ask(tx, act, team_id, (Thing::Charge, id), otherwise)?;
        has_charge = true;
    }
    for id in reach.intents().filter(|_| !has_charge) {
        ask(tx, act, team_id, (Thing::Intent, id), otherwise)?;
    }
    Ok(())
}

/// Has it asked what the invoices are that were reached, where that leads to no subscription.
pub(in crate::operations::payments) fn for_subscription(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    reach: &Reach,
    keep_until: Micros,
) -> Result<(), Fault> {
    if reach.subscriptions().next().is_some() {
        return Ok(());
    }
    for id in reach.invoices() {
        if !is_known(tx, team_id, id)? {
            let otherwise = keep_until.plus(SLEEP);
            ask(tx, act, team_id, (Thing::Invoice, id), otherwise)?;
        }
    }
    Ok(())
}

/// Has the refunds listed of charges of which a total is as new as the last list, if somebody can be asked.
pub(in crate::operations::payments) fn for_refunds(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    known: &payments::Facts,
) -> Result<(), Fault> {
    let charges = told_by_total(known.iter());
    if charges.is_empty() || !stripe_connections::has_secret_key(tx, team_id)? {
        return Ok(());
    }
    for charge in charges.into_keys() {
        let now = act.real();
        ask(tx, act, team_id, (Thing::Charge, charge), now)?;
    }
    Ok(())
}

/// Has it asked when a subscription began, which a payment waits for.
pub(crate) fn for_beginning(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    subscription: &str,
) -> Result<(), Fault> {
    let otherwise = act.real().plus(LONG_SLEEP);
    let about = (Thing::Subscription, subscription);
    ask(tx, act, team_id, about, otherwise)
}

/// Notes that the beginning of a subscription is known now; tells whether anything has waited for it.
pub(crate) fn is_answered(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    subscription: &str,
) -> Result<bool, Fault> {
    work::done(tx, &Key::of_team(team_id, KIND, subscription))
}

/// Puts a question into the queue: for now, or until there is a key for `otherwise`.
fn ask(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    (thing, id): (Thing, &str),
    otherwise: Micros,
) -> Result<(), Fault> {
    let facts = Facts {
        team_id: team_id.to_string(),
        thing,
    };
    let facts = serde_json::to_string(&facts).map_err(|e| Fault::Defect(e.to_string()))?;
    let key = Key::of_team(team_id, KIND, id);
    if stripe_connections::has_secret_key(tx, team_id)? {
        let now = act.real();
        return work::hasten(tx, act, &key, &facts, now);
    }
    work::enqueue(tx, act, &key, &facts, otherwise).map(drop)
}
