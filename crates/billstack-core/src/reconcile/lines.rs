//! Comparing our operations on a customer's balance with the lines that are there.
//!
//! A line is an operation's because we know its id, or because its metadata names the operation. Lines of others are
//! nobody's business here, however much they look like ours.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::Drift;
use crate::delivery::State;
use crate::money::Currency;
use crate::time::Micros;

/// An operation of ours on the balance of a customer.
#[derive(Clone, Debug, PartialEq)]
pub struct Ours<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its credit.
    pub credit: &'a str,
    /// How far it has come.
    pub state: State,
    /// Whether it stands still, so that its line is there by now or not: its call is over, and lists show what it
    /// wrote. Of any other it is only known which lines are its own.
    pub is_settled: bool,
    /// The line that we know to be its own.
    pub line: Option<&'a str>,
    /// By how much its line changes the balance.
    pub amount: i64,
    /// The currency of its line.
    pub currency: Currency,
    /// What its line says to the customer.
    pub description: &'a str,
    /// The metadata that its line was given.
    pub metadata: BTreeMap<&'a str, &'a str>,
    /// The line that it takes back, if that is what it is for.
    pub takes_back: Option<&'a str>,
}

/// A line of that balance.
#[derive(Clone, Debug, PartialEq)]
pub struct Theirs<'a> {
    /// Its id.
    pub id: &'a str,
    /// By how much it changes the balance.
    pub amount: i64,
    /// The currency of the balance, in small letters.
    pub currency: &'a str,
    /// The balance after it.
    pub ending_balance: i64,
    /// What it says to the customer.
    pub description: &'a str,
    /// Its metadata.
    pub metadata: BTreeMap<&'a str, &'a str>,
    /// When it was written.
    pub created: Micros,
}

/// What can be done about a difference.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Cure {
    /// The operation is called anew, under its next key: the old one would bring the old answer.
    CallAnew,
    /// The line becomes that of the operation.
    Adopt,
    /// The line is taken back by an operation of its own.
    TakeBack,
    /// Nothing: a person looks at it, and it is told again when it changes.
    TakeNote,
}

/// A difference.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Which.
    pub kind: Drift,
    /// The operation, where we know it.
    pub operation: Option<&'a str>,
    /// The line, where there is one.
    pub line: Option<&'a str>,
    /// What can be done about it.
    pub cure: Cure,
}

/// The member of a line's metadata that names its operation.
pub const OPERATION: &str = "billstack_op_id";

/// How the id of an operation begins.
const OF_OPERATION: &str = "op_";

/// The member that names its credit.
pub const CREDIT: &str = "billstack_credit_id";

/// The member that names its project.
pub const PROJECT: &str = "billstack_project_id";

/// Compares all operations on the balance of a customer with all of its lines, in any order.
///
/// An operation of which nobody knows whether it was done finds that out by itself, and is left alone.
///
/// A line whose operation we do not have, but whose credit waits for the same amount, is the delivery of that credit:
/// our books are older than the line, as after a backup was restored.
pub fn compare<'a>(ours: &[Ours<'a>], theirs: &[Theirs<'a>]) -> Vec<Difference<'a>> {
    let mut lines = by_operation(ours, theirs);
    let taken_back: BTreeSet<&str> = ours.iter().filter_map(|one| one.takes_back).collect();
    let (mut found, mut bare) = (Vec::new(), Vec::new());
    for one in ours {
        let of_it = lines.remove(one.id).unwrap_or_default();
        if is_bare(one) && of_it.is_empty() {
            bare.push(one);
        }
        if one.is_settled && !one.state.is_open() {
            of_operation(one, &of_it, &taken_back, &mut found);
        }
    }
    // What is left names operations that we do not have.
    let mut unknown: Vec<_> = lines.into_values().flatten().collect();
    unknown.sort_by_key(|line| (line.created, line.id));
    for line in unknown {
        let named = line.metadata.get(CREDIT).copied();
        let is_its = |one: &&Ours<'_>| Some(one.credit) == named && agrees(one, line);
        let its = bare.iter().position(is_its).map(|at| bare.remove(at));
        found.push(Difference {
            kind: Drift::Unknown,
            operation: its.map(|one| one.id),
            line: Some(line.id),
            cure: match its {
                Some(_) => Cure::Adopt,
                None => Cure::TakeNote,
            },
        });
    }
    found
}

/// Whether an operation has yet to write its line.
fn is_bare(one: &Ours<'_>) -> bool {
    let waits = matches!(one.state, State::Queued | State::NeedsAttention);
    one.is_settled && waits && one.line.is_none()
}

/// The lines that are somebody's, the one that we know first, then the earliest.
fn by_operation<'l, 'a>(
    ours: &[Ours<'a>],
    theirs: &'l [Theirs<'a>],
) -> BTreeMap<&'a str, Vec<&'l Theirs<'a>>> {
    let known = ours.iter().filter_map(|one| Some((one.line?, one.id)));
    let known: BTreeMap<&str, &'a str> = known.collect();
    let mut lines = BTreeMap::<_, Vec<_>>::new();
    for line in theirs {
        let named = || line.metadata.get(OPERATION).copied();
        if let Some(operation) = known.get(line.id).copied().or_else(named) {
            lines.entry(operation).or_default().push(line);
        }
    }
    for of_one in lines.values_mut() {
        of_one.sort_by_key(|line| (!known.contains_key(line.id), line.created, line.id));
    }
    lines
}

fn of_operation<'a>(
    one: &Ours<'a>,
    lines: &[&Theirs<'a>],
    taken_back: &BTreeSet<&str>,
    found: &mut Vec<Difference<'a>>,
) {
    let mut tell = |kind, line: Option<&Theirs<'a>>, cure| {
        found.push(Difference {
            kind,
            operation: Some(one.id),
            line: line.map(|line| line.id),
            cure,
        });
    };
    let is_done = one.state == State::Delivered;
    let Some((line, others)) = lines.split_first() else {
        if is_done {
            tell(Drift::Missing, None, Cure::CallAnew);
        }
        return;
    };
    match (agrees(one, line), is_done) {
        (false, _) => tell(Drift::AmountDiffers, Some(line), Cure::TakeNote),
        (true, false) => tell(Drift::UndeliveredButPresent, Some(line), Cure::Adopt),
        (true, true) => {}
    }
    if is_edited(one, line) {
        tell(Drift::Edited, Some(line), Cure::TakeNote);
    }
    for line in others {
        if taken_back.contains(line.id) {
            continue;
        }
        // Of another amount it may be anything; only a person can tell. What was taken twice, nobody gives again by
        // itself.
        match (agrees(one, line), one.amount < 0) {
            (true, true) => tell(Drift::Doubled, Some(line), Cure::TakeBack),
            (true, false) => tell(Drift::Doubled, Some(line), Cure::TakeNote),
            (false, _) => tell(Drift::AmountDiffers, Some(line), Cure::TakeNote),
        }
    }
}

fn agrees(one: &Ours<'_>, line: &Theirs<'_>) -> bool {
    one.amount == line.amount && one.currency.as_str() == line.currency
}

/// Whether the words are others. What somebody has added does no harm. The line of an operation that we had lost names
/// that one for ever.
fn is_edited(one: &Ours<'_>, line: &Theirs<'_>) -> bool {
    let names_lost = line
        .metadata
        .get(OPERATION)
        .is_some_and(|named| named.starts_with(OF_OPERATION));
    let has = |(name, value): (&&str, &&str)| {
        line.metadata.get(name) == Some(value) || (*name == OPERATION && names_lost)
    };
    one.description != line.description || !one.metadata.iter().all(has)
}

/// What a line looks like: as long as that is the same, a difference that was taken note of is not told again.
pub fn appearance(kind: Drift, line: &Theirs<'_>) -> String {
    let amount = line.amount.to_string();
    let members = line
        .metadata
        .iter()
        .flat_map(|(name, value)| [*name, *value]);
    let texts = [
        kind.as_str(),
        line.id,
        &amount,
        line.currency,
        line.description,
    ];
    digest(texts.into_iter().chain(members))
}

/// A short text that is another one when any of these is.
pub(super) fn digest<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let digest = hasher.finalize();
    digest[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests;
