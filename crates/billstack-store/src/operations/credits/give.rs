//! The beginning of a credit: its row, its first entry, and its place in the queue when it is held.

use billstack_core::credit::{CreditKind, Parts, Side};
use billstack_core::delivery::DeliveryState;
use billstack_core::ids::IdKind;
use billstack_core::ledger::{Account, Transfer};
use billstack_core::money::{Amount, Currency};
use billstack_core::time::Micros;

use super::{delivery, hold};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::entries::{self, Reason};

/// What a new credit is made of.
#[derive(Clone, Debug)]
pub(in crate::operations) struct Given {
    pub(in crate::operations) kind: CreditKind,
    pub(in crate::operations) customer_id: String,
    /// The referral and its side, when it is of one.
    pub(in crate::operations) earned_by: Option<(String, Side)>,
    pub(in crate::operations) amount: Amount,
    pub(in crate::operations) currency: Currency,
    pub(in crate::operations) held_until: Option<Micros>,
    /// Whether it is put into the balance that the customer has in Stripe.
    pub(in crate::operations) by_stripe: bool,
    pub(in crate::operations) at: Micros,
}

/// Writes a credit and the entry by which the customer gains what the program gives, at once or after a hold. The
/// caller tells so, and then whether it needs [attention](tell_attention).
pub(in crate::operations) fn give(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    given: Given,
    reason: Reason<'_>,
) -> Result<Credit, Fault> {
    let to = match given.held_until {
        Some(_) => Account::Held,
        None => Account::Customer,
    };
    let grant = Transfer {
        from: Account::Program,
        to,
        amount: given.amount,
    };
    let nothing = || Fault::Defect(format!("a credit of nothing: {given:?}"));
    let parts = Parts::promised(given.amount).after(&grant);
    let parts = parts.ok_or_else(nothing)?;
    let (referral_id, side) = given.earned_by.unzip();
    let mut credit = Credit {
        id: act.id(IdKind::Credit),
        kind: given.kind,
        referral_id,
        customer_id: given.customer_id,
        side,
        amount: given.amount,
        currency: given.currency,
        status: parts.status(),
        held_until: given.held_until,
        parts,
        reversed_by_hand: 0,
        entries: 1,
        created_at: given.at,
        by_stripe: given.by_stripe,
        delivery: DeliveryState::None,
        delivery_reason: None,
    };
    credits::insert(tx, place, &credit)?;
    entries::insert(tx, place, &credit.id, 1, &grant, reason, credit.created_at)?;
    if let Some(until) = credit.held_until {
        hold::begin(tx, act, place, &credit.id, until)?;
    }
    delivery::bring_in_line(tx, act, place, &mut credit)?;
    Ok(credit)
}

/// Tells that a credit of which was just told cannot be delivered, if it cannot.
pub(in crate::operations) fn tell_attention(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
) -> Result<(), Fault> {
    delivery::attention::tell(tx, act, place, credit)
}
