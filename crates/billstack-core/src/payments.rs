//! What Stripe told of payments, and how much of a credit it takes back.
//!
//! A credit is given for one payment: the first invoice of the subscription that converted the referral which
//! brought money. If a share of that payment is lost, by a refund, a dispute or a credit note, the same share of
//! the credit is. Stripe tells of this in many pieces, more than once, in any order, and sometimes in two ways
//! at once. So nothing is ever added up as it comes in: pieces are kept as [`Facts`], a set in which of two
//! versions of one thing the later stays, and what is lost is a function of that set ([`loss`]). The order and
//! the number of the messages cannot matter.
//!
//! Whoever reads amounts bounds them (by [`LARGEST`]), so that sums of them fit.

mod causes;
mod conversion;
mod disputes;
mod fact;
mod links;
mod loss;
mod notes;
mod refunds;
mod status;
mod target;
mod window;

pub use causes::{LossCause, loss_causes};
pub use conversion::{NotPaid, Payment, payment};
pub use fact::{
    Charge, ChargeStep, CreditNote, Dispute, Fact, FundsLine, Invoice, InvoicePayment, NamedRefund,
    Refund, RefundsListed, Stage, SubscriptionEnd,
};
pub use links::{Link, LinkKind, Subjects};
pub use loss::{Loss, PaidBy, loss, paid_by, qualifying};
pub use status::{DisputeStatus, InvoiceStatus, PaymentStatus, RefundStatus};
pub use target::{Moves, moves, taken, target, wanted};
pub use window::{Case, LONGEST_POSTPONED, postponed_until};

use std::collections::{BTreeMap, BTreeSet};

/// The largest amount that is taken from Stripe, in minor units; far beyond what it moves.
pub const LARGEST: i64 = 1_000_000_000_000_000;

/// What is known: of each thing its latest version, and every link between things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    facts: BTreeMap<String, Fact>,
    links: BTreeSet<Link>,
}

impl Facts {
    /// Takes a fact in, unless a later version of it is known. Whether anything changed.
    pub fn take(&mut self, fact: Fact) -> bool {
        let key = fact.key();
        let is_news = self
            .facts
            .get(&key)
            .is_none_or(|known| fact.supersedes(known));
        if is_news {
            self.facts.insert(key, fact);
        }
        is_news
    }

    /// Takes a link in. Whether it is a new one.
    pub fn link(&mut self, link: Link) -> bool {
        self.links.insert(link)
    }

    /// Takes in what a message says.
    pub fn hear(&mut self, told: &Told) {
        for fact in &told.facts {
            self.take(fact.clone());
        }
        self.links.extend(told.links.iter().cloned());
    }

    /// Takes everything in that another set knows.
    pub fn merge(&mut self, other: Facts) {
        for fact in other.facts.into_values() {
            self.take(fact);
        }
        self.links.extend(other.links);
    }

    /// Every fact, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.facts.values()
    }

    /// Every link.
    pub fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.iter()
    }
}

/// What one message of Stripe says about payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What it says of things.
    pub facts: Vec<Fact>,
    /// What it says of how they belong together.
    pub links: Vec<Link>,
    /// The Stripe customers that it names, `cus_…` or `acct_…`.
    pub stripe_customers: Vec<String>,
}

impl Told {
    /// The thing that it is about, by its id in Stripe.
    pub fn object_id(&self) -> Option<&str> {
        self.facts.last().map(Fact::object_id)
    }

    /// Adds what another message says. A Stripe customer is named once.
    pub fn add(&mut self, other: Told) {
        self.facts.extend(other.facts);
        self.links.extend(other.links);
        for id in other.stripe_customers {
            if !self.stripe_customers.contains(&id) {
                self.stripe_customers.push(id);
            }
        }
    }

    /// Whether it says nothing at all that could be read.
    pub const fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.links.is_empty()
    }
}

#[cfg(test)]
mod tests;
