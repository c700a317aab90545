//! Payment intents, which are only ever asked for.

use super::super::members::{identifier, is_object, members, reference, root};
use super::customers;
use crate::payments::{Link, LinkKind, Told};
use serde_json::value::RawValue;

/// An invoice that a payment may have paid, by a reference that the business can write itself. It counts only where the
/// invoice is known to be of the same Stripe customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// From the payment intent to the invoice.
    pub link: Link,
    /// The Stripe customers that the payment intent names.
    pub stripe_customers: Vec<String>,
}

/// A payment intent (<https://docs.stripe.com/api/payment_intents/object>). It named its invoice up to the API version
/// of 2025-02-24; what it says since is [`hint_of`].
pub(super) fn intent(object: &RawValue) -> Told {
    let names = [
        "id",
        "customer",
        "customer_account",
        "invoice",
        "latest_charge",
    ];
    let [id, customer, account, invoice, charge] = members(object, names).unwrap_or_default();
    let (id, invoice, charge) = (identifier(id), reference(invoice), reference(charge));
    let links = super::links_of_payment(charge.as_ref(), id.as_ref(), invoice.as_ref());
    Told {
        facts: Vec::new(),
        links: links.collect(),
        stripe_customers: customers([customer, account]),
    }
}

/// What a payment intent hints at, if it is one.
pub fn hint_of(object: &[u8]) -> Option<Hint> {
    let object = root(object).filter(|object| is_object(object))?;
    let names = ["id", "customer", "customer_account", "payment_details"];
    let [id, customer, account, details] = members(object, names)?;
    let [order] = members(details?, ["order_reference"])?;
    let (id, invoice) = (identifier(id), identifier(order));
    let invoice = invoice.filter(|invoice| invoice.starts_with("in_"));
    Some(Hint {
        link: Link::between(LinkKind::IntentInvoice, id.as_ref(), invoice.as_ref())?,
        stripe_customers: customers([customer, account]),
    })
}
