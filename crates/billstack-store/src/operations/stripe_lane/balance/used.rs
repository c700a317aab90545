//! Booking what was used of credits.

use std::collections::BTreeMap;

use billstack_core::balance::{Line, explain, follow, uses_of};
use billstack_core::event::Event;
use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::ledger::{Account, Cause, Transfer};
use billstack_core::money::{Amount, Currency};
use billstack_core::project::by_clock;

use super::{BalanceLine, of_currency, owned};
use crate::operations::credits::book::book;
use crate::operations::credits::delivery::KIND;
use crate::operations::credits::delivery::back::{Standing, given_to};
use crate::operations::payments;
use crate::operations::test_clock::inside;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::entries::Reason;
use crate::tables::stripe_operations::{self, StripeOperation};
use crate::tables::{stripe_balance_lines, stripe_balances};

/// Lines of balances that were looked up, by customer of Stripe. `None` where nothing is decided by them.
pub(super) type Books = BTreeMap<String, Option<Vec<BalanceLine>>>;

/// Books what was used of each credit that these operations are for, and brings it to where the payments say.
pub(super) fn book_all(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    operations: &[StripeOperation],
) -> Result<(), Fault> {
    let mut books = Books::new();
    let credits: BTreeMap<&str, &ProjectId> = operations
        .iter()
        .map(|one| (one.credit_id.as_str(), &one.project_id))
        .collect();
    for (credit_id, project_id) in credits {
        let place = Place::new(team_id.clone(), project_id.clone());
        inside(tx, act, &place, true, |tx, act| {
            book_one(tx, act, &place, credit_id, &mut books)
        })?;
    }
    Ok(())
}

fn book_one(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit_id: &str,
    books: &mut Books,
) -> Result<(), Fault> {
    let Some(credit) = credits::get(tx, place, credit_id)? else {
        return Ok(());
    };
    let operations = stripe_operations::of_credit(tx, place, credit_id)?;
    let used = used(tx, &place.team_id, &credit, &operations, books)?;
    let may_be_taken = credit.parts.shortfall > 0 && credit.parts.delivered > 0;
    if used.is_none_or(|used| used == credit.parts.applied) && !may_be_taken {
        return Ok(());
    }
    // What is under way is looked at again when it is over.
    let Some(standing) = Standing::of(tx, place, &credit)? else {
        return Ok(());
    };
    let (credit, operations) = (standing.credit, standing.operations);
    if let Some(used) = super::used::used(tx, &place.team_id, &credit, &operations, books)? {
        book_used(tx, act, place, &credit, &operations, used, books)?;
    }
    payments::again(tx, act, place, credit_id)
}

/// How much of a credit is used, by the lines of every balance that it was put into; `None` where they are not clear.
pub(super) fn used(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    credit: &Credit,
    operations: &[StripeOperation],
    books: &mut Books,
) -> Result<Option<i64>, Fault> {
    let mut used = 0;
    for (customer, given) in given_to(operations) {
        let Some(lines) = lines_of(tx, team_id, &customer, books)? else {
            return Ok(None);
        };
        let balance = follow(of_currency(lines, credit.currency.as_str()));
        let Ok(balance) = balance else {
            return Ok(None);
        };
        let found = balance.credits.get(&credit.id);
        // A credit that has two lines was given once.
        used += found.map_or(0, |of| of.applied().clamp(0, given.max(0)));
    }
    Ok(Some(used))
}

fn lines_of<'b>(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    customer: &str,
    books: &'b mut Books,
) -> Result<Option<&'b Vec<BalanceLine>>, Fault> {
    if !books.contains_key(customer) {
        let balance = stripe_balances::get(tx, team_id, customer)?.unwrap_or_default();
        let lines = match balance.is_unclear {
            true => None,
            false => {
                let lines = stripe_balance_lines::of_customer(tx, team_id, customer)?;
                let operations = stripe_operations::of_customer(tx, team_id, customer)?;
                Some(owned(&lines, &operations))
            }
        };
        books.insert(customer.to_owned(), lines);
    }
    Ok(books.get(customer).and_then(Option::as_ref))
}

/// Books the difference, each part of it with the line that made it.
fn book_used(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    operations: &[StripeOperation],
    used: i64,
    books: &mut Books,
) -> Result<(), Fault> {
    let mut lines: Vec<Line> = Vec::new();
    let mut made = Vec::new();
    for (customer, _) in given_to(operations) {
        if let Some(of_customer) = lines_of(tx, &place.team_id, &customer, books)? {
            let of_currency = of_currency(of_customer, credit.currency.as_str());
            let uses = uses_of(of_currency, &credit.id).unwrap_or_default();
            for (line, units) in uses {
                lines.push(line.clone());
                made.push(units);
            }
        }
    }
    let uses: Vec<(&Line, i64)> = lines.iter().zip(made).collect();
    let mut now = credit.clone();
    for (line, units) in explain(&uses, used - credit.parts.applied) {
        now = book_line(tx, act, place, &now, line, units)?;
    }
    Ok(())
}

fn book_line(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit: &Credit,
    line: &Line,
    units: i64,
) -> Result<Credit, Fault> {
    let (from, to) = match units > 0 {
        true => (Account::Stripe, Account::Applied),
        false => (Account::Applied, Account::Stripe),
    };
    let Some(amount) = Amount::new(units.abs()).filter(|amount| !amount.is_zero()) else {
        return Ok(credit.clone());
    };
    let reason = Reason {
        stripe_object: Some(&line.id),
        ..Reason::new(
            Cause::Job,
            KIND,
            by_clock(line.created, act.at, act.ahead()),
        )
    };
    let transfer = Transfer { from, to, amount };
    book(tx, act, place, credit, &[transfer], reason, |amount| {
        told(credit.currency, &credit.id, to, amount, line)
    })
}

fn told<'e>(
    currency: Currency,
    credit_id: &'e str,
    to: Account,
    amount: Amount,
    line: &'e Line,
) -> Event<'e> {
    let (stripe_object_id, stripe_transaction_id) = (line.invoice.as_deref(), &*line.id);
    match to {
        Account::Applied => Event::CreditApplied {
            amount,
            credit_id,
            currency,
            stripe_object_id,
            stripe_transaction_id,
        },
        _ => Event::CreditUnapplied {
            amount,
            credit_id,
            currency,
            stripe_object_id,
            stripe_transaction_id,
        },
    }
}

/// Whether the books say another use of a credit than the lines of the balances that it is in.
pub(crate) fn is_used_otherwise(
    tx: &mut dyn Tx,
    place: &Place,
    credit_id: &str,
) -> Result<bool, Fault> {
    let Some(credit) = credits::get(tx, place, credit_id)? else {
        return Ok(false);
    };
    let operations = stripe_operations::of_credit(tx, place, credit_id)?;
    // Until it is known what came of a call, and until what it did was read, nothing is booked by the lines.
    if operations.iter().any(|one| one.progress.is_open()) {
        return Ok(false);
    }
    for (customer, _) in given_to(&operations) {
        let balance = stripe_balances::get(tx, &place.team_id, &customer)?;
        if balance.is_none_or(|balance| balance.due.is_some()) {
            return Ok(false);
        }
    }
    let used = used(tx, &place.team_id, &credit, &operations, &mut Books::new())?;
    Ok(used.is_some_and(|used| used != credit.parts.applied))
}
