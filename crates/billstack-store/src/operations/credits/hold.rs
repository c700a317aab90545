//! The hold of a credit: a row of `work` that is due when it ends.

use billstack_core::event::Event;
use billstack_core::money::Amount;
use billstack_core::time::Micros;

use crate::operations::work::facts_of;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::work::{self, Key};

/// The kind of work: what is held of a credit becomes the customer's. Its subject is the credit.
pub const HOLD_KIND: &str = "end_of_hold";

/// Puts the end of a hold into the queue.
pub(super) fn begin(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit_id: &str,
    until: Micros,
) -> Result<(), Fault> {
    let facts = facts_of(place)?;
    match work::enqueue(tx, act, &key(place, credit_id), &facts, until)? {
        true => Ok(()),
        false => Err(Fault::Defect(format!("{credit_id} is held twice"))),
    }
}

/// Takes the end of a hold out of the queue. A worker that has it under its lease finds nothing held.
pub(in crate::operations) fn forget(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
) -> Result<(), Fault> {
    work::done(tx, &key(place, credit_id)).map(|_| ())
}

fn key(place: &Place, credit_id: &str) -> Key {
    Key::new(&place.team_id, &place.project_id, HOLD_KIND, credit_id)
}

/// Holds the name of the hold of a credit: it ends before or after whatever the caller does, not meanwhile.
pub(in crate::operations) fn keep_still(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
) -> Result<(), Fault> {
    tx.lock(&place.team_id, &[&format!("hold:{credit_id}")])
}

/// Whether the hold of a credit still runs, so that what is given again is held again.
pub(in crate::operations) fn is_running(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
) -> Result<bool, Fault> {
    if credit.held_until.is_none() {
        return Ok(false);
    }
    keep_still(tx, place, &credit.id)?;
    Ok(work::get(tx, &key(place, &credit.id))?.is_some())
}

/// Makes the end of a hold due that was put off.
pub(in crate::operations) fn end_now(
    tx: &mut dyn Tx,
    act: &Act,
    place: &Place,
    credit_id: &str,
) -> Result<(), Fault> {
    keep_still(tx, place, credit_id)?;
    work::sooner(tx, &key(place, credit_id), act.real())
}

/// Puts the end of a hold off until a time of the day, in the transaction that found out why: who ends the reason
/// comes after it, and makes it due.
pub(in crate::operations) fn put_off(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
    until: Micros,
) -> Result<(), Fault> {
    let facts = facts_of(place)?;
    work::later(tx, &key(place, credit_id), &facts, until, None).map(drop)
}

/// The event of what was held becoming the customer's.
pub(in crate::operations) fn released<'a>(
    credit: &'a Credit,
    amount: Amount,
    reason: Option<&'a str>,
) -> Event<'a> {
    Event::CreditReleased {
        amount,
        credit_id: &credit.id,
        currency: credit.currency,
        reason,
    }
}
