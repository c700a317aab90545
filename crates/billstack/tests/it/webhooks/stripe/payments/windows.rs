//! Until when losses count, and subscriptions that end in the hold.

use billstack_core::time::DAY;
use fake_stripe::{EventOptions, event};
use serde_json::{Value, json};

use super::{applied, converted, invoice, refund};
use crate::support::bench::Bench;

on_both_engines! {
    a_loss_counts_to_the_second_by_its_own_time,
    a_gain_counts_at_any_time,
    a_subscription_that_ends_in_the_hold_must_have_been_paid,
    one_that_was_paid_may_end,
}

/// An event that is told a day after it happened, about an object of its time.
fn told_late(t: &Bench, kind: &str, object: &Value, at: i64) -> Value {
    let mut object = object.clone();
    object["created"] = json!(at);
    event(kind, &object, &EventOptions::at(t.seconds()))
}

async fn a_loss_counts_to_the_second_by_its_own_time(t: &Bench) {
    converted(t, json!({"clawback": "within_hold", "holdDays": 2})).await;
    let last = t.seconds() + 2 * 86_400;
    t.accept(&t.event("invoice.paid", &invoice(t, 2000))).await;
    t.later(3 * DAY).await;
    let object = refund(t, "re_late", 1000, "succeeded");
    t.accept(&told_late(t, "refund.created", &object, last + 1))
        .await;
    assert_eq!(t.left().await, (1000, 500));
    let object = refund(t, "re_1", 600, "succeeded");
    t.accept(&told_late(t, "refund.created", &object, last))
        .await;
    assert_eq!(t.left().await, (700, 350));
}

async fn a_gain_counts_at_any_time(t: &Bench) {
    converted(t, json!({"clawback": "always", "clawbackWindowDays": 1})).await;
    t.tell(&[
        t.event("invoice.paid", &invoice(t, 2000)),
        t.event("refund.created", &refund(t, "re_1", 600, "pending")),
    ])
    .await;
    assert_eq!(t.left().await, (700, 350));
    let mut failed = refund(t, "re_1", 600, "failed");
    t.advance(20 * DAY);
    failed["created"] = json!(t.seconds() - 20 * 86_400);
    t.accept(&t.event("refund.failed", &failed)).await;
    assert_eq!(t.left().await, (1000, 500));
}

fn ended(t: &Bench) -> Value {
    let object = json!({
        "id": "sub_a", "object": "subscription", "created": t.seconds(), "customer": "cus_a",
        "ended_at": t.seconds(), "status": "canceled",
    });
    t.event("customer.subscription.deleted", &object)
}

async fn a_subscription_that_ends_in_the_hold_must_have_been_paid(t: &Bench) {
    let converted = applied(t, json!({"clawback": "within_hold", "holdDays": 30})).await;
    t.subscribe(&converted.pair).await;
    let trial = invoice(t, 0);
    t.tell(&[t.event("invoice.paid", &trial), ended(t)]).await;
    assert_eq!(t.left().await, (0, 0));
    assert_eq!(t.credit_of("referrer").await["status"], "reversed");
    let mut late = invoice(t, 2000);
    late["id"] = json!("in_2");
    t.accept(&t.event("invoice.paid", &late)).await;
    assert_eq!(t.left().await, (1000, 500));
    // It is held again, for as long as it would have been.
    assert_eq!(t.credit_of("referrer").await["status"], "held");
}

async fn one_that_was_paid_may_end(t: &Bench) {
    converted(t, json!({"clawback": "within_hold", "holdDays": 30})).await;
    t.tell(&[t.event("invoice.paid", &invoice(t, 2000)), ended(t)])
        .await;
    assert_eq!(t.left().await, (1000, 500));
}
