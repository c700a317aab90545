//! The lots of a balance: every credit in it, and what is left of each.

use std::collections::{BTreeMap, HashMap};

use super::Use;

/// Something of a credit, in the order in which it is used.
#[derive(Debug)]
struct Lot {
    /// Ours, or somebody else's.
    owner: Option<String>,
    left: i64,
}

/// All lots of a balance, the oldest first.
///
/// There is debt only while nothing is left of any lot: `debt` less all that is left is the balance.
#[derive(Debug, Default)]
pub(super) struct Lots {
    lots: Vec<Lot>,
    debt: i64,
    /// What each invoice took, in order: the index of the lot, and how much.
    taken: HashMap<String, Vec<(usize, i64)>>,
    /// What our lines gave to each credit, less what they took back.
    delivered: BTreeMap<String, i64>,
}

impl Lots {
    /// A new lot. What the customer owes is paid from it first.
    pub(super) fn give(&mut self, amount: i64, owner: Option<&str>) {
        if let Some(owner) = owner {
            *self.delivered.entry(owner.to_owned()).or_default() += amount;
        }
        let amount = self.pay_debt(amount);
        let own = owner.map_or(0, |owner| self.room(owner).min(amount));
        self.add(own, owner);
        self.add(amount - own, None);
    }

    /// Somebody takes from the balance: from the oldest lots first.
    pub(super) fn take(&mut self, amount: i64, invoice: Option<&str>) {
        let pieces = self.take_from(amount, |_| true);
        if let Some(invoice) = invoice {
            let of_invoice = self.taken.entry(invoice.to_owned()).or_default();
            of_invoice.extend(pieces);
        }
    }

    /// We take a credit back: from its own lots, and what was used of it meanwhile from the others, which have
    /// then paid in its place.
    pub(super) fn take_back(&mut self, amount: i64, credit: &str) {
        let own = |lot: &Lot| lot.owner.as_deref() == Some(credit);
        *self.delivered.entry(credit.to_owned()).or_default() -= amount;
        let debt = self.debt;
        self.take_from(amount, own);
        let beyond = self.debt - debt;
        self.debt = debt;
        self.take_from(beyond, |_| true);
    }

    /// Stripe gives back what an invoice took: to the lots that it was taken from, the newest first.
    pub(super) fn give_back(&mut self, amount: i64, invoice: &str) {
        let mut rest = self.pay_debt(amount);
        let mut pieces = self.taken.remove(invoice).unwrap_or_default();
        while let Some((index, taken)) = pieces.pop() {
            let back = taken.min(rest);
            rest -= back;
            self.refill(index, back);
            if back < taken {
                pieces.push((index, taken - back));
                break;
            }
        }
        self.taken.insert(invoice.to_owned(), pieces);
        self.add(rest, None);
    }

    /// What became of each of our credits.
    pub(super) fn uses(&self) -> BTreeMap<String, Use> {
        let of = |credit: &String| (credit.clone(), self.use_of(credit));
        self.delivered.keys().map(of).collect()
    }

    /// What became of one of our credits.
    pub(super) fn use_of(&self, credit: &str) -> Use {
        let delivered = self.delivered.get(credit).copied().unwrap_or_default();
        Use {
            delivered: delivered.max(0),
            unused: self.left_of(credit),
        }
    }

    /// Takes from the lots that may be taken from, the oldest first; the rest is owed.
    fn take_from(&mut self, amount: i64, may: impl Fn(&Lot) -> bool) -> Vec<(usize, i64)> {
        let mut rest = amount;
        let mut pieces = Vec::new();
        for (index, lot) in self.lots.iter_mut().enumerate() {
            let piece = lot.left.min(rest);
            if piece > 0 && may(lot) {
                lot.left -= piece;
                rest -= piece;
                pieces.push((index, piece));
            }
        }
        self.debt += rest;
        pieces
    }

    /// Pays what is owed, and returns what remains.
    fn pay_debt(&mut self, amount: i64) -> i64 {
        let paid = self.debt.min(amount);
        self.debt -= paid;
        amount - paid
    }

    /// Puts something back into a lot. What our line has taken from others in the place of this one is theirs.
    fn refill(&mut self, index: usize, amount: i64) {
        let owner = self.lots[index].owner.clone();
        let own = match owner.as_deref() {
            Some(owner) => self.room(owner).min(amount),
            None => amount,
        };
        self.lots[index].left += own;
        self.add(amount - own, None);
    }

    fn add(&mut self, left: i64, owner: Option<&str>) {
        let owner = owner.map(str::to_owned);
        if left > 0 {
            self.lots.push(Lot { owner, left });
        }
    }

    fn left_of(&self, credit: &str) -> i64 {
        let own = |lot: &&Lot| lot.owner.as_deref() == Some(credit);
        self.lots.iter().filter(own).map(|lot| lot.left).sum()
    }

    /// How much more than is left of a credit may be left of it: no more than we gave.
    fn room(&self, credit: &str) -> i64 {
        let delivered = self.delivered.get(credit).copied().unwrap_or_default();
        (delivered - self.left_of(credit)).max(0)
    }
}
