//! From a charge to its invoice and its subscription.

use serde_json::{Value, json};

use super::{always, converted, invoice_basil, invoice_payment, refund, refunded};
use crate::support::bench::Bench;
use crate::support::client::Caller;

on_both_engines! {
    the_link_may_come_at_any_time,
    without_a_link_it_waits,
    each_payment_loses_its_own_part,
    a_link_may_be_of_a_charge,
    what_comes_before_the_customer_is_known_counts,
}

fn paid_by(t: &Bench, intent: &str, amount: i64) -> Value {
    let id = intent.replace("pi_", "inpay_");
    t.event(
        "invoice_payment.paid",
        &invoice_payment(&id, intent, amount),
    )
}

async fn the_link_may_come_at_any_time(t: &Bench) {
    converted(t, always()).await;
    let told = [
        t.event("invoice.paid", &invoice_basil(t, 2000)),
        paid_by(t, "pi_1", 2000),
        refunded(t, 0, 600),
    ];
    t.tell(&[
        told[2].clone(),
        told[1].clone(),
        told[0].clone(),
        told[1].clone(),
    ])
    .await;
    assert_eq!(t.left().await, (700, 350));
    for event in &told {
        assert_eq!(t.outcome(event).await, "recorded");
    }
}

async fn without_a_link_it_waits(t: &Bench) {
    converted(t, always()).await;
    t.accept(&t.event("invoice.paid", &invoice_basil(t, 2000)))
        .await;
    let by_charge = refunded(t, 0, 600);
    let single = t.event("refund.created", &refund(t, "re_1", 600, "pending"));
    let again = t.event("refund.updated", &refund(t, "re_1", 600, "succeeded"));
    let waiting = [by_charge, single, again];
    t.tell(&waiting).await;
    for event in &waiting {
        assert_eq!(t.outcome(event).await, "waiting");
        assert_eq!(t.reason_of(event).await, "payment_unlinked");
    }
    let list = t
        .owner
        .get(&t.home.path("stripe/events?outcome=waiting"))
        .await
        .ok();
    assert_eq!(list["events"].as_array().expect("a list").len(), 3);
    assert_eq!(t.left().await, (1000, 500));
    // To decide anew changes nothing, and loses nothing.
    assert_eq!(t.replay(&waiting[0]).await["outcome"], "waiting");
    t.accept(&paid_by(t, "pi_1", 2000)).await;
    assert_eq!(t.left().await, (700, 350));
    for event in &waiting {
        assert_eq!(t.outcome(event).await, "recorded");
    }
    assert_eq!(t.replay(&waiting[0]).await["outcome"], "recorded");
}

async fn each_payment_loses_its_own_part(t: &Bench) {
    converted(t, always()).await;
    let mut charge = super::charge(500);
    charge["amount"] = json!(1000);
    charge["amount_captured"] = json!(1000);
    t.tell(&[
        paid_by(t, "pi_1", 1000),
        paid_by(t, "pi_2", 2000),
        t.event("invoice.paid", &invoice_basil(t, 3000)),
        t.event("charge.refunded", &charge),
    ])
    .await;
    assert_eq!(t.left().await, (834, 417));
}

async fn a_link_may_be_of_a_charge(t: &Bench) {
    converted(t, always()).await;
    let mut by_charge = invoice_payment("inpay_1", "pi_1", 1500);
    by_charge["payment"] = json!({"type": "charge", "charge": "ch_1"});
    let mut elsewhere = invoice_payment("inpay_2", "pi_1", 500);
    elsewhere["payment"] = json!({"type": "payment_record", "payment_record": "pr_1"});
    t.tell(&[
        t.event("invoice.paid", &invoice_basil(t, 2000)),
        t.event("invoice_payment.paid", &by_charge),
        t.event("invoice_payment.paid", &elsewhere),
        t.event("refund.created", &refund(t, "re_1", 1500, "succeeded")),
    ])
    .await;
    assert_eq!(t.left().await, (250, 125));
}

/// Nobody here is the Stripe customer yet, and nobody has applied a code.
async fn what_comes_before_the_customer_is_known_counts(t: &Bench) {
    super::terms(t, always()).await;
    t.connect().await;
    t.tell(&[
        refunded(t, 0, 600),
        t.event("invoice.paid", &invoice_basil(t, 2000)),
        paid_by(t, "pi_1", 2000),
        t.created("cus_a"),
    ])
    .await;
    let pair = t.pair("a").await;
    super::terms(t, always()).await;
    t.apply(&pair).await;
    assert_eq!(t.left().await, (700, 350));
}
