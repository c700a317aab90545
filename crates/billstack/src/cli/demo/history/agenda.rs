//! What is going to happen, by day.

use std::collections::BTreeMap;

/// Something that a person or the shop does.
pub(super) enum Deed {
    /// The person of that number subscribes.
    Subscribe(usize),
    /// Their subscription is due for another month.
    Renew(usize, String),
    /// A part of what they paid goes back: the charge, and how many of a hundred parts.
    Refund(usize, String, i64),
    /// They contest what they paid with their bank: the charge.
    Dispute(usize, String),
    /// They are deleted in Stripe.
    Vanish(usize),
}

impl Deed {
    /// Whose it is.
    fn person(&self) -> usize {
        let (Deed::Subscribe(number)
        | Deed::Renew(number, _)
        | Deed::Refund(number, ..)
        | Deed::Dispute(number, _)
        | Deed::Vanish(number)) = self;
        *number
    }
}

/// The deeds of days to come.
#[derive(Default)]
pub(super) struct Agenda(BTreeMap<i64, Vec<Deed>>);

impl Agenda {
    pub(super) fn plan(&mut self, day: i64, deed: Deed) {
        self.0.entry(day).or_default().push(deed);
    }

    /// Takes what was planned for a day.
    pub(super) fn of(&mut self, day: i64) -> Vec<Deed> {
        self.0.remove(&day).unwrap_or_default()
    }

    /// Nothing that was planned for this person happens.
    pub(super) fn forget(&mut self, number: usize) {
        for deeds in self.0.values_mut() {
            deeds.retain(|deed| deed.person() != number);
        }
    }
}
