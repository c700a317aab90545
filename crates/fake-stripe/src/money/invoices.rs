//! Invoices, up to where somebody pays.

use serde_json::{Value, json};

use super::people::{known, posted};
use super::{Money, edit, number, read, sublist, text};
use crate::balance::{self, Line};
use crate::books::Books;
use crate::happening::{Cause, differences};
use crate::ids;
use crate::object::extend;

/// An invoice to be made.
#[derive(Debug, Clone)]
pub struct NewInvoice {
    id: Option<String>,
    customer: String,
    total: i64,
    tax: i64,
    currency: String,
    subscription: Option<String>,
    billing_reason: Option<String>,
}

impl NewInvoice {
    /// An invoice of this total, tax included, which names no subscription.
    pub fn new(customer: &str, total: i64, currency: &str) -> Self {
        Self {
            id: None,
            customer: customer.to_owned(),
            total,
            tax: 0,
            currency: currency.to_owned(),
            subscription: None,
            billing_reason: None,
        }
    }

    /// Sets the id.
    #[must_use]
    pub fn id(self, id: &str) -> Self {
        Self {
            id: Some(id.to_owned()),
            ..self
        }
    }

    /// Sets the subscription that it is for.
    #[must_use]
    pub fn subscription(self, subscription: &str) -> Self {
        Self {
            subscription: Some(subscription.to_owned()),
            ..self
        }
    }

    /// Sets the reason; otherwise `subscription_create`, or `manual` without a subscription.
    #[must_use]
    pub fn billing_reason(self, reason: &str) -> Self {
        Self {
            billing_reason: Some(reason.to_owned()),
            ..self
        }
    }

    /// Sets how much of the total is tax.
    #[must_use]
    pub fn tax(self, tax: i64) -> Self {
        Self { tax, ..self }
    }
}

/// What becomes of the balance that a voided invoice has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnVoid {
    /// It is given back, by a line `unapplied_from_invoice`.
    Return,
    /// It is gone, as the account of the merchant was set up long ago.
    Consume,
}

impl Money<'_> {
    /// A draft: `invoice.created`. Returns the id.
    pub fn invoice(&self, new: &NewInvoice) -> String {
        self.act(|books, cause| create(books, new, cause))
    }

    /// The draft becomes final and uses the customer's balance in its currency, whatever lines that comes
    /// from: a line `applied_to_invoice` with `customer.updated`, then `invoice.finalized`. When nothing
    /// is left to pay, it is paid at once: `invoice.paid`, `invoice.payment_succeeded`.
    pub fn finalize(&self, invoice: &str) {
        self.act(|books, cause| finalize(books, invoice, cause));
    }

    /// The invoice is void: `invoice.voided`, and `customer.updated` when balance comes back.
    pub fn void(&self, invoice: &str, balance: OnVoid) {
        self.act(|books, cause| {
            let before = read(&books.invoices, invoice);
            let applied = number(&before["ending_balance"]) - number(&before["starting_balance"]);
            if balance == OnVoid::Return && applied != 0 {
                let line = of_invoice(&before, "unapplied_from_invoice", -applied);
                posted(books, line, cause);
            }
            let after = edit(&mut books.invoices, invoice, |invoice| {
                invoice["status"] = json!("void");
                invoice["status_transitions"]["voided_at"] = json!(cause.now);
            });
            books.tell("invoice.voided", &after, None, cause);
        });
    }

    /// The merchant gives the invoice up: `invoice.marked_uncollectible`. No balance comes back.
    pub fn mark_uncollectible(&self, invoice: &str) {
        self.act(|books, cause| {
            let after = edit(&mut books.invoices, invoice, |invoice| {
                invoice["status"] = json!("uncollectible");
                invoice["status_transitions"]["marked_uncollectible_at"] = json!(cause.now);
            });
            books.tell("invoice.marked_uncollectible", &after, None, cause);
        });
    }

    /// A paid invoice is open again: `invoice.updated`.
    pub fn reopen(&self, invoice: &str) {
        self.act(|books, cause| reopen(books, invoice, cause));
    }
}

fn create(books: &mut Books, new: &NewInvoice, cause: &Cause) -> String {
    let customer = known(books, &new.customer, cause);
    let id = new.id.clone().unwrap_or_else(|| ids::new("in_1", 23));
    let usual = match new.subscription {
        Some(_) => "subscription_create",
        None => "manual",
    };
    let reason = new.billing_reason.as_deref().unwrap_or(usual);
    let balance = balance::balance(&customer, &new.currency);
    let (named, account) = balance::names(&customer);
    let lines = sublist(
        vec![line(&id, new, cause)],
        &format!("/v1/invoices/{id}/lines"),
    );
    let mut invoice = json!({
        "id": id, "object": "invoice", "account_country": "US", "attempt_count": 0,
        "attempted": false, "auto_advance": true, "billing_reason": reason, "charge": null,
        "collection_method": "charge_automatically", "created": cause.now, "currency": new.currency,
        "customer": named, "customer_account": account, "customer_email": customer["email"],
        "description": null, "discounts": [], "due_date": null, "effective_at": null,
        "lines": lines, "livemode": cause.livemode, "metadata": {}, "next_payment_attempt": null,
        "number": null, "paid": false, "paid_out_of_band": false, "payment_intent": null,
        "payments": sublist(Vec::new(), "/v1/invoice_payments"), "period_end": cause.now,
        "period_start": cause.now, "status": "draft",
        "status_transitions": {
            "finalized_at": null, "marked_uncollectible_at": null, "paid_at": null, "voided_at": null
        },
        "test_clock": null
    });
    extend(&mut invoice, sums(new, balance));
    extend(&mut invoice, origin(new));
    books.invoices.put(invoice.clone());
    books.tell("invoice.created", &invoice, None, cause);
    id
}

fn sums(new: &NewInvoice, balance: i64) -> Value {
    let due = (new.total + balance).max(0);
    let before_tax = new.total - new.tax;
    json!({
        "amount_due": due, "amount_overpaid": 0, "amount_paid": 0, "amount_remaining": due,
        "ending_balance": null, "out_of_band": 0, "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0, "starting_balance": balance, "subtotal": before_tax,
        "subtotal_excluding_tax": before_tax, "tax": new.tax, "total": new.total,
        "total_excluding_tax": before_tax,
        "total_taxes": [{
            "amount": new.tax, "tax_behavior": "exclusive", "taxability_reason": "standard_rated",
            "tax_rate_details": {"tax_rate": "txr_1"}, "taxable_amount": before_tax,
            "type": "tax_rate_details"
        }]
    })
}

/// The subscription that an invoice is for, as each generation names it.
fn origin(new: &NewInvoice) -> Value {
    let details = new.subscription.as_ref().map(|subscription| {
        json!({
            "type": "subscription_details", "quote_details": null,
            "subscription_details": {"metadata": {}, "subscription": subscription}
        })
    });
    json!({
        "parent": details, "subscription": new.subscription,
        "subscription_details": details.as_ref().map(|_| json!({"metadata": {}}))
    })
}

fn line(invoice: &str, new: &NewInvoice, cause: &Cause) -> Value {
    json!({
        "id": ids::new("il_1", 23), "object": "line_item", "amount": new.total - new.tax,
        "currency": new.currency, "description": "Plan", "discountable": true, "invoice": invoice,
        "livemode": cause.livemode, "metadata": {},
        "parent": {
            "type": "subscription_item_details", "invoice_item_details": null,
            "subscription_item_details": {"subscription": new.subscription, "proration": false}
        },
        "period": {"start": cause.now, "end": cause.now}, "quantity": 1,
        "subscription": new.subscription
    })
}

pub(super) fn finalize(books: &mut Books, id: &str, cause: &Cause) {
    let draft = read(&books.invoices, id);
    assert_eq!(draft["status"], "draft", "{id} is final");
    let currency = text(&draft["currency"]);
    let customer = known(books, &balance::holder(&draft), cause);
    let starting = balance::balance(&customer, &currency);
    let due = number(&draft["total"]) - number(&draft["pre_payment_credit_notes_amount"]);
    let ending = (due + starting).min(0);
    if ending != starting {
        let line = of_invoice(&draft, "applied_to_invoice", ending - starting);
        posted(books, line, cause);
    } else if let Some(customer) = books.customer_mut(&balance::holder(&draft))
        && customer["currency"].is_null()
    {
        customer["currency"] = json!(currency);
    }
    let due = (due + starting).max(0);
    let number_of_invoice = format!("FAKE-{:04}", books.invoices.len());
    let invoice = edit(&mut books.invoices, id, |invoice| {
        invoice["starting_balance"] = json!(starting);
        invoice["ending_balance"] = json!(ending);
        invoice["amount_due"] = json!(due);
        invoice["amount_remaining"] = json!(due);
        invoice["number"] = json!(number_of_invoice);
        invoice["status"] = json!("open");
        invoice["effective_at"] = json!(cause.now);
        invoice["status_transitions"]["finalized_at"] = json!(cause.now);
    });
    books.tell("invoice.finalized", &invoice, None, cause);
    if due == 0 {
        paid(books, id, cause);
        let invoice = read(&books.invoices, id);
        books.tell("invoice.payment_succeeded", &invoice, None, cause);
    }
}

/// Nothing is left to pay: `invoice.paid`.
pub(super) fn paid(books: &mut Books, id: &str, cause: &Cause) {
    let invoice = edit(&mut books.invoices, id, |invoice| {
        invoice["status"] = json!("paid");
        invoice["paid"] = json!(true);
        invoice["attempted"] = json!(true);
        invoice["status_transitions"]["paid_at"] = json!(cause.now);
    });
    books.tell("invoice.paid", &invoice, None, cause);
}

pub(super) fn reopen(books: &mut Books, id: &str, cause: &Cause) {
    let before = read(&books.invoices, id);
    let after = edit(&mut books.invoices, id, |invoice| {
        invoice["status"] = json!("open");
        invoice["paid"] = json!(false);
        invoice["status_transitions"]["paid_at"] = Value::Null;
    });
    let previous = differences(&before, &after);
    books.tell("invoice.updated", &after, Some(previous), cause);
}

/// A line that an invoice causes.
pub(super) fn of_invoice(invoice: &Value, kind: &'static str, amount: i64) -> Line {
    Line {
        customer: balance::holder(invoice),
        amount,
        currency: text(&invoice["currency"]),
        kind,
        invoice: Some(text(&invoice["id"])),
        ..Line::default()
    }
}
