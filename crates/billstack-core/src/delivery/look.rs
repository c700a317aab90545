//! The look: is the line of an operation among those of its customer?

use crate::money::Currency;
use crate::time::{MINUTE, Micros};

/// How much earlier than the first try a look begins, since our clock and Stripe's may differ.
const EARLIER: i64 = 10 * MINUTE;

/// A line of a customer's balance, as far as a look needs it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// Its id at Stripe.
    pub id: &'a str,
    /// By how much it changes the balance.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// Its type, as Stripe names it.
    pub kind: &'a str,
    /// When Stripe wrote it.
    pub created: Micros,
    /// The operation whose line we know it to be, or else the one that its metadata names.
    pub operation: Option<&'a str>,
}

/// What a look is for.
#[derive(Copy, Clone, Debug)]
pub struct Wanted<'a> {
    /// The operation.
    pub operation: &'a str,
    /// The amount of its line.
    pub amount: i64,
    /// The currency of its line.
    pub currency: Currency,
    /// Whether a person has decided that lines like it, of others, are not it.
    pub others_are_known: bool,
}

/// What a look found.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Look<'a> {
    /// The line of the operation.
    Adopt(&'a str),
    /// Its line, with another amount or currency.
    AmountDiffers(&'a str),
    /// No line of the operation, but one of the same amount that nobody accounts for.
    PossibleDuplicate(&'a str),
    /// Nothing.
    Absent,
}

/// From when on lines are read, for an operation that was first tried then, by the real clock.
pub const fn begins(first_try: Micros) -> Micros {
    first_try.plus(-EARLIER)
}

/// Looks for the line of an operation among lines in any order.
///
/// Where it has two, which only somebody's hand can bring about, the first is its line.
pub fn look<'a>(wanted: &Wanted<'_>, since: Micros, lines: &[Seen<'a>]) -> Look<'a> {
    let first = |of: &dyn Fn(&Seen<'_>) -> bool| {
        let found = lines.iter().filter(|line| of(line));
        found
            .min_by_key(|line| (line.created, line.id))
            .map(|line| line.id)
    };
    let agrees = |line: &Seen<'_>| line.amount == wanted.amount && line.currency == wanted.currency;
    let is_its = |line: &Seen<'_>| line.operation == Some(wanted.operation);
    if let Some(id) = first(&|line| is_its(line) && agrees(line)) {
        return Look::Adopt(id);
    }
    if let Some(id) = first(&is_its) {
        return Look::AmountDiffers(id);
    }
    let is_anybodys = |line: &Seen<'_>| {
        line.operation.is_none() && line.kind == "adjustment" && line.created >= since
    };
    let doubtful = first(&|line| is_anybodys(line) && agrees(line));
    match doubtful.filter(|_| !wanted.others_are_known) {
        Some(id) => Look::PossibleDuplicate(id),
        None => Look::Absent,
    }
}
