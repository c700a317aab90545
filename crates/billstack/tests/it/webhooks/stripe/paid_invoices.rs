//! Programs whose referrals convert by the first invoice that brought money.

use std::time::Duration;

use billstack_core::time::DAY;
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    the_first_paid_invoice_converts,
    either_event_of_a_payment_is_enough,
    what_brought_no_money_converts_nothing,
    an_invoice_without_a_subscription_converts_nothing,
    out_of_band_money_is_money,
    a_minimum_is_met_or_missed_by_one,
    a_minimum_in_another_currency_waits,
    a_later_invoice_waits_for_the_beginning_of_its_subscription,
    an_old_subscription_converts_nothing,
    an_invoice_before_the_apply_converts_it,
    other_programs_hear_nothing_of_invoices,
    a_subscription_that_has_ended_was_begun,
    the_first_money_may_be_of_an_upgrade,
    what_was_paid_too_much_meets_no_minimum,
    what_is_paid_in_parts_counts_when_all_is_paid,
    a_beginning_that_no_event_told_is_asked with stripe,
    an_old_beginning_is_asked_and_converts_nothing with stripe,
    a_beginning_waits_for_whoever_can_be_asked with stripe,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

async fn program(t: &Bench, members: Value) {
    let mut body = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
        "conversionTrigger": "first_paid_invoice",
    });
    for (name, value) in members.as_object().expect("an object") {
        body[name] = value.clone();
    }
    t.key.put("referrals/config", body).await.ok();
}

/// A pending referral that a paid invoice converts.
async fn pending(t: &Bench, members: Value) -> (Pair, String) {
    let pair = t.pair("a").await;
    program(t, members).await;
    let referral = t.apply(&pair).await;
    (pair, text(&referral["id"]))
}

/// The first invoice of the subscription of a pair, paid with so much, in the shape of 2025; other members as told.
fn invoice(t: &Bench, pair: &Pair, amount: i64, members: Value) -> Value {
    let subscription = format!("sub_{}", pair.stripe.trim_start_matches("cus_"));
    let mut invoice = json!({
        "id": "in_1", "object": "invoice", "amount_due": amount, "amount_overpaid": 0, "amount_paid": amount,
        "billing_reason": "subscription_create", "created": t.seconds(), "currency": "usd",
        "customer": pair.stripe, "status": "paid",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": subscription}},
    });
    for (name, value) in members.as_object().expect("an object") {
        invoice[name] = value.clone();
    }
    invoice
}

/// Delivers the event of an invoice, and tells what became of it.
async fn deliver(t: &Bench, kind: &str, invoice: &Value) -> String {
    let event = t.event(kind, invoice);
    t.accept(&event).await;
    t.outcome(&event).await
}

async fn the_first_paid_invoice_converts(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let begun = t.created(&pair.stripe);
    t.accept(&begun).await;
    assert_eq!(t.outcome(&begun).await, "waiting");
    assert_eq!(t.status(&id).await, "pending");
    let paid = invoice(t, &pair, 2000, json!({}));
    assert_eq!(deliver(t, "invoice.paid", &paid).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
    let next = json!({"id": "in_2", "billing_reason": "subscription_cycle"});
    let next = invoice(t, &pair, 2000, next);
    assert_ne!(deliver(t, "invoice.paid", &next).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn either_event_of_a_payment_is_enough(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let paid = invoice(t, &pair, 1, json!({}));
    assert_eq!(
        deliver(t, "invoice.payment_succeeded", &paid).await,
        "converted"
    );
    deliver(t, "invoice.paid", &paid).await;
    assert_eq!(t.status(&id).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn what_brought_no_money_converts_nothing(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    for (number, members) in [
        json!({"amount_paid": 0, "amount_due": 0}),
        json!({"amount_paid": 0, "amount_due": 0, "starting_balance": -2000, "ending_balance": 0}),
        json!({"amount_paid": 2000, "status": "open"}),
        json!({"amount_paid": 500, "amount_overpaid": 500}),
        json!({"amount_paid": 2000, "status": "void"}),
    ]
    .into_iter()
    .enumerate()
    {
        let mut free = invoice(t, &pair, 2000, members);
        free["id"] = json!(format!("in_free{number}"));
        assert_ne!(
            deliver(t, "invoice.paid", &free).await,
            "converted",
            "{free}"
        );
        // Whoever asks why is told.
        if free["status"] == "paid" {
            let (why, _) = t.explained(&id).await;
            let said = "(invoice.paid) was looked at on 2026-03-30 12:00 UTC and did not convert the referral: nothing was \
                        paid with real money.";
            assert!(why.contains(said), "{why}");
        }
    }
    assert_eq!(t.status(&id).await, "pending");
}

async fn an_invoice_without_a_subscription_converts_nothing(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let manual = invoice(
        t,
        &pair,
        2000,
        json!({"parent": null, "billing_reason": "manual"}),
    );
    assert_ne!(deliver(t, "invoice.paid", &manual).await, "converted");
    assert_eq!(t.status(&id).await, "pending");
}

async fn out_of_band_money_is_money(t: &Bench) {
    let (pair, _) = pending(t, json!({})).await;
    // In the shape of 2024, where it is not among what was paid.
    let paid = json!({
        "amount_paid": 0, "amount_due": 2000, "paid": true, "paid_out_of_band": true,
        "parent": null, "subscription": format!("sub_{}", pair.stripe.trim_start_matches("cus_")),
    });
    let paid = invoice(t, &pair, 2000, paid);
    assert_eq!(deliver(t, "invoice.paid", &paid).await, "converted");
}

async fn a_minimum_is_met_or_missed_by_one(t: &Bench) {
    let (pair, id) = pending(t, json!({"minimumPaidAmount": 2000})).await;
    let short = invoice(t, &pair, 1999, json!({}));
    assert_ne!(deliver(t, "invoice.paid", &short).await, "converted");
    assert_eq!(t.status(&id).await, "pending");
    let enough = invoice(t, &pair, 2000, json!({"id": "in_2"}));
    assert_eq!(deliver(t, "invoice.paid", &enough).await, "converted");
}

async fn a_minimum_in_another_currency_waits(t: &Bench) {
    let (pair, id) = pending(t, json!({"minimumPaidAmount": 2000})).await;
    let euros = invoice(t, &pair, 9000, json!({"currency": "eur"}));
    let event = t.event("invoice.paid", &euros);
    t.accept(&event).await;
    let path = t
        .home
        .path(&format!("stripe/events/{}", text(&event["id"])));
    let kept = t.owner.get(&path).await.ok();
    assert_eq!(kept["event"]["outcome"], "waiting");
    assert_eq!(kept["event"]["reason"], "minimum_in_other_currency");
    assert_eq!(t.status(&id).await, "pending");
}

async fn a_later_invoice_waits_for_the_beginning_of_its_subscription(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let cycle = invoice(
        t,
        &pair,
        2000,
        json!({"billing_reason": "subscription_cycle"}),
    );
    assert_eq!(deliver(t, "invoice.paid", &cycle).await, "waiting");
    assert_eq!(t.status(&id).await, "pending");
    t.accept(&t.created(&pair.stripe)).await;
    assert_eq!(t.status(&id).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn an_old_subscription_converts_nothing(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let old = t
        .subscription(&pair.stripe)
        .created(t.seconds() - 3 * 86_400);
    t.accept(&t.event("customer.subscription.updated", &old))
        .await;
    let cycle = invoice(
        t,
        &pair,
        2000,
        json!({"billing_reason": "subscription_cycle"}),
    );
    assert_ne!(deliver(t, "invoice.paid", &cycle).await, "converted");
    assert_eq!(t.status(&id).await, "pending");
}

async fn an_invoice_before_the_apply_converts_it(t: &Bench) {
    let pair = t.pair("a").await;
    program(t, json!({})).await;
    let paid = invoice(t, &pair, 2000, json!({}));
    assert_ne!(deliver(t, "invoice.paid", &paid).await, "converted");
    let referral = t.apply(&pair).await;
    assert_eq!(referral["status"], "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn other_programs_hear_nothing_of_invoices(t: &Bench) {
    let pair = t.pair("a").await;
    let referral = t.apply(&pair).await;
    let id = text(&referral["id"]);
    let paid = invoice(t, &pair, 2000, json!({}));
    assert_ne!(deliver(t, "invoice.paid", &paid).await, "converted");
    let story = t.key.get(&format!("referrals/{id}/events")).await.ok();
    assert_eq!(story["events"].as_array().map(Vec::len), Some(1));
    t.accept(&t.created(&pair.stripe)).await;
    assert_eq!(t.status(&id).await, "converted");
}

/// What it says last tells when it began as well, and an invoice may have come before.
async fn a_subscription_that_has_ended_was_begun(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let cycle = json!({"billing_reason": "subscription_cycle"});
    let cycle = invoice(t, &pair, 2000, cycle);
    assert_eq!(deliver(t, "invoice.paid", &cycle).await, "waiting");
    let ended = t.subscription(&pair.stripe).status("canceled");
    t.accept(&t.event("customer.subscription.deleted", &ended))
        .await;
    assert_eq!(t.status(&id).await, "converted");
}

async fn connect(t: &Bench) {
    t.connect_with(json!({"secretKey": "sk_test_1", "webhookSecret": SECRET}))
        .await;
}

async fn converts(t: &Bench, id: &str) {
    for _ in 0..400 {
        if t.status(id).await == "converted" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it is {}", t.status(id).await);
}

async fn a_beginning_that_no_event_told_is_asked(t: &Bench) {
    // In the shape of either time.
    let old = json!({
        "billing_reason": "subscription_cycle", "parent": null, "subscription": "sub_a", "charge": "ch_1",
        "payment_intent": "pi_1", "paid": true,
    });
    let new = json!({"billing_reason": "subscription_cycle"});
    for (number, members) in [old, new].into_iter().enumerate() {
        let pair = t.pair(&format!("n{number}")).await;
        program(t, json!({})).await;
        let id = text(&t.apply(&pair).await["id"]);
        connect(t).await;
        let subscription = t.in_books(&t.subscription(&pair.stripe));
        let mut cycle = invoice(t, &pair, 2000, members);
        cycle["id"] = json!(format!("in_{number}"));
        if cycle["parent"].is_null() {
            cycle["subscription"] = json!(subscription);
        }
        let event = t.event("invoice.paid", &cycle);
        t.accept(&event).await;
        converts(t, &id).await;
        t.becomes(&event, "converted").await;
        // Told again, and by the webhook after all, it is the same.
        t.accept(&t.event("invoice.payment_succeeded", &cycle))
            .await;
        t.accept(&t.created(&pair.stripe)).await;
        assert_eq!(t.credits().await.len(), 2 * (number + 1));
    }
}

async fn an_old_beginning_is_asked_and_converts_nothing(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    connect(t).await;
    let begun = t.seconds() - 3 * 86_400;
    t.in_books(&t.subscription(&pair.stripe).created(begun));
    let cycle = json!({"billing_reason": "subscription_cycle"});
    let event = t.event("invoice.paid", &invoice(t, &pair, 2000, cycle));
    t.accept(&event).await;
    t.becomes(&event, "no_referral").await;
    assert_eq!(t.status(&id).await, "pending");
}

async fn a_beginning_waits_for_whoever_can_be_asked(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    t.in_books(&t.subscription(&pair.stripe));
    let cycle = json!({"billing_reason": "subscription_cycle"});
    let event = t.event("invoice.paid", &invoice(t, &pair, 2000, cycle));
    t.accept(&event).await;
    t.later(2 * DAY).await;
    assert_eq!(t.outcome(&event).await, "waiting");
    t.fake().restrict("rk_test_1", &["rak_charge_read"]);
    t.connect_with(json!({"secretKey": "rk_test_1", "webhookSecret": SECRET}))
        .await;
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(t.status(&id).await, "pending");
    connect(t).await;
    converts(t, &id).await;
}

/// A coupon made the first invoice free, and the first money is that of a change.
async fn the_first_money_may_be_of_an_upgrade(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let coupon = json!({
        "id": "in_0", "amount_due": 0, "amount_paid": 0, "subtotal": 2000, "total": 0,
        "total_discount_amounts": [{"amount": 2000, "discount": "di_1"}],
    });
    let free = invoice(t, &pair, 0, coupon);
    assert_ne!(deliver(t, "invoice.paid", &free).await, "converted");
    t.accept(&t.created(&pair.stripe)).await;
    assert_eq!(t.status(&id).await, "pending");
    let upgrade = invoice(
        t,
        &pair,
        700,
        json!({"billing_reason": "subscription_update"}),
    );
    assert_eq!(deliver(t, "invoice.paid", &upgrade).await, "converted");
}

async fn what_was_paid_too_much_meets_no_minimum(t: &Bench) {
    let (pair, id) = pending(t, json!({"minimumPaidAmount": 2000})).await;
    let over = json!({"amount_due": 1900, "amount_overpaid": 600, "amount_paid": 2500});
    let over = invoice(t, &pair, 2500, over);
    assert_ne!(deliver(t, "invoice.paid", &over).await, "converted");
    assert_eq!(t.status(&id).await, "pending");
    // Out of band, in the shape of today: it is among what was paid.
    let elsewhere =
        json!({"id": "in_2", "amount_due": 2000, "amount_overpaid": 600, "amount_paid": 2600});
    let elsewhere = invoice(t, &pair, 2600, elsewhere);
    assert_eq!(deliver(t, "invoice.paid", &elsewhere).await, "converted");
}

async fn what_is_paid_in_parts_counts_when_all_is_paid(t: &Bench) {
    let (pair, id) = pending(t, json!({})).await;
    let part = json!({"amount_due": 3000, "amount_paid": 1000, "status": "open"});
    let part = invoice(t, &pair, 1000, part);
    assert_ne!(deliver(t, "invoice.paid", &part).await, "converted");
    let payment = json!({
        "id": "inpay_1", "object": "invoice_payment", "amount_paid": 1000, "currency": "usd",
        "invoice": "in_1", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}, "status": "paid",
    });
    t.accept(&t.event("invoice_payment.paid", &payment)).await;
    assert_eq!(t.status(&id).await, "pending");
    let whole = invoice(t, &pair, 3000, json!({}));
    assert_eq!(
        deliver(t, "invoice.payment_succeeded", &whole).await,
        "converted"
    );
}
