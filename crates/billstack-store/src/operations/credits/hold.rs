//! The hold of a credit: a row of `work` that is due when it ends.

use billstack_core::credit::by_hand;
use billstack_core::event::Event;
use billstack_core::ledger::Cause;
use billstack_core::money::Amount;
use billstack_core::time::Micros;

use super::book::book;
use crate::operations::test_clock;
use crate::operations::work::facts_of;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::entries::Reason;
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

/// Ends the hold of a credit whose time has come. One that a person has ended before is left as it is.
pub fn end_hold(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<(), Fault> {
    test_clock::enter(tx, act, place)?;
    let Some(credit) = credits::get(tx, place, id)? else {
        return Ok(());
    };
    let (Ok(transfers), Some(until)) = (by_hand::release(&credit.parts, None), credit.held_until)
    else {
        return Ok(());
    };
    let reason = Reason::new(Cause::Job, HOLD_KIND, until);
    book(tx, act, place, &credit, &transfers, reason, |amount| {
        released(&credit, amount, None)
    })?;
    Ok(())
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
