//! Disputes and inquiries about charges.

use serde_json::{Value, json};

use super::{Money, edit, read, text};
use crate::books::Books;
use crate::happening::{Cause, differences};
use crate::ids;

impl Money<'_> {
    /// A chargeback that takes its money at once: `charge.dispute.created`,
    /// `charge.dispute.funds_withdrawn`. Returns the id.
    pub fn dispute(&self, charge: &str, amount: i64) -> String {
        let dispute = self.open_dispute(charge, amount, "needs_response");
        self.withdraw(&dispute, amount);
        dispute
    }

    /// The bank asks before it takes anything: `charge.dispute.created`. Returns the id.
    pub fn inquiry(&self, charge: &str, amount: i64) -> String {
        self.open_dispute(charge, amount, "warning_needs_response")
    }

    /// A dispute with any status that has moved no money yet: `charge.dispute.created`. Returns the id.
    pub fn open_dispute(&self, charge: &str, amount: i64, status: &str) -> String {
        self.act(|books, cause| open(books, charge, amount, status, cause))
    }

    /// The money of a dispute is taken: `charge.dispute.funds_withdrawn`.
    pub fn withdraw(&self, dispute: &str, amount: i64) {
        self.act(|books, cause| {
            let currency = text(&read(&books.disputes, dispute)["currency"]);
            move_funds(books, dispute, -amount, &currency, cause);
        });
    }

    /// The money of a dispute is taken in another currency than the charge's.
    pub fn withdraw_in(&self, dispute: &str, amount: i64, currency: &str) {
        self.act(|books, cause| move_funds(books, dispute, -amount, currency, cause));
    }

    /// Money of a dispute comes back, in whole or in part, in the currency in which it was taken:
    /// `charge.dispute.funds_reinstated`.
    pub fn reinstate(&self, dispute: &str, amount: i64) {
        self.act(|books, cause| {
            let before = read(&books.disputes, dispute);
            let currency = text(&before["balance_transactions"][0]["currency"]);
            move_funds(books, dispute, amount, &currency, cause);
        });
    }

    /// A dispute has another status: `charge.dispute.updated`.
    pub fn set_dispute_status(&self, dispute: &str, status: &str) {
        self.act(|books, cause| {
            let before = read(&books.disputes, dispute);
            let after = with_status(books, dispute, status);
            let previous = differences(&before, &after);
            books.tell("charge.dispute.updated", &after, Some(previous), cause);
        });
    }

    /// A dispute is decided as `won`, `lost`, `warning_closed` or whatever: `charge.dispute.closed`. It
    /// moves no money, and it may be closed again, as when a lost one is won late.
    pub fn close_dispute(&self, dispute: &str, status: &str) {
        self.act(|books, cause| {
            let after = with_status(books, dispute, status);
            books.tell("charge.dispute.closed", &after, None, cause);
        });
    }
}

fn open(books: &mut Books, charge: &str, amount: i64, status: &str, cause: &Cause) -> String {
    let of = read(&books.charges, charge);
    let dispute = json!({
        "id": ids::new("du_1", 23), "object": "dispute", "amount": amount,
        "balance_transactions": [], "charge": charge, "created": cause.now,
        "currency": of["currency"], "enhanced_eligibility_types": [], "evidence": {},
        "evidence_details": {
            "due_by": cause.now + 7 * 24 * 60 * 60, "has_evidence": false, "past_due": false,
            "submission_count": 0
        },
        "is_charge_refundable": status.starts_with("warning_"), "livemode": cause.livemode,
        "metadata": {}, "payment_intent": of["payment_intent"], "reason": "general",
        "status": status
    });
    books.disputes.put(dispute.clone());
    edit(&mut books.charges, charge, |charge| {
        charge["disputed"] = json!(true);
        charge["dispute"] = dispute["id"].clone();
    });
    books.tell("charge.dispute.created", &dispute, None, cause);
    text(&dispute["id"])
}

fn with_status(books: &mut Books, dispute: &str, status: &str) -> Value {
    edit(&mut books.disputes, dispute, |dispute| {
        dispute["status"] = json!(status);
    })
}

fn move_funds(books: &mut Books, dispute: &str, amount: i64, currency: &str, cause: &Cause) {
    let (kind, category, fee) = match amount < 0 {
        true => ("charge.dispute.funds_withdrawn", "dispute", 1500),
        false => ("charge.dispute.funds_reinstated", "dispute_reversal", 0),
    };
    let moved = json!({
        "id": ids::new("txn_1", 23), "object": "balance_transaction", "amount": amount,
        "available_on": cause.now, "created": cause.now, "currency": currency, "description": null,
        "exchange_rate": null, "fee": fee, "fee_details": [], "net": amount - fee,
        "reporting_category": category, "source": dispute, "status": "available", "type": "adjustment"
    });
    let after = edit(&mut books.disputes, dispute, |dispute| {
        if let Some(moves) = dispute["balance_transactions"].as_array_mut() {
            moves.push(moved);
        }
    });
    books.tell(kind, &after, None, cause);
}
