//! Credit notes.

use serde_json::{Value, json};

use super::invoices::of_invoice;
use super::payments::charges_of;
use super::people::posted;
use super::refunds::refund;
use super::{Money, edit, number, read, sublist, text};
use crate::books::Books;
use crate::happening::Cause;
use crate::ids;

/// A credit note to be made: the sum of its parts is its amount.
#[derive(Debug, Clone, Default)]
pub struct NewCreditNote {
    refund: i64,
    known_refunds: Vec<String>,
    to_balance: i64,
    out_of_band: i64,
    reduction: i64,
}

impl NewCreditNote {
    /// A note without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a part that is refunded to the last charge of the invoice.
    #[must_use]
    pub fn refund(self, amount: i64) -> Self {
        Self {
            refund: amount,
            ..self
        }
    }

    /// Adds a part that a refund made before has given back.
    #[must_use]
    pub fn known_refund(mut self, refund: &str) -> Self {
        self.known_refunds.push(refund.to_owned());
        self
    }

    /// Adds a part that is credited to the customer's balance.
    #[must_use]
    pub fn to_balance(self, amount: i64) -> Self {
        Self {
            to_balance: amount,
            ..self
        }
    }

    /// Adds a part that is given back elsewhere.
    #[must_use]
    pub fn out_of_band(self, amount: i64) -> Self {
        Self {
            out_of_band: amount,
            ..self
        }
    }

    /// Adds a part that lowers what is left to pay of an open invoice.
    #[must_use]
    pub fn reduction(self, amount: i64) -> Self {
        Self {
            reduction: amount,
            ..self
        }
    }
}

impl Money<'_> {
    /// A credit note about a final invoice: the events of its refund and of the balance, then
    /// `credit_note.created`. Returns the id.
    pub fn credit_note(&self, invoice: &str, new: &NewCreditNote) -> String {
        self.act(|books, cause| create(books, invoice, new, cause))
    }

    /// A credit note is void: `credit_note.voided`.
    pub fn void_credit_note(&self, note: &str) {
        self.act(|books, cause| {
            let after = edit(&mut books.credit_notes, note, |note| {
                note["status"] = json!("void");
                note["voided_at"] = json!(cause.now);
            });
            books.tell("credit_note.voided", &after, None, cause);
        });
    }
}

fn create(books: &mut Books, invoice: &str, new: &NewCreditNote, cause: &Cause) -> String {
    let of = read(&books.invoices, invoice);
    let id = ids::new("cn_1", 23);
    let refunds = refunds(books, invoice, new, cause);
    let refunded: i64 = refunds
        .iter()
        .map(|one| number(&one["amount_refunded"]))
        .sum();
    let line = (new.to_balance > 0).then(|| {
        let mut line = of_invoice(&of, "credit_note", -new.to_balance);
        line.credit_note = Some(id.clone());
        posted(books, line, cause)
    });
    let after_payment = refunded + new.to_balance + new.out_of_band;
    let amount = after_payment + new.reduction;
    let kind = match (new.reduction, after_payment) {
        (0, _) => "post_payment",
        (_, 0) => "pre_payment",
        _ => "mixed",
    };
    let (customer, account) = (&of["customer"], &of["customer_account"]);
    let note = json!({
        "id": id, "object": "credit_note", "amount": amount, "amount_shipping": 0,
        "created": cause.now, "currency": of["currency"], "customer": customer,
        "customer_account": account, "customer_balance_transaction": line, "discount_amount": 0,
        "discount_amounts": [], "effective_at": cause.now, "invoice": invoice,
        "lines": sublist(Vec::new(), &format!("/v1/credit_notes/{id}/lines")),
        "livemode": cause.livemode, "memo": null, "metadata": {}, "number": format!("{}-CN", text(&of["number"])),
        "out_of_band_amount": new.out_of_band, "post_payment_amount": after_payment,
        "pre_payment_amount": new.reduction, "reason": null,
        "refund": refunds.first().map(|one| one["refund"].clone()), "refunds": refunds,
        "status": "issued", "subtotal": amount, "total": amount, "type": kind, "voided_at": null
    });
    books.credit_notes.put(note.clone());
    edit(&mut books.invoices, invoice, |invoice| {
        let sum = |name: &str, more: i64| json!(number(&invoice[name]) + more);
        let after = sum("post_payment_credit_notes_amount", after_payment);
        let before = sum("pre_payment_credit_notes_amount", new.reduction);
        let due = sum("amount_due", -new.reduction);
        let left = sum("amount_remaining", -new.reduction);
        invoice["post_payment_credit_notes_amount"] = after;
        invoice["pre_payment_credit_notes_amount"] = before;
        invoice["amount_due"] = due;
        invoice["amount_remaining"] = left;
    });
    books.tell("credit_note.created", &note, None, cause);
    id
}

/// The refunds that a note names; one is made when it asks for it.
fn refunds(books: &mut Books, invoice: &str, new: &NewCreditNote, cause: &Cause) -> Vec<Value> {
    let mut ids = new.known_refunds.clone();
    if new.refund > 0 {
        let charges = charges_of(books, invoice);
        let charge = charges.first().expect("an invoice paid by a charge");
        ids.push(refund(books, charge, new.refund, "succeeded", cause));
    }
    let part = |id: &String| {
        let refund = read(&books.refunds, id);
        json!({"amount_refunded": refund["amount"], "refund": id, "type": "refund"})
    };
    ids.iter().map(part).collect()
}
