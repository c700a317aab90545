//! What can be reached from a charge, an invoice or a subscription along the links.

use std::collections::BTreeSet;

use billstack_core::ids::TeamId;
use billstack_core::payments::{Link, LinkKind, Subjects, Told};

use crate::seam::{Fault, Tx};
use crate::tables::payment_links;

/// How many things are followed. A payment has a handful; one that seems to have more is not followed to its end.
const MOST: usize = 500;

/// A thing of Stripe that payments are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Charge(String),
    Intent(String),
    Invoice(String),
    Subscription(String),
}

impl Thing {
    fn id(&self) -> &str {
        match self {
            Thing::Charge(id)
            | Thing::Intent(id)
            | Thing::Invoice(id)
            | Thing::Subscription(id) => id,
        }
    }
}

/// The name under which something of a payment is held.
pub(super) fn name_of(id: &str) -> String {
    format!("pay:{id}")
}

/// What can be reached from something.
#[derive(Debug, Default)]
pub(super) struct Reach {
    things: BTreeSet<Thing>,
}

impl Reach {
    /// One thing.
    pub(super) fn of_one(subjects: &Subjects<'_>) -> Reach {
        let mut reach = Reach::default();
        reach.add_subjects(subjects);
        reach
    }

    /// What a message is about itself.
    pub(super) fn of(told: &Told) -> Reach {
        let mut reach = Reach::default();
        for fact in &told.facts {
            reach.add_subjects(&fact.subjects());
        }
        for link in &told.links {
            reach.add_ends(link);
        }
        reach
    }

    fn add_subjects(&mut self, subjects: &Subjects<'_>) {
        let things = [
            subjects.charge.map(|id| Thing::Charge(id.to_owned())),
            subjects
                .payment_intent
                .map(|id| Thing::Intent(id.to_owned())),
            subjects.invoice.map(|id| Thing::Invoice(id.to_owned())),
            subjects
                .subscription
                .map(|id| Thing::Subscription(id.to_owned())),
        ];
        self.things.extend(things.into_iter().flatten());
    }

    fn add_ends(&mut self, link: &Link) {
        let (from, to) = (link.from.clone(), link.to.clone());
        let ends = match link.kind {
            LinkKind::ChargeIntent => [Thing::Charge(from), Thing::Intent(to)],
            LinkKind::ChargeInvoice => [Thing::Charge(from), Thing::Invoice(to)],
            LinkKind::IntentInvoice => [Thing::Intent(from), Thing::Invoice(to)],
            LinkKind::InvoiceSubscription => [Thing::Invoice(from), Thing::Subscription(to)],
            LinkKind::Other(_) => return,
        };
        self.things.extend(ends);
    }

    /// The same with all that the links lead to: from charges and payment intents to each other and to invoices, and
    /// from those to subscriptions. Never from a subscription to its other invoices.
    pub(super) fn follow(mut self, tx: &mut dyn Tx, team_id: &TeamId) -> Result<Reach, Fault> {
        let mut followed = BTreeSet::new();
        loop {
            let next = self.things.difference(&followed).next().cloned();
            let Some(thing) = next.filter(|_| followed.len() < MOST) else {
                return Ok(self);
            };
            if !matches!(thing, Thing::Subscription(_)) {
                for kept in payment_links::from(tx, team_id, thing.id())? {
                    self.add_ends(&kept.link);
                }
            }
            if matches!(thing, Thing::Intent(_)) {
                let back = payment_links::to(tx, team_id, thing.id())?;
                let charges = back
                    .iter()
                    .filter(|kept| kept.link.kind == LinkKind::ChargeIntent);
                charges.for_each(|kept| self.add_ends(&kept.link));
            }
            followed.insert(thing);
        }
    }

    /// The names of everything that was reached.
    pub(super) fn names(&self) -> Vec<String> {
        self.things
            .iter()
            .map(|thing| name_of(thing.id()))
            .collect()
    }

    /// Whether an invoice or a subscription was reached.
    pub(super) fn is_linked(&self) -> bool {
        self.things
            .iter()
            .any(|thing| matches!(thing, Thing::Invoice(_) | Thing::Subscription(_)))
    }

    /// The invoices that were reached.
    pub(super) fn invoices(&self) -> impl Iterator<Item = &str> {
        self.things.iter().filter_map(|thing| match thing {
            Thing::Invoice(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// The charges that were reached.
    pub(super) fn charges(&self) -> impl Iterator<Item = &str> {
        self.things.iter().filter_map(|thing| match thing {
            Thing::Charge(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// The payment intents that were reached.
    pub(super) fn intents(&self) -> impl Iterator<Item = &str> {
        self.things.iter().filter_map(|thing| match thing {
            Thing::Intent(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// The subscriptions that were reached.
    pub(super) fn subscriptions(&self) -> impl Iterator<Item = &str> {
        self.things.iter().filter_map(|thing| match thing {
            Thing::Subscription(id) => Some(id.as_str()),
            _ => None,
        })
    }

    /// The charges and the payment intents that were reached.
    pub(super) fn payments(&self) -> impl Iterator<Item = &str> {
        self.things.iter().filter_map(|thing| match thing {
            Thing::Charge(id) | Thing::Intent(id) => Some(id.as_str()),
            _ => None,
        })
    }
}
