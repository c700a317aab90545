//! What the line of an operation means for its credit, once it is there.

use billstack_core::delivery::Kind;
use billstack_core::event::Event;
use billstack_core::ledger::{Account, Cause, Transfer};
use billstack_core::money::Amount;
use billstack_core::project::by_clock;

use super::Written;
use super::reversal::may_owe;
use crate::operations::credits::book::book;
use crate::operations::credits::delivery::{NewOperation, balance_changed, begin, changed, keep};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::entries;
use crate::tables::stripe_balance_lines;
use crate::tables::stripe_operations::{self, StripeOperation};

/// What the log says of a credit that was taken back by no person.
const PAYMENT_LOST: &str = "payment_lost";

/// Books that the line of an operation is there.
pub(super) fn deliver(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &mut StripeOperation,
    credit: &mut Credit,
    line: &Written,
) -> Result<(), Fault> {
    operation.transaction_id = Some(line.id.clone());
    if operation.lost_transaction_id.is_some() {
        // It was booked when the line was written that is gone.
        return keep(tx, act, place, operation, credit);
    }
    let transfers = match operation.kind {
        Kind::Grant | Kind::Restore | Kind::PutBack => given(operation.amount),
        Kind::Reverse => taken(credit, operation.amount),
        // The line that it takes back was never booked either.
        Kind::Repair => return keep(tx, act, place, operation, credit),
        Kind::Other(_) => {
            let unknown = format!("{} is of no kind known", operation.id);
            return Err(Fault::Defect(unknown));
        }
    };
    if !stripe_operations::update(tx, &place.team_id, operation, act.ahead())? {
        return Err(changed(&operation.id));
    }
    operation.version += 1;
    let cause = &operation.cause;
    let reason = entries::Reason {
        reason: cause.reason.as_deref(),
        stripe_object: Some(&line.id),
        operation_id: Some(&operation.id),
        ..entries::Reason::new(
            cause.cause,
            &cause.id,
            by_clock(line.created, act.at, act.ahead()),
        )
    };
    *credit = book(tx, act, place, credit, &transfers, reason, |amount| {
        told(operation, credit, amount, line)
    })?;
    if operation.kind == Kind::Reverse {
        put_back(tx, act, place, operation, credit, (line, reason))?;
    }
    if operation.kind == Kind::PutBack || was_read(tx, place, operation, line)? {
        // It has paid at once what it was for; or it may have been used before it was known.
        balance_changed(tx, act, &place.team_id, &operation.stripe_customer_id)?;
    }
    Ok(())
}

/// Whether a line was read before it was known that it is there.
fn was_read(
    tx: &mut dyn Tx,
    place: &Place,
    operation: &StripeOperation,
    line: &Written,
) -> Result<bool, Fault> {
    if operation.progress.attempts <= 1 {
        return Ok(false);
    }
    let customer = &operation.stripe_customer_id;
    let known = stripe_balance_lines::of_customer(tx, &place.team_id, customer)?;
    Ok(known.iter().any(|known| known.line.id == line.id))
}

/// Gives again what the customer would owe, because the credit was used between the look and the line. Because of a
/// loss it falls short.
fn put_back(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    operation: &StripeOperation,
    credit: &mut Credit,
    (line, reason): (&Written, entries::Reason<'_>),
) -> Result<(), Fault> {
    if may_owe(tx, place, operation, credit)? {
        return Ok(());
    }
    let units = billstack_core::balance::put_back(operation.amount.get(), line.ending_balance);
    let Some(amount) = Amount::new(units).filter(|amount| !amount.is_zero()) else {
        return Ok(());
    };
    let new = NewOperation {
        kind: Kind::PutBack,
        amount,
        stripe_customer_id: operation.stripe_customer_id.clone(),
        cause: operation.cause.clone(),
        takes_back: None,
    };
    begin(tx, act, place, credit, new)?;
    let transfer = |from, to| Transfer { from, to, amount };
    let mut transfers = vec![transfer(Account::Program, Account::Customer)];
    if operation.cause.cause != Cause::User {
        transfers.push(transfer(Account::Memo, Account::Shortfall));
    }
    for transfer in transfers {
        let told = |amount| put_back_told(credit, &transfer, amount, line);
        let now = book(tx, act, place, credit, &[transfer], reason, told)?;
        *credit = now;
    }
    Ok(())
}

fn put_back_told<'e>(
    credit: &'e Credit,
    transfer: &Transfer,
    amount: Amount,
    line: &'e Written,
) -> Event<'e> {
    let (credit_id, currency) = (&*credit.id, credit.currency);
    match transfer.to {
        Account::Shortfall => Event::CreditShortfall {
            amount,
            credit_id,
            currency,
            stripe_object_id: Some(&line.id),
        },
        _ => Event::CreditPutBack {
            amount,
            credit_id,
            currency,
        },
    }
}

fn given(amount: Amount) -> Vec<Transfer> {
    let (from, to) = (Account::Customer, Account::Stripe);
    vec![Transfer { from, to, amount }]
}

/// What was taken of a balance: what is left there of the credit, and then what was used of it.
fn taken(credit: &Credit, amount: Amount) -> Vec<Transfer> {
    let left = amount.get().min(credit.parts.delivered);
    let parts = [
        (Account::Stripe, left),
        (Account::Applied, amount.get() - left),
    ];
    let transfer = |(from, units): (Account, i64)| {
        let amount = Amount::new(units).filter(|amount| !amount.is_zero())?;
        let to = Account::Program;
        Some(Transfer { from, to, amount })
    };
    parts.into_iter().filter_map(transfer).collect()
}

fn told<'e>(
    operation: &'e StripeOperation,
    credit: &'e Credit,
    amount: Amount,
    line: &'e Written,
) -> Event<'e> {
    let (credit_id, currency) = (&*credit.id, credit.currency);
    match operation.kind {
        Kind::Reverse => Event::CreditReversed {
            amount,
            credit_id,
            currency,
            reason: operation.cause.reason.as_deref().unwrap_or(PAYMENT_LOST),
            stripe_object_id: match operation.cause.cause {
                Cause::User => None,
                _ => Some(&line.id),
            },
        },
        _ => Event::CreditDelivered {
            amount,
            credit_id,
            currency,
            stripe_transaction_id: &line.id,
        },
    }
}
