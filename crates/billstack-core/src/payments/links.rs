//! How the things of a payment belong together, where Stripe says so. Nothing is ever guessed.

use serde::{Deserialize, Serialize};

text_enum! {
    /// What a link says.
    pub enum LinkKind {
        /// A charge belongs to a payment intent.
        ChargeIntent = "charge_intent",
        /// A charge paid an invoice.
        ChargeInvoice = "charge_invoice",
        /// A payment intent paid an invoice.
        IntentInvoice = "intent_invoice",
        /// An invoice is of a subscription.
        InvoiceSubscription = "invoice_subscription",
    }
}

/// A link from one thing of Stripe to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Link {
    /// What it says.
    pub kind: LinkKind,
    /// The id of the one.
    pub from: String,
    /// The id of the other.
    pub to: String,
}

impl Link {
    /// The link of a kind between two things, if both are named.
    pub fn between(kind: LinkKind, from: Option<&String>, to: Option<&String>) -> Option<Link> {
        Some(Link {
            kind,
            from: from?.clone(),
            to: to?.clone(),
        })
    }
}

/// The things that a fact is about, and under which it is found.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects<'f> {
    /// `ch_…` or `py_…`.
    pub charge: Option<&'f str>,
    /// `pi_…`.
    pub payment_intent: Option<&'f str>,
    /// `in_…`.
    pub invoice: Option<&'f str>,
    /// `sub_…`.
    pub subscription: Option<&'f str>,
}
