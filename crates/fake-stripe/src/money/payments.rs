//! Payments of invoices, and payments without one.

use serde_json::{Value, json};

use super::invoices::{finalize, of_invoice, paid, reopen};
use super::people::{known, posted};
use super::{Money, NewInvoice, edit, number, read, sublist, text};
use crate::balance;
use crate::books::Books;
use crate::happening::{Cause, differences};
use crate::ids;

/// A payment to be made.
#[derive(Debug, Clone)]
pub struct Pay {
    amount: i64,
    captured: i64,
    charge_prefix: Option<&'static str>,
    has_intent: bool,
}

impl Pay {
    /// By card: a payment intent with a charge `ch_…`.
    pub fn card(amount: i64) -> Self {
        Self {
            amount,
            captured: amount,
            charge_prefix: Some("ch_3"),
            has_intent: true,
        }
    }

    /// By bank debit: a payment intent with a charge `py_…`, whose refunds are `pyr_…`.
    pub fn bank_debit(amount: i64) -> Self {
        Self {
            charge_prefix: Some("py_3"),
            ..Self::card(amount)
        }
    }

    /// By a charge of old, without a payment intent.
    pub fn charge_only(amount: i64) -> Self {
        Self {
            has_intent: false,
            ..Self::card(amount)
        }
    }

    /// By money that moved elsewhere: a payment record, without charge and payment intent.
    pub fn record(amount: i64) -> Self {
        Self {
            charge_prefix: None,
            has_intent: false,
            ..Self::card(amount)
        }
    }

    /// Sets how much its charge took, when this invoice gets only a part of it.
    #[must_use]
    pub fn captured(self, captured: i64) -> Self {
        Self { captured, ..self }
    }
}

/// The ids of a payment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payment {
    /// What it paid.
    pub invoice: Option<String>,
    /// The `invoice_payment` that says so.
    pub invoice_payment: Option<String>,
    /// Its payment intent.
    pub payment_intent: Option<String>,
    /// Its charge.
    pub charge: Option<String>,
}

impl Payment {
    /// The id of its charge.
    ///
    /// # Panics
    /// When it has none.
    pub fn charge(&self) -> &str {
        self.charge.as_deref().expect("a payment with a charge")
    }

    /// The id of its invoice.
    ///
    /// # Panics
    /// When it has none.
    pub fn invoice(&self) -> &str {
        self.invoice.as_deref().expect("a payment of an invoice")
    }
}

impl Money<'_> {
    /// Makes an invoice, finalizes it and pays what the balance leaves of it by card. When nothing is
    /// left, there is no charge.
    pub fn paid(&self, new: &NewInvoice) -> Payment {
        let invoice = self.invoice(new);
        self.finalize(&invoice);
        if self.act(|books, _| read(&books.invoices, &invoice)["status"] == "paid") {
            return Payment {
                invoice: Some(invoice),
                ..Payment::default()
            };
        }
        self.pay(&invoice)
    }

    /// Pays the rest of an invoice by card.
    pub fn pay(&self, invoice: &str) -> Payment {
        let left = self.act(|books, cause| {
            if read(&books.invoices, invoice)["status"] == "draft" {
                finalize(books, invoice, cause);
            }
            number(&read(&books.invoices, invoice)["amount_remaining"])
        });
        self.pay_with(invoice, &Pay::card(left))
    }

    /// Pays a final invoice in whole or in part: `charge.succeeded`, `payment_intent.succeeded`,
    /// `invoice_payment.paid`, and then `invoice.paid` and `invoice.payment_succeeded` if that was the
    /// rest, else `invoice.updated`. What is too much goes to the balance, with `invoice.overpaid`.
    pub fn pay_with(&self, invoice: &str, pay: &Pay) -> Payment {
        self.act(|books, cause| pay_invoice(books, invoice, pay, cause))
    }

    /// The merchant marks a final invoice as paid elsewhere: `invoice.paid` alone.
    pub fn pay_out_of_band(&self, invoice: &str) {
        self.act(|books, cause| {
            edit(&mut books.invoices, invoice, |invoice| {
                let left = number(&invoice["amount_remaining"]);
                invoice["out_of_band"] = json!(left);
                invoice["paid_out_of_band"] = json!(true);
                invoice["amount_paid"] = json!(number(&invoice["amount_paid"]) + left);
                invoice["amount_remaining"] = json!(0);
            });
            paid(books, invoice, cause);
        });
    }

    /// Takes a payment off its invoice, which is open again: `invoice.updated`.
    pub fn detach(&self, payment: &Payment) {
        self.act(|books, cause| {
            let id = payment.invoice_payment.as_deref().unwrap_or_default();
            let detached = edit(&mut books.invoice_payments, id, |one| {
                one["status"] = json!("canceled");
                one["status_transitions"]["canceled_at"] = json!(cause.now);
            });
            let amount = number(&detached["amount_paid"]);
            edit(&mut books.invoices, payment.invoice(), |invoice| {
                invoice["amount_paid"] = json!(number(&invoice["amount_paid"]) - amount);
                invoice["amount_remaining"] = json!(number(&invoice["amount_remaining"]) + amount);
            });
            list_payments(books, payment.invoice());
            reopen(books, payment.invoice(), cause);
        });
    }

    /// A payment by card without an invoice: `charge.succeeded`, `payment_intent.succeeded`.
    pub fn charge(&self, customer: &str, amount: i64, currency: &str) -> Payment {
        self.act(|books, cause| {
            let customer = known(books, customer, cause);
            let (named, account) = balance::names(&customer);
            let of = json!({
                "id": null, "customer": named, "customer_account": account, "currency": currency
            });
            take(books, &of, &Pay::card(amount), cause)
        })
    }
}

fn pay_invoice(books: &mut Books, id: &str, pay: &Pay, cause: &Cause) -> Payment {
    let before = read(&books.invoices, id);
    assert_eq!(before["status"], "open", "{id} cannot be paid");
    let mut payment = take(books, &before, pay, cause);
    payment.invoice = Some(id.to_owned());
    payment.invoice_payment = Some(applied(books, &before, pay, &payment, cause));
    let total = number(&before["amount_paid"]) + pay.amount;
    let left = number(&before["amount_due"]) - total;
    let after = edit(&mut books.invoices, id, |invoice| {
        invoice["amount_paid"] = json!(total);
        invoice["amount_remaining"] = json!(left.max(0));
        invoice["amount_overpaid"] = json!((-left).max(0));
        invoice["attempted"] = json!(true);
        invoice["attempt_count"] = json!(number(&invoice["attempt_count"]) + 1);
        invoice["charge"] = json!(payment.charge);
        invoice["payment_intent"] = json!(payment.payment_intent);
    });
    list_payments(books, id);
    if left > 0 {
        let previous = differences(&before, &after);
        books.tell("invoice.updated", &after, Some(previous), cause);
        return payment;
    }
    if left < 0 {
        posted(books, of_invoice(&after, "invoice_overpaid", left), cause);
        books.tell("invoice.overpaid", &after, None, cause);
    }
    paid(books, id, cause);
    if payment.charge.is_some() {
        let invoice = read(&books.invoices, id);
        books.tell("invoice.payment_succeeded", &invoice, None, cause);
    }
    payment
}

/// Takes the money of what `of` describes: an invoice, or what has the same members.
fn take(books: &mut Books, of: &Value, pay: &Pay, cause: &Cause) -> Payment {
    let Some(prefix) = pay.charge_prefix else {
        return Payment::default();
    };
    let charge = ids::new(prefix, 23);
    let intent = pay.has_intent.then(|| ids::new("pi_3", 23));
    let method = match prefix {
        "py_3" => "us_bank_account",
        _ => "card",
    };
    let taken = json!({
        "id": charge, "object": "charge", "amount": pay.captured, "amount_captured": pay.captured,
        "amount_refunded": 0, "application": null, "balance_transaction": ids::new("txn_3", 23),
        "billing_details": {"address": null, "email": null, "name": null, "phone": null},
        "captured": true, "created": cause.now, "currency": of["currency"], "customer": of["customer"],
        "customer_account": of["customer_account"], "description": null, "dispute": null,
        "disputed": false, "failure_code": null, "failure_message": null, "invoice": of["id"],
        "livemode": cause.livemode, "metadata": {},
        "outcome": {"network_status": "approved_by_network", "type": "authorized"},
        "paid": true, "payment_intent": intent, "payment_method": ids::new("pm_1", 23),
        "payment_method_details": {"type": method}, "receipt_url": null, "refunded": false,
        "refunds": sublist(Vec::new(), &format!("/v1/charges/{charge}/refunds")), "status": "succeeded"
    });
    books.charges.put(taken.clone());
    books.tell("charge.succeeded", &taken, None, cause);
    if let Some(id) = &intent {
        let intent = json!({
            "id": id, "object": "payment_intent", "amount": pay.captured,
            "amount_received": pay.captured, "canceled_at": null,
            "charges": sublist(vec![taken], &format!("/v1/charges?payment_intent={id}")),
            "created": cause.now, "currency": of["currency"], "customer": of["customer"],
            "customer_account": of["customer_account"], "invoice": of["id"], "latest_charge": charge,
            "livemode": cause.livemode, "metadata": {},
            "payment_details": {"customer_reference": null, "order_reference": of["id"]},
            "payment_method_types": [method], "status": "succeeded"
        });
        books.payment_intents.put(intent.clone());
        books.tell("payment_intent.succeeded", &intent, None, cause);
    }
    Payment {
        payment_intent: intent,
        charge: Some(charge),
        ..Payment::default()
    }
}

/// Says that a payment paid an invoice.
fn applied(
    books: &mut Books,
    invoice: &Value,
    pay: &Pay,
    payment: &Payment,
    cause: &Cause,
) -> String {
    let by = match (&payment.payment_intent, &payment.charge) {
        (Some(intent), _) => json!({"type": "payment_intent", "payment_intent": intent}),
        (None, Some(charge)) => json!({"type": "charge", "charge": charge}),
        (None, None) => {
            json!({"type": "payment_record", "payment_record": ids::new("pr_1", 23)})
        }
    };
    let id = ids::new("inpay_1", 23);
    let applied = json!({
        "id": id, "object": "invoice_payment", "amount_paid": pay.amount,
        "amount_requested": invoice["amount_remaining"], "created": cause.now,
        "currency": invoice["currency"], "invoice": invoice["id"],
        "is_default": number(&invoice["amount_paid"]) == 0, "livemode": cause.livemode, "payment": by,
        "status": "paid", "status_transitions": {"canceled_at": null, "paid_at": cause.now}
    });
    books.invoice_payments.put(applied.clone());
    books.tell("invoice_payment.paid", &applied, None, cause);
    id
}

/// Lists the payments of an invoice in it, where they are shown when asked for.
fn list_payments(books: &mut Books, invoice: &str) {
    let payments = books.invoice_payments.newest_first().into_iter();
    let payments = payments.filter(|one| one["invoice"] == invoice);
    let payments = sublist(payments.cloned().collect(), "/v1/invoice_payments");
    edit(&mut books.invoices, invoice, |invoice| {
        invoice["payments"] = payments;
    });
}

/// The charges that paid an invoice, the last one first.
pub(super) fn charges_of(books: &Books, invoice: &str) -> Vec<String> {
    let charges = books.charges.newest_first().into_iter();
    let charges = charges.filter(|charge| charge["invoice"] == invoice);
    charges.map(|charge| text(&charge["id"])).collect()
}
