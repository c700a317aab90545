//! The end of a hold, which an open dispute puts off.

use billstack_core::credit::by_hand;
use billstack_core::ledger::Cause;
use billstack_core::time::HOUR;

use super::clawback::put_off;
use crate::operations::credits::book::book;
use crate::operations::credits::hold::{self, HOLD_KIND, released};
use crate::operations::test_clock;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits;
use crate::tables::entries::Reason;

/// How often it is looked whether a dispute is still open, in microseconds. Its end is told by an event, which wakes
/// the work; this is for an end that nothing tells.
const LOOK_AGAIN: i64 = HOUR;

/// What became of a hold whose time had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is over.
    Over,
    /// It goes on, and its row is due again when that is to be looked at.
    PutOff,
}

/// Ends the hold of a credit whose time has come, unless its payment is disputed. One that a person has ended before
/// is left as it is.
pub fn end_hold(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<Ended, Fault> {
    test_clock::enter(tx, act, place)?;
    hold::keep_still(tx, place, id)?;
    let Some(credit) = credits::get(tx, place, id)? else {
        return Ok(Ended::Over);
    };
    let (Ok(transfers), Some(until)) = (by_hand::release(&credit.parts, None), credit.held_until)
    else {
        return over(tx, place, id);
    };
    let put_off = match &credit.referral_id {
        Some(referral_id) => put_off(tx, place, referral_id)?,
        None => None,
    };
    if let Some(longest) = put_off.filter(|longest| act.at < *longest) {
        let longest = longest.plus(-act.ahead());
        let until = longest.min(act.real().plus(LOOK_AGAIN));
        hold::put_off(tx, place, id, until)?;
        return Ok(Ended::PutOff);
    }
    let reason = Reason::new(Cause::Job, HOLD_KIND, until);
    book(tx, act, place, &credit, &transfers, reason, |amount| {
        released(&credit, amount, None)
    })?;
    over(tx, place, id)
}

/// The work is over in the same transaction, so that what is given back of the credit from now on is the customer's.
fn over(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Ended, Fault> {
    hold::forget(tx, place, id)?;
    Ok(Ended::Over)
}
