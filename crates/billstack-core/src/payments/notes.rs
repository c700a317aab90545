//! How much credit notes gave back in other ways than by refunds.

use super::Facts;
use super::fact::{CreditNote, Fact};
use super::window::Case;
use std::collections::BTreeMap;

/// What the notes of an invoice gave back besides the refunds that they name, as far as it counts. `unexplained`
/// is what totals tell of refunds that are not known one by one.
pub(super) fn noted(facts: &Facts, case: &Case<'_>, invoice: &str, unexplained: i64) -> i64 {
    let known: BTreeMap<&str, i64> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Refund(refund) => Some((refund.id.as_str(), refund.amount)),
            _ => None,
        })
        .collect();
    let notes = facts.iter().filter_map(|fact| match fact {
        Fact::CreditNote(note) if note.invoice == invoice && !note.is_void => Some(note),
        _ => None,
    });
    let (mut least, mut most) = (0, 0);
    for note in notes.filter(|note| case.counts(note.created_at)) {
        let (low, high) = besides_refunds(note, &known);
        least += low;
        most += high;
    }
    // What a note may have refunded is among the refunds that are not explained. More than those explain is
    // certain, and no more is taken.
    least.max(most - unexplained)
}

/// What a note gave back besides its refunds: at least, and at most.
fn besides_refunds(note: &CreditNote, known: &BTreeMap<&str, i64>) -> (i64, i64) {
    let amounts: Vec<Option<i64>> = note
        .refunds
        .iter()
        .map(|refund| {
            refund
                .amount
                .or_else(|| known.get(refund.id.as_str()).copied())
        })
        .collect();
    let refunded: i64 = amounts.iter().flatten().sum();
    let most = (note.paid_back - refunded).max(0);
    if amounts.iter().all(Option::is_some) {
        return (most, most);
    }
    let least = note.out_of_band.min(most);
    // Whatever did not go to the balance or was paid elsewhere is what the refund was.
    (least, if note.is_to_balance { most } else { least })
}
