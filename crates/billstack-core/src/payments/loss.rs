//! How much of the payment behind a conversion is lost.

use super::Facts;
use super::disputes::disputed;
use super::fact::{Charge, Fact, Invoice, InvoicePayment};
use super::links::{LinkKind, Subjects};
use super::notes::noted;
use super::refunds::refunds;
use super::status::{InvoiceStatus, PaymentStatus};
use super::window::Case;
use crate::money::Currency;
use crate::time::Micros;
use std::collections::{BTreeMap, BTreeSet};

/// What is lost of the payment that credits were given for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing, or the payment is not known (yet).
    Nothing,
    /// So much of the payment. Never more than it was.
    Part {
        /// What is lost.
        lost: i64,
        /// What was paid.
        paid: i64,
    },
    /// There never was a payment, and there will be none: the subscription ended in the hold.
    Everything,
}

/// What is lost by everything that is known.
pub fn loss(facts: &Facts, case: &Case<'_>) -> Loss {
    if case.losses_until.is_none() {
        return Loss::Nothing;
    }
    let Some(qualifying) = Qualifying::of(facts, case.subscription) else {
        return if ended_in_hold(facts, case) {
            Loss::Everything
        } else {
            Loss::Nothing
        };
    };
    let invoice = qualifying.invoice;
    let lost = if qualifying.is_unpaid(case) {
        invoice.paid
    } else {
        lost_of(facts, case, invoice).min(invoice.paid)
    };
    match lost {
        0 => Loss::Nothing,
        lost => Loss::Part {
            lost,
            paid: invoice.paid,
        },
    }
}

/// The invoice that credits were given for, when it is known.
pub fn qualifying<'f>(facts: &'f Facts, subscription: &str) -> Option<&'f str> {
    Qualifying::of(facts, subscription).map(|found| found.invoice.id.as_str())
}

/// The charges and the payment intents that are one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaidBy {
    /// The charges that are known.
    pub charges: Vec<String>,
    /// The payment intents.
    pub intents: Vec<String>,
}

/// What paid the invoice that credits were given for, as far as it is known.
pub fn paid_by(facts: &Facts, subscription: &str) -> Vec<PaidBy> {
    let owned = |ids: &BTreeSet<&str>| ids.iter().map(|id| (*id).to_owned()).collect();
    let found = Qualifying::of(facts, subscription);
    let payments = found.map_or_else(Vec::new, |found| payments_of(facts, found.invoice));
    let trails = payments.iter().map(|payment| PaidBy {
        charges: owned(&payment.trail.charges),
        intents: owned(&payment.trail.intents),
    });
    trails.collect()
}

/// What refunds, disputes and notes have taken of an invoice, not yet bounded by what was paid.
fn lost_of(facts: &Facts, case: &Case<'_>, invoice: &Invoice) -> i64 {
    let (mut unexplained, mut lost) = (0, 0);
    // What was paid and then taken off the invoice is lost, unless something else has paid it since.
    let (mut stands, mut taken_off) = (0_i64, 0_i64);
    for payment in payments_of(facts, invoice) {
        let refunds = refunds(facts, case, &payment);
        unexplained += refunds.unexplained;
        if payment.is_unpaid(case) {
            taken_off += payment.paid;
            continue;
        }
        stands += payment.paid;
        lost += payment.share(
            refunds
                .refunded
                .saturating_add(disputed(facts, case, &payment)),
        );
    }
    lost += taken_off.min((invoice.paid - stands).max(0));
    lost + noted(facts, case, &invoice.id, unexplained)
}

/// Whether the subscription ended while the credits were held. Where there is no hold, it cannot have: whether it ended
/// before the code was even applied must make no difference.
pub(super) fn ended_in_hold(facts: &Facts, case: &Case<'_>) -> bool {
    let Some(held_until) = case.held_until else {
        return false;
    };
    facts.iter().any(|fact| match fact {
        Fact::SubscriptionEnd(end) => end.id == case.subscription && end.ended_at < held_until,
        _ => false,
    })
}

/// The payment that credits are given for: the earliest invoice of the subscription that brought money.
pub(super) struct Qualifying<'f> {
    /// As it was when it was last paid.
    pub(super) invoice: &'f Invoice,
    /// Since when it is not any more.
    unpaid_since: Option<Micros>,
}

impl<'f> Qualifying<'f> {
    /// Whether it ceased to be paid when that still counted.
    pub(super) fn is_unpaid(&self, case: &Case<'_>) -> bool {
        self.unpaid_since.is_some_and(|since| case.counts(since))
    }

    pub(super) fn of(facts: &'f Facts, subscription: &str) -> Option<Qualifying<'f>> {
        let mut versions: BTreeMap<&str, Vec<&Invoice>> = BTreeMap::new();
        for fact in facts.iter() {
            if let Fact::Invoice(invoice) = fact
                && is_of(facts, invoice, subscription)
            {
                versions.entry(&invoice.id).or_default().push(invoice);
            }
        }
        let found = versions.into_values().filter_map(|mut versions| {
            versions.sort_by_key(|version| (version.at, version.status.rank()));
            let is_paid = |version: &&Invoice| version.status == InvoiceStatus::Paid;
            let (invoice, unpaid_since) = last_paid(&versions, is_paid, |version| version.at)?;
            (invoice.paid > 0).then_some(Qualifying {
                invoice,
                unpaid_since,
            })
        });
        found.min_by_key(|found| (found.invoice.created_at, &found.invoice.id))
    }
}

fn is_of(facts: &Facts, invoice: &Invoice, subscription: &str) -> bool {
    let named = invoice.subscription.as_deref() == Some(subscription);
    named
        || linked(facts, LinkKind::InvoiceSubscription)
            .any(|link| link == (&invoice.id, subscription))
}

/// Of the versions of one thing, in the order of time: the last that was paid, and since when it is not any more.
fn last_paid<T: Copy>(
    versions: &[T],
    is_paid: impl Fn(&T) -> bool,
    at: impl Fn(&T) -> Micros,
) -> Option<(T, Option<Micros>)> {
    let last = versions.iter().rposition(is_paid)?;
    Some((versions[last], versions.get(last + 1).map(at)))
}

/// A payment of the invoice.
pub(super) struct Paying<'f> {
    /// What it paid on this invoice.
    pub(super) paid: i64,
    /// Since when that does not count any more, though it did.
    unpaid_since: Option<Micros>,
    /// Where to find what happened to it.
    pub(super) trail: Trail<'f>,
    /// What its charge captured, perhaps for other invoices as well.
    pub(super) captured: i64,
    /// The currency of the charge.
    pub(super) currency: Currency,
}

impl Paying<'_> {
    /// Whether it ceased to count when that still mattered.
    pub(super) fn is_unpaid(&self, case: &Case<'_>) -> bool {
        self.unpaid_since.is_some_and(|since| case.counts(since))
    }

    /// The share of what it paid here that corresponds to a loss of the charge.
    fn share(&self, lost: i64) -> i64 {
        if self.captured == 0 {
            return 0;
        }
        let lost = lost.min(self.captured);
        portion(self.paid, lost, self.captured).min(self.paid)
    }
}

/// `amount × part ÷ whole`, rounded down. The whole must not be zero.
pub(super) fn portion(amount: i64, part: i64, whole: i64) -> i64 {
    let product = i128::from(amount) * i128::from(part);
    i64::try_from(product.div_euclid(i128::from(whole))).unwrap_or(i64::MAX)
}

/// The charges and payment intents that are one payment.
#[derive(Default)]
pub(super) struct Trail<'f> {
    charges: BTreeSet<&'f str>,
    intents: BTreeSet<&'f str>,
}

impl<'f> Trail<'f> {
    fn from(facts: &'f Facts, charge: Option<&'f str>, intent: Option<&'f str>) -> Trail<'f> {
        let mut trail = Trail::default();
        trail.charges.extend(charge);
        trail.intents.extend(intent);
        // A charge has one intent and an intent its charges, so that two steps reach everything.
        for _ in 0..2 {
            for (charge, intent) in linked(facts, LinkKind::ChargeIntent) {
                if trail.charges.contains(charge) || trail.intents.contains(intent) {
                    trail.charges.insert(charge);
                    trail.intents.insert(intent);
                }
            }
        }
        trail
    }

    /// Whether something happened to this payment.
    pub(super) fn leads_to(&self, subjects: &Subjects<'_>) -> bool {
        subjects.charge.is_some_and(|id| self.charges.contains(id))
            || subjects
                .payment_intent
                .is_some_and(|id| self.intents.contains(id))
    }
}

/// Every link of a kind, as its two ends.
fn linked(facts: &Facts, kind: LinkKind) -> impl Iterator<Item = (&str, &str)> {
    facts
        .links()
        .filter(move |link| link.kind == kind)
        .map(|link| (link.from.as_str(), link.to.as_str()))
}

/// What paid an invoice: the payments that Stripe tells one by one, and for what they leave the charges that are
/// known to have paid it.
pub(super) fn payments_of<'f>(facts: &'f Facts, invoice: &'f Invoice) -> Vec<Paying<'f>> {
    let mut payments = Vec::new();
    for (payment, unpaid_since) in told_payments(facts, &invoice.id) {
        let (charge, intent) = (payment.charge.as_deref(), payment.payment_intent.as_deref());
        let trail = Trail::from(facts, charge, intent);
        payments.push(paying(facts, invoice, payment.paid, unpaid_since, trail));
    }
    let told: i64 = payments.iter().map(|payment| payment.paid).sum();
    let rest = invoice.paid.saturating_sub(told).max(0);
    let charges = linked(facts, LinkKind::ChargeInvoice).map(|(from, to)| (Some(from), None, to));
    let intents = linked(facts, LinkKind::IntentInvoice).map(|(from, to)| (None, Some(from), to));
    for (charge, intent, to) in charges.chain(intents) {
        let is_new = !payments.iter().any(|payment: &Paying<'_>| {
            payment.trail.leads_to(&Subjects {
                charge,
                payment_intent: intent,
                ..Subjects::default()
            })
        });
        if to == invoice.id && is_new {
            let trail = Trail::from(facts, charge, intent);
            payments.push(paying(facts, invoice, rest, None, trail));
        }
    }
    payments
}

fn paying<'f>(
    facts: &'f Facts,
    invoice: &Invoice,
    paid: i64,
    unpaid_since: Option<Micros>,
    trail: Trail<'f>,
) -> Paying<'f> {
    let charges: Vec<&Charge> = facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Charge(charge) if trail.leads_to(&fact.subjects()) => Some(charge),
            _ => None,
        })
        .filter(|charge| charge.captured > 0)
        .collect();
    let captured: i64 = charges.iter().map(|charge| charge.captured).sum();
    Paying {
        paid,
        unpaid_since,
        // A charge that is not known captured what it is known to have paid.
        captured: if captured > 0 {
            captured
        } else {
            paid.max(paid_anywhere(facts, &trail))
        },
        currency: charges
            .first()
            .map_or(invoice.currency, |charge| charge.currency),
        trail,
    }
}

/// What a payment paid on all invoices.
fn paid_anywhere(facts: &Facts, trail: &Trail<'_>) -> i64 {
    let mut invoices: BTreeSet<&str> = BTreeSet::new();
    for fact in facts.iter() {
        if let Fact::InvoicePayment(payment) = fact
            && trail.leads_to(&fact.subjects())
        {
            invoices.insert(&payment.invoice);
        }
    }
    let paid = invoices
        .into_iter()
        .flat_map(|invoice| told_payments(facts, invoice))
        .filter(|(payment, _)| {
            let subjects = Subjects {
                charge: payment.charge.as_deref(),
                payment_intent: payment.payment_intent.as_deref(),
                ..Subjects::default()
            };
            trail.leads_to(&subjects)
        });
    paid.map(|(payment, _)| payment.paid).sum()
}

/// The payments of an invoice that were made, each as it was then, and since when it does not count any more.
fn told_payments<'f>(facts: &'f Facts, invoice: &str) -> Vec<(&'f InvoicePayment, Option<Micros>)> {
    let mut versions: BTreeMap<&str, Vec<&InvoicePayment>> = BTreeMap::new();
    for fact in facts.iter() {
        if let Fact::InvoicePayment(payment) = fact
            && payment.invoice == invoice
        {
            versions.entry(&payment.id).or_default().push(payment);
        }
    }
    let last = |mut versions: Vec<&'f InvoicePayment>| {
        versions.sort_by_key(|version| (version.at, version.status.rank()));
        let is_paid = |version: &&InvoicePayment| version.status == PaymentStatus::Paid;
        last_paid(&versions, is_paid, |version| version.at)
    };
    versions.into_values().filter_map(last).collect()
}
