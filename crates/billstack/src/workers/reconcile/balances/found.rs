//! What differs between operations and lines, with the words that tell it.

use std::collections::BTreeMap;

use billstack_core::delivery::{State, members};
use billstack_core::reconcile::Drift;
use billstack_core::reconcile::history::{self, Break, breaks};
use billstack_core::reconcile::lines::{Cure, Difference, Ours, Theirs, appearance, compare};
use billstack_core::time::Micros;
use billstack_store::reconcile::balances::{Found, StripeOperation};
use billstack_store::stripe_lane::Written;

use crate::stripe::{BalanceLine, CustomerState};

/// What differs at a customer who is there. Of operations that are not settled only the lines are known.
pub(super) fn found(
    state: &CustomerState,
    lines: &[BalanceLine],
    operations: &[StripeOperation],
    is_settled: impl Fn(&StripeOperation) -> bool,
) -> Vec<Found> {
    let forms: Vec<BTreeMap<String, String>> =
        operations.iter().map(|one| members(&one.body)).collect();
    let ours = operations.iter().zip(&forms);
    let ours: Vec<Ours<'_>> = ours
        .map(|(operation, form)| ours_of(operation, form, is_settled(operation)))
        .collect();
    let theirs: Vec<Theirs<'_>> = lines.iter().map(theirs_of).collect();
    let mut found: Vec<Found> = compare(&ours, &theirs)
        .iter()
        .filter_map(|difference| told(difference, operations, lines, &theirs))
        .collect();
    let balance = state.currency.as_deref().map(|own| (own, state.balance));
    let gaps = breaks(&theirs, balance);
    if !gaps.is_empty() {
        // A line that is gone, or that somebody has put there or changed, leaves a gap.
        let is_explained = |gap: &Break| found.iter().any(|one| explains(one, gap, lines));
        let are_explained = gaps.iter().all(is_explained);
        found.push(of_breaks(&state.id, &gaps, are_explained));
    }
    found
}

/// What differs at a customer whom the account does not know: all that was written there.
pub(super) fn of_nobody(customer: &str, operations: &[StripeOperation]) -> Vec<Found> {
    let is_done = |one: &StripeOperation| one.progress.state == State::Delivered;
    let count = operations.iter().filter(|one| is_done(one)).count();
    let unknown = Found {
        kind: Drift::HistoryUnclear,
        subject: customer.to_owned(),
        detail: format!("Stripe does not know this customer, who has {count} of our lines"),
        appearance: "unknown".to_owned(),
        operation: None,
        line: None,
        cure: Cure::TakeNote,
        is_explained: false,
    };
    Vec::from_iter((count > 0).then_some(unknown))
}

/// Whether it says that a line is gone.
pub(super) fn is_missing(found: &Found) -> bool {
    found.kind == Drift::Missing
}

fn ours_of<'a>(
    operation: &'a StripeOperation,
    form: &'a BTreeMap<String, String>,
    is_settled: bool,
) -> Ours<'a> {
    let member = |(name, value): (&'a String, &'a String)| {
        let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
        Some((name, value.as_str()))
    };
    Ours {
        id: &operation.id,
        credit: &operation.credit_id,
        state: operation.progress.state,
        is_settled,
        line: operation.transaction_id.as_deref(),
        amount: operation.kind.signed(operation.amount.get()),
        currency: operation.currency,
        description: form.get("description").map_or("", String::as_str),
        metadata: form.iter().filter_map(member).collect(),
        takes_back: operation.takes_back.as_deref(),
    }
}

fn theirs_of(line: &BalanceLine) -> Theirs<'_> {
    let metadata = line.metadata.iter();
    Theirs {
        id: &line.id,
        amount: line.amount,
        currency: &line.currency,
        ending_balance: line.ending_balance,
        description: line.description.as_deref().unwrap_or_default(),
        metadata: metadata.map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        created: Micros::from_secs(line.created),
    }
}

fn told(
    difference: &Difference<'_>,
    operations: &[StripeOperation],
    lines: &[BalanceLine],
    theirs: &[Theirs<'_>],
) -> Option<Found> {
    let operation = difference
        .operation
        .and_then(|id| operations.iter().find(|one| one.id == id));
    let line = difference
        .line
        .and_then(|id| lines.iter().find(|one| one.id == id));
    let looks = line.and_then(|line| theirs.iter().find(|one| one.id == line.id));
    let of_operation = matches!(
        difference.kind,
        Drift::Missing | Drift::UndeliveredButPresent
    );
    let subject = match of_operation {
        true => operation.map(|one| &one.id),
        false => line.map(|one| &one.id),
    };
    Some(Found {
        kind: difference.kind,
        subject: subject?.clone(),
        detail: detail(operation, line),
        appearance: looks.map_or_else(String::new, |looks| appearance(difference.kind, looks)),
        operation: operation.cloned(),
        line: line.map(|line| Written {
            id: line.id.clone(),
            created: Micros::from_secs(line.created),
            ending_balance: line.ending_balance,
        }),
        cure: difference.cure,
        is_explained: false,
    })
}

/// What there is to know: the line, what it should be, and whose it is.
fn detail(operation: Option<&StripeOperation>, line: Option<&BalanceLine>) -> String {
    let mut parts = Vec::new();
    if let Some(line) = line {
        parts.push(format!("{} of {} {}", line.id, line.amount, line.currency));
    }
    if let Some(one) = operation {
        let amount = one.kind.signed(one.amount.get());
        let (kind, id, currency) = (&one.kind, &one.id, one.currency);
        let (credit, customer) = (&one.credit_id, &one.stripe_customer_id);
        parts.push(format!(
            "{kind} {id} of {amount} {currency} for {credit} at {customer}"
        ));
        let written = one.transaction_id.iter().filter(|_| line.is_none());
        parts.extend(written.map(|id| format!("written as {id}")));
    }
    parts.join(", ")
}

/// Whether a difference in the same currency explains why lines do not follow from each other.
fn explains(found: &Found, gap: &Break, lines: &[BalanceLine]) -> bool {
    let line = found.line.as_ref().map(|line| &line.id);
    let line = line.and_then(|id| lines.iter().find(|one| one.id == *id));
    let by_line = line.is_some_and(|line| line.currency == gap.currency);
    let operation = found.operation.as_ref().map(|one| one.currency);
    let by_operation = operation.is_some_and(|currency| currency.as_str() == gap.currency);
    found.kind != Drift::Edited && (by_line || by_operation)
}

fn of_breaks(customer: &str, gaps: &[Break], is_explained: bool) -> Found {
    let texts = gaps.iter().map(|gap| {
        let (off, currency) = (gap.off, &gap.currency);
        let at = gap.line.as_deref().unwrap_or("the end");
        format!("off by {off} {currency}, first at {at}")
    });
    Found {
        kind: Drift::HistoryUnclear,
        subject: customer.to_owned(),
        detail: texts.collect::<Vec<_>>().join("; "),
        appearance: history::appearance(gaps),
        operation: None,
        line: None,
        cure: Cure::TakeNote,
        is_explained,
    }
}
