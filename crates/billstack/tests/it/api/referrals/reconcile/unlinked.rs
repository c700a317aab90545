//! Refunds and disputes that lead to no invoice.

use fake_stripe::{EventOptions, event};
use serde_json::{Value, json};

use super::{run, stripe};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::pluck;

on_both_engines! {
    what_leads_to_no_invoice_is_told_of_our_customers with stripe,
}

/// Five dollars of a charge of a customer were refunded, and nothing tells what it paid.
fn refunded(t: &Bench, charge: &str, customer: &str, total: i64) -> Value {
    let charge = json!({
        "id": charge, "object": "charge", "amount": 2000, "amount_captured": 2000, "amount_refunded": total,
        "currency": "usd", "customer": customer, "payment_intent": charge.replace("ch_", "pi_"),
    });
    let previous = json!({"amount_refunded": total - 500});
    let options = EventOptions::at(t.seconds()).previous_attributes(previous);
    event("charge.refunded", &charge, &options)
}

/// The payments that a run tells of.
async fn told(t: &Bench, body: Value) -> Vec<String> {
    let run = run(t, body).await;
    assert!(
        pluck(&run["lines"], "kind")
            .iter()
            .all(|kind| kind == "unlinked")
    );
    pluck(&run["lines"], "subject")
}

async fn what_leads_to_no_invoice_is_told_of_our_customers(t: &Bench) {
    let config = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "clawback": "always",
    });
    t.key.put("referrals/config", config).await.ok();
    let pair = t.pair("a").await;
    super::connect(t).await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    assert_eq!(told(t, json!({})).await, [""; 0]);
    t.accept(&refunded(t, "ch_a", &pair.stripe, 500)).await;
    t.accept(&refunded(t, "ch_z", "cus_stranger", 500)).await;
    for body in [json!({}), json!({}), json!({"apply": true})] {
        assert_eq!(told(t, body).await, ["ch_a"]);
    }
    for body in [json!({}), json!({"apply": true, "all": true})] {
        assert_eq!(told(t, body).await, [""; 0]);
    }
    // It has changed.
    t.accept(&refunded(t, "ch_a", &pair.stripe, 1000)).await;
    assert_eq!(told(t, json!({"all": true, "apply": true})).await, ["ch_a"]);
    assert_eq!(told(t, json!({"all": true})).await, [""; 0]);
}
