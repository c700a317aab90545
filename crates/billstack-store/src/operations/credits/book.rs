//! Moving a credit: its entries, its parts and what the log tells.

use billstack_core::credit::CreditKind;
use billstack_core::event::Event;
use billstack_core::ledger::{Account, Cause, Transfer};
use billstack_core::money::Amount;

use super::delivery;
use crate::operations::budget;
use crate::operations::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::entries::{self, Reason};
use crate::tables::{events, referrals};

/// The credit with this id, or the refusal that there is none.
pub fn require(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Credit, Abort> {
    Ok(credits::get(tx, place, id)?.ok_or(Refusal::NotFound(Thing::Credit))?)
}

/// Books transfers of a credit, an entry and an event for each, and returns the credit as it is now.
pub(in crate::operations) fn book<'e>(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    transfers: &[Transfer],
    reason: Reason<'_>,
    event: impl Fn(Amount) -> Event<'e>,
) -> Result<Credit, Fault> {
    let mut now = credit.clone();
    let mut steps = Vec::new();
    for transfer in transfers {
        let impossible = || Fault::Defect(format!("{transfer:?} of {credit:?}"));
        now.parts = now.parts.after(transfer).ok_or_else(impossible)?;
        now.entries += 1;
        if reason.cause == Cause::User {
            let is_put_back = reason.operation_id.is_some();
            match (transfer.from, transfer.to) {
                (_, Account::Program) => now.reversed_by_hand += transfer.amount.get(),
                (Account::Program, _) if is_put_back => {
                    now.reversed_by_hand -= transfer.amount.get();
                }
                _ => {}
            }
        }
        entries::insert(tx, place, &now.id, now.entries, transfer, reason, act.at)?;
        now.status = now.parts.status();
        steps.push((transfer.amount, now.clone()));
    }
    let returned = now.parts.reversed - credit.parts.reversed;
    if returned != 0 && credit.kind == CreditKind::Referral {
        budget::returned(tx, act, place, credit.currency, returned)?;
    }
    if !credits::book(tx, place, &now, credit.entries)? {
        let changed = format!("credit {} was moved since it was read", credit.id);
        return Err(Fault::Conflict(changed));
    }
    for (amount, then) in steps {
        tell(tx, act, place, &then, &event(amount))?;
    }
    delivery::sync(tx, act, place, &mut now)?;
    Ok(now)
}

/// Records what happened to a credit, and where it stands: in the story of its referral if it has one.
pub(in crate::operations) fn tell(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    event: &Event<'_>,
) -> Result<(), Fault> {
    let Some(referral_id) = &credit.referral_id else {
        return events::record_of_credit(tx, act, place, None, credit, event);
    };
    let mut chapter = referrals::tell(tx, act, place, referral_id)?;
    events::record_of_credit(tx, act, place, Some(&mut chapter), credit, event)
}
