//! What became of our credits in a customer's balance at Stripe.
//!
//! Stripe keeps one number for each customer and currency, and knows no lots. Which credit was used is therefore
//! a policy: whatever takes from the balance takes the oldest credit first, other people's credits included. Two
//! kinds of lines know better: a line that takes one of our credits back acts on that credit, and what Stripe
//! gives back of a voided invoice returns to the credits that the invoice took.

mod lots;

use std::collections::BTreeMap;

use crate::time::Micros;
use lots::Lots;

/// A line of a customer's balance in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its id at Stripe, `cbtxn_…`.
    pub id: String,
    /// By how much it changes the balance; below zero it is a credit.
    pub amount: i64,
    /// The balance after it.
    pub ending_balance: i64,
    /// Its type, as Stripe names it.
    pub kind: String,
    /// The invoice that caused it.
    pub invoice: Option<String>,
    /// The credit of ours that it gives or takes back: we know the line by its id, or its metadata names the
    /// credit.
    pub credit: Option<String>,
    /// When Stripe wrote it.
    pub created: Micros,
}

impl Line {
    fn gives_back(&self) -> Option<&str> {
        let is_return = self.kind == "unapplied_from_invoice";
        self.invoice.as_deref().filter(|_| is_return)
    }
}

/// The lines do not follow from each other: some are missing, or the list was read while it changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct HistoryUnclear;

/// What became of a credit of ours.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// What our lines gave, less what they took back.
    pub delivered: i64,
    /// What is left of it.
    pub unused: i64,
}

impl Use {
    /// What the customer has paid with.
    pub const fn applied(&self) -> i64 {
        self.delivered - self.unused
    }
}

/// A customer's balance in a currency, and what it consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// The balance after the last line; below zero the customer has credit.
    pub ends_at: i64,
    /// What became of each of our credits that has a line.
    pub credits: BTreeMap<String, Use>,
}

/// Follows the lines of one customer and currency, the oldest first, as Stripe lists them.
///
/// A line that is there twice counts once: pages of a list overlap when lines are written meanwhile.
pub fn follow<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Result<Balance, HistoryUnclear> {
    let (lots, ends_at) = walk(lines, |_, _| {})?;
    let credits = lots.uses();
    Ok(Balance { ends_at, credits })
}

/// How much of a credit each line uses, in their order; below zero where it gives back. Lines without effect are left
/// out.
pub fn uses_of<'a>(
    lines: impl IntoIterator<Item = &'a Line>,
    credit: &str,
) -> Result<Vec<(&'a Line, i64)>, HistoryUnclear> {
    let (mut uses, mut applied) = (Vec::new(), 0);
    walk(lines, |line, lots| {
        let now = lots.use_of(credit).applied();
        if now != applied {
            uses.push((line, now - applied));
            applied = now;
        }
    })?;
    Ok(uses)
}

/// Which lines bring what is booked as used of a credit to what is used, the oldest first: the latest ones that did
/// the same. What they do not explain is put down to the last of them.
pub fn explain<'a>(uses: &[(&'a Line, i64)], difference: i64) -> Vec<(&'a Line, i64)> {
    let (sign, mut rest) = (difference.signum(), difference.abs());
    let mut explained: Vec<(&Line, i64)> = Vec::new();
    for (line, units) in uses.iter().rev() {
        let part = (units * sign).min(rest);
        if part > 0 {
            rest -= part;
            explained.push((line, part * sign));
        }
    }
    let last = explained.first().map(|(line, _)| *line);
    if let Some(line) = last
        .or(uses.last().map(|(line, _)| *line))
        .filter(|_| rest > 0)
    {
        match explained.first_mut() {
            Some((_, units)) => *units += rest * sign,
            None => explained.push((line, rest * sign)),
        }
    }
    explained.reverse();
    explained
}

fn walk<'a>(
    lines: impl IntoIterator<Item = &'a Line>,
    mut each: impl FnMut(&'a Line, &Lots),
) -> Result<(Lots, i64), HistoryUnclear> {
    let mut seen = std::collections::HashSet::new();
    let mut lots = Lots::default();
    let mut ends_at = 0_i64;
    for line in lines {
        if !seen.insert(line.id.as_str()) {
            continue;
        }
        if ends_at.checked_add(line.amount) != Some(line.ending_balance) {
            return Err(HistoryUnclear);
        }
        ends_at = line.ending_balance;
        match (line.gives_back(), line.credit.as_deref()) {
            (Some(invoice), _) if line.amount < 0 => lots.give_back(-line.amount, invoice),
            (_, owner) if line.amount < 0 => lots.give(-line.amount, owner),
            (_, Some(credit)) => lots.take_back(line.amount, credit),
            (_, None) => lots.take(line.amount, line.invoice.as_deref()),
        }
        each(line, &lots);
    }
    Ok((lots, ends_at))
}

impl Balance {
    /// How much of a credit can be taken back without the customer owing anything for it: no more than is left
    /// of it, and no more than the balance holds.
    pub fn reversible(&self, credit: &str, wanted: i64) -> i64 {
        let left = self.credits.get(credit).map_or(0, |of| of.unused);
        wanted.min(left).min(-self.ends_at).max(0)
    }
}

/// How much of a line that took a credit back must be given again at once, because the credit was used between
/// the look and the line: whatever the customer would owe by it.
pub fn put_back(taken: i64, ending_balance: i64) -> i64 {
    taken.min(ending_balance).max(0)
}

#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
