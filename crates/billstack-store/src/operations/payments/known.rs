//! What is known of the payment for a subscription, gathered from the tables.

use std::collections::BTreeSet;

use billstack_core::ids::TeamId;
use billstack_core::payments::{Facts, Link, LinkKind, qualifying};

use crate::seam::{Fault, Tx};
use crate::tables::money_facts::{self, About};
use crate::tables::payment_links;

/// What is known of a payment, and which of it is not yet kept for good.
#[derive(Default)]
pub(super) struct Known {
    pub(super) facts: Facts,
    passing_facts: BTreeSet<String>,
    passing_links: BTreeSet<Link>,
}

/// What is known of the first payment for a subscription.
pub(in crate::operations) fn known_of(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    subscription: &str,
) -> Result<Facts, Fault> {
    Known::of(tx, team_id, subscription).map(|known| known.facts)
}

impl Known {
    /// What is known of the first payment for a subscription.
    pub(super) fn of(
        tx: &mut dyn Tx,
        team_id: &TeamId,
        subscription: &str,
    ) -> Result<Known, Fault> {
        let mut known = Known::default();
        known.read(tx, team_id, About::Subscription(subscription))?;
        let Some(invoice) = qualifying(&known.facts, subscription).map(str::to_owned) else {
            return Ok(known);
        };
        // Later invoices, and how the subscription ended, are no matter any more.
        known.passing_facts.clear();
        known.read(tx, team_id, About::Invoice(&invoice))?;
        let (charges, intents) = known.payments_of(tx, team_id, &invoice)?;
        for id in &charges {
            known.read(tx, team_id, About::Charge(id))?;
        }
        for id in &intents {
            known.read(tx, team_id, About::Intent(id))?;
        }
        Ok(known)
    }

    fn read(&mut self, tx: &mut dyn Tx, team_id: &TeamId, what: About<'_>) -> Result<(), Fault> {
        for kept in money_facts::about(tx, team_id, what)? {
            if let Some(fact) = kept.fact {
                if kept.keep_until.is_some() {
                    self.passing_facts.insert(fact.key());
                }
                self.facts.take(fact);
            }
        }
        Ok(())
    }

    fn add(&mut self, kept: payment_links::Kept) {
        if kept.keep_until.is_some() {
            self.passing_links.insert(kept.link.clone());
        }
        self.facts.link(kept.link);
    }

    /// The charges and the payment intents that paid an invoice, with those that they belong to.
    fn payments_of(
        &mut self,
        tx: &mut dyn Tx,
        team_id: &TeamId,
        invoice: &str,
    ) -> Result<(BTreeSet<String>, BTreeSet<String>), Fault> {
        for kept in payment_links::from(tx, team_id, invoice)? {
            self.add(kept);
        }
        let (mut charges, mut intents) = (BTreeSet::new(), BTreeSet::new());
        for kept in payment_links::to(tx, team_id, invoice)? {
            match kept.link.kind {
                LinkKind::ChargeInvoice => charges.insert(kept.link.from.clone()),
                LinkKind::IntentInvoice => intents.insert(kept.link.from.clone()),
                _ => continue,
            };
            self.add(kept);
        }
        let of_charges: Vec<String> = charges.iter().cloned().collect();
        for charge in of_charges {
            self.add_pairs(
                payment_links::from(tx, team_id, &charge)?,
                &mut charges,
                &mut intents,
            );
        }
        let of_intents: Vec<String> = intents.iter().cloned().collect();
        for intent in of_intents {
            self.add_pairs(
                payment_links::to(tx, team_id, &intent)?,
                &mut charges,
                &mut intents,
            );
        }
        Ok((charges, intents))
    }

    /// Adds the pairs of a charge and its payment intent among links.
    fn add_pairs(
        &mut self,
        links: Vec<payment_links::Kept>,
        charges: &mut BTreeSet<String>,
        intents: &mut BTreeSet<String>,
    ) {
        for kept in links {
            if kept.link.kind == LinkKind::ChargeIntent {
                charges.insert(kept.link.from.clone());
                intents.insert(kept.link.to.clone());
                self.add(kept);
            }
        }
    }

    /// Keeps for good what is known: credits depend on it, and money that came back late is told for years.
    pub(super) fn keep(&self, tx: &mut dyn Tx, team_id: &TeamId) -> Result<(), Fault> {
        for key in &self.passing_facts {
            money_facts::keep(tx, team_id, key)?;
        }
        for link in &self.passing_links {
            payment_links::keep(tx, team_id, link)?;
        }
        Ok(())
    }
}
