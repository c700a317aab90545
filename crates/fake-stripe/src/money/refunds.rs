//! Refunds of charges.

use serde_json::{Value, json};

use super::{Money, edit, number, read, sublist, text};
use crate::books::Books;
use crate::happening::{Cause, differences};
use crate::ids;

impl Money<'_> {
    /// Money of a charge goes back at once: `refund.created`, `charge.refunded`. Returns the id.
    pub fn refund(&self, charge: &str, amount: i64) -> String {
        self.refund_as(charge, amount, "succeeded")
    }

    /// The same with another status, such as `pending`.
    pub fn refund_as(&self, charge: &str, amount: i64, status: &str) -> String {
        self.act(|books, cause| refund(books, charge, amount, status, cause))
    }

    /// A refund has another status: `refund.updated`, `charge.refund.updated`, and `refund.failed` when
    /// it has. After `failed` or `canceled` the charge counts it no more, unless the books'
    /// `failed_refunds_stay` says otherwise.
    pub fn set_refund_status(&self, refund: &str, status: &str) {
        self.act(|books, cause| {
            let before = read(&books.refunds, refund);
            let is_off = matches!(status, "failed" | "canceled");
            let after = edit(&mut books.refunds, refund, |refund| {
                refund["status"] = json!(status);
                if status == "failed" {
                    refund["failure_reason"] = json!("unknown");
                    refund["failure_balance_transaction"] = json!(ids::new("txn_1", 23));
                }
            });
            let charge = text(&after["charge"]);
            if is_off && !books.failed_refunds_stay {
                edit(&mut books.charges, &charge, |charge| {
                    let left = number(&charge["amount_refunded"]) - number(&after["amount"]);
                    charge["amount_refunded"] = json!(left);
                    charge["refunded"] = json!(false);
                });
            }
            list_refunds(books, &charge);
            let previous = differences(&before, &after);
            for kind in ["refund.updated", "charge.refund.updated"] {
                books.tell(kind, &after, Some(previous.clone()), cause);
            }
            if status == "failed" {
                books.tell("refund.failed", &after, None, cause);
            }
        });
    }
}

pub(super) fn refund(
    books: &mut Books,
    charge: &str,
    amount: i64,
    status: &str,
    cause: &Cause,
) -> String {
    let before = read(&books.charges, charge);
    let prefix = match charge.starts_with("py_") {
        true => "pyr_1",
        false => "re_3",
    };
    let refund = json!({
        "id": ids::new(prefix, 23), "object": "refund", "amount": amount,
        "balance_transaction": ids::new("txn_3", 23), "charge": charge, "created": cause.now,
        "currency": before["currency"], "customer": before["customer"],
        "customer_account": before["customer_account"],
        "destination_details": {"type": "card"}, "metadata": {},
        "payment_intent": before["payment_intent"], "reason": null, "receipt_number": null,
        "source_transfer_reversal": null, "status": status, "transfer_reversal": null
    });
    books.refunds.put(refund.clone());
    books.tell("refund.created", &refund, None, cause);
    list_refunds(books, charge);
    let refunded = number(&before["amount_refunded"]) + amount;
    let after = edit(&mut books.charges, charge, |charge| {
        charge["amount_refunded"] = json!(refunded);
        charge["refunded"] = json!(refunded >= number(&charge["amount_captured"]));
    });
    let mut previous = json!({"amount_refunded": before["amount_refunded"]});
    if before["refunded"] != after["refunded"] {
        previous["refunded"] = before["refunded"].clone();
    }
    books.tell("charge.refunded", &after, Some(previous), cause);
    text(&refund["id"])
}

/// Lists the refunds of a charge in it, where old versions show them.
fn list_refunds(books: &mut Books, charge: &str) {
    let refunds: Vec<Value> = books
        .refunds
        .newest_first()
        .into_iter()
        .filter(|refund| refund["charge"] == charge)
        .cloned()
        .collect();
    edit(&mut books.charges, charge, |charge| {
        let url = text(&charge["refunds"]["url"]);
        charge["refunds"] = sublist(refunds, &url);
    });
}
