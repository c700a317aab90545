//! The words of the acceptance, by bodies written from Stripe's documentation: whole envelopes, each as an endpoint of
//! its version gets it.

use serde_json::{Value, json};

use super::{always, converted};
use crate::support::bench::Bench;

on_both_engines! {
    totals_in_any_order_and_number_of_two_versions,
    refunds_of_a_bank_debit_fail_and_are_made_again,
    a_dispute_above_the_payment_takes_all_of_it_and_no_more,
    lines_in_another_currency_count_by_their_ratio,
    two_disputes_of_one_charge_add_up,
    a_status_of_long_ago_or_of_tomorrow_moves_nothing,
    a_mixed_note_counts_what_it_gave_back_besides_its_refund,
    an_invoice_that_is_no_longer_paid_is_lost_until_it_is,
    the_own_time_of_a_dispute_and_of_a_total_decides,
}

/// An event of an endpoint of this version.
fn envelope(t: &Bench, number: u32, version: &str, kind: &str, object: &Value) -> Value {
    json!({
        "id": format!("evt_1Words{number}"), "object": "event", "api_version": version, "created": t.seconds(),
        "data": {"object": object}, "livemode": false, "pending_webhooks": 1,
        "request": {"id": null, "idempotency_key": null}, "type": kind,
    })
}

/// The first invoice as an endpoint of 2022 is told: 2000, or another sum, paid by `ch_3Words`.
fn invoice(t: &Bench, paid: i64) -> Value {
    json!({
        "id": "in_1Words", "object": "invoice", "account_country": "US", "amount_due": paid, "amount_paid": paid,
        "amount_remaining": 0, "attempt_count": 1, "attempted": true, "auto_advance": false,
        "billing_reason": "subscription_create", "charge": "ch_3Words", "collection_method": "charge_automatically",
        "created": t.seconds(), "currency": "usd", "customer": "cus_a", "default_tax_rates": [], "discounts": [],
        "ending_balance": 0, "livemode": false, "paid": true, "paid_out_of_band": false,
        "payment_intent": "pi_3Words", "starting_balance": 0, "status": "paid",
        "status_transitions": {"finalized_at": t.seconds(), "paid_at": t.seconds()}, "subscription": "sub_a",
        "subtotal": paid, "tax": null, "total": paid,
    })
}

async fn paid(t: &Bench, amount: i64) {
    converted(t, always()).await;
    let told = envelope(t, 1, "2022-11-15", "invoice.paid", &invoice(t, amount));
    t.accept(&told).await;
}

fn refund(t: &Bench, id: &str, charge: &str, amount: i64, status: &str) -> Value {
    json!({
        "id": id, "object": "refund", "amount": amount, "balance_transaction": "txn_1", "charge": charge,
        "created": t.seconds(), "currency": "usd", "destination_details": {"type": "card"}, "metadata": {},
        "payment_intent": "pi_3Words", "reason": null, "receipt_number": null, "source_transfer_reversal": null,
        "status": status, "transfer_reversal": null,
    })
}

/// A charge of 2000 whose total of refunds has risen, as a version tells it; that of 2020 lists them.
fn charge(t: &Bench, version: &str, refunded: i64) -> Value {
    let mut charge = json!({
        "id": "ch_3Words", "object": "charge", "amount": 2000, "amount_captured": 2000,
        "amount_refunded": refunded, "balance_transaction": "txn_0", "captured": true, "created": t.seconds(),
        "currency": "usd", "customer": "cus_a", "disputed": false, "invoice": "in_1Words", "livemode": false,
        "paid": true, "payment_intent": "pi_3Words", "refunded": refunded == 2000, "status": "succeeded",
    });
    if version == "2020-08-27" {
        let listed = (1..=refunded / 300).rev();
        let listed: Vec<Value> = listed
            .map(|number| refund(t, &format!("re_{number}"), "ch_3Words", 300, "succeeded"))
            .collect();
        charge["refunds"] = json!({
            "object": "list", "data": listed, "has_more": false, "url": "/v1/charges/ch_3Words/refunds",
        });
    }
    charge
}

fn dispute(t: &Bench, id: &str, amount: i64, status: &str, lines: &[(i64, &str)]) -> Value {
    let lines: Vec<Value> = lines
        .iter()
        .map(|(amount, currency)| {
            json!({
                "id": "txn_1", "object": "balance_transaction", "amount": amount, "created": t.seconds(),
                "currency": currency, "fee": 1500, "net": amount - 1500, "reporting_category": "dispute",
                "source": id, "status": "available", "type": "adjustment",
            })
        })
        .collect();
    json!({
        "id": id, "object": "dispute", "amount": amount, "balance_transactions": lines, "charge": "ch_3Words",
        "created": t.seconds(), "currency": "usd", "evidence": {}, "is_charge_refundable": false,
        "livemode": false, "metadata": {}, "payment_intent": "pi_3Words", "reason": "fraudulent",
        "status": status,
    })
}

/// 300, 600 and 900 of 2000, each five times, in an order that is not theirs: 45 % in all.
async fn totals_in_any_order_and_number_of_two_versions(t: &Bench) {
    paid(t, 2000).await;
    let mut told = Vec::new();
    for (number, version) in ["2020-08-27", "2022-11-15"].into_iter().enumerate() {
        for step in 1..=3_u32 {
            let total = charge(t, version, i64::from(step) * 300);
            let number = 10 * (number as u32 + 1) + step;
            let mut event = envelope(t, number, version, "charge.refunded", &total);
            let before = i64::from(step - 1) * 300;
            event["data"]["previous_attributes"] = json!({"amount_refunded": before});
            told.push(event);
        }
    }
    for turn in 0..5 {
        for place in [4, 0, 5, 2, 1, 3] {
            let mut event = told[(place + turn) % 6].clone();
            if turn > 2 {
                // Another event about the same.
                event["id"] = json!(format!("{}_{turn}", event["id"].as_str().expect("an id")));
            }
            t.accept(&event).await;
        }
    }
    assert_eq!(t.left().await, (550, 275));
}

async fn refunds_of_a_bank_debit_fail_and_are_made_again(t: &Bench) {
    converted(t, always()).await;
    let mut by_debit = invoice(t, 2000);
    by_debit["charge"] = json!("py_3Words");
    let version = "2024-10-28.acacia";
    t.accept(&envelope(t, 1, version, "invoice.paid", &by_debit))
        .await;
    for (number, (kind, id, amount, status, left)) in [
        ("refund.created", "pyr_1", 600, "pending", (700, 350)),
        ("refund.failed", "pyr_1", 600, "failed", (1000, 500)),
        ("refund.updated", "pyr_1", 600, "pending", (1000, 500)),
        (
            "refund.created",
            "pyr_2",
            1000,
            "requires_action",
            (500, 250),
        ),
        ("refund.updated", "pyr_2", 1000, "canceled", (1000, 500)),
        ("refund.created", "pyr_3", 500, "succeeded", (750, 375)),
    ]
    .into_iter()
    .enumerate()
    {
        let object = refund(t, id, "py_3Words", amount, status);
        t.accept(&envelope(t, 2 + number as u32, version, kind, &object))
            .await;
        assert_eq!(t.left().await, left, "{kind} {id}");
    }
}

async fn a_dispute_above_the_payment_takes_all_of_it_and_no_more(t: &Bench) {
    paid(t, 5000).await;
    let version = "2025-02-24.acacia";
    let open = dispute(t, "du_1", 15_000, "needs_response", &[(-15_000, "usd")]);
    t.accept(&envelope(t, 2, version, "charge.dispute.created", &open))
        .await;
    assert_eq!(t.left().await, (0, 0));
    let amounts = t.credit_of("referrer").await["amounts"].take();
    assert_eq!(
        (&amounts["reversed"], &amounts["shortfall"]),
        (&json!(1000), &json!(0))
    );
    let won = [(-15_000, "usd"), (15_000, "usd")];
    let won = dispute(t, "du_1", 15_000, "won", &won);
    t.accept(&envelope(t, 3, version, "charge.dispute.closed", &won))
        .await;
    assert_eq!(t.left().await, (1000, 500));
}

async fn lines_in_another_currency_count_by_their_ratio(t: &Bench) {
    paid(t, 2000).await;
    let version = "2026-10-28.endive";
    let taken = [(-1840, "eur")];
    let taken = dispute(t, "du_1", 2000, "needs_response", &taken);
    t.accept(&envelope(
        t,
        2,
        version,
        "charge.dispute.funds_withdrawn",
        &taken,
    ))
    .await;
    assert_eq!(t.left().await, (0, 0));
    let back = dispute(t, "du_1", 2000, "lost", &[(-1840, "eur"), (460, "eur")]);
    t.accept(&envelope(
        t,
        3,
        version,
        "charge.dispute.funds_reinstated",
        &back,
    ))
    .await;
    assert_eq!(t.left().await, (250, 125));
    // A dispute that is itself in another currency than the charge: the same ratio of the whole charge.
    let mut other = dispute(
        t,
        "du_1",
        1900,
        "lost",
        &[(-1840, "eur"), (460, "eur"), (460, "eur")],
    );
    other["currency"] = json!("eur");
    t.accept(&envelope(t, 4, version, "charge.dispute.updated", &other))
        .await;
    assert_eq!(t.left().await, (500, 250));
}

async fn two_disputes_of_one_charge_add_up(t: &Bench) {
    paid(t, 2000).await;
    for (number, (id, amount)) in [("du_1", 500), ("du_2", 700)].into_iter().enumerate() {
        let open = dispute(t, id, amount, "under_review", &[(-amount, "usd")]);
        let number = 2 + number as u32;
        t.accept(&envelope(
            t,
            number,
            "2022-11-15",
            "charge.dispute.created",
            &open,
        ))
        .await;
    }
    assert_eq!(t.left().await, (400, 200));
    let won = dispute(t, "du_2", 700, "won", &[(-700, "usd"), (700, "usd")]);
    t.accept(&envelope(t, 4, "2022-11-15", "charge.dispute.closed", &won))
        .await;
    assert_eq!(t.left().await, (750, 375));
}

async fn a_status_of_long_ago_or_of_tomorrow_moves_nothing(t: &Bench) {
    paid(t, 2000).await;
    for (number, status) in [
        "charge_refunded",
        "prevented",
        "appeal_under_review",
        "warning_under_review",
        "settled_by_owls",
    ]
    .into_iter()
    .enumerate()
    {
        let open = dispute(t, &format!("du_{number}"), 2000, status, &[]);
        let number = 2 + number as u32;
        let event = envelope(
            t,
            number,
            "2026-10-28.endive",
            "charge.dispute.created",
            &open,
        );
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "recorded");
        assert_eq!(t.left().await, (1000, 500), "{status}");
    }
}

/// 100 before it was paid, which lose nothing; 400 refunded and 200 to the balance.
async fn a_mixed_note_counts_what_it_gave_back_besides_its_refund(t: &Bench) {
    paid(t, 2000).await;
    let version = "2025-05-28.basil";
    let note = |status: &str| {
        json!({
            "id": "cn_1", "object": "credit_note", "amount": 700, "amount_shipping": 0, "created": t.seconds(),
            "currency": "usd", "customer": "cus_a", "customer_balance_transaction": "cbtxn_1",
            "invoice": "in_1Words", "livemode": false, "memo": null, "metadata": {}, "out_of_band_amount": null,
            "post_payment_amount": 600, "pre_payment_amount": 100, "reason": "order_change",
            "refunds": [{"amount_refunded": 400, "refund": "re_1", "type": "refund"}], "status": status,
            "subtotal": 700, "total": 700, "type": "mixed",
        })
    };
    t.accept(&envelope(
        t,
        2,
        version,
        "credit_note.created",
        &note("issued"),
    ))
    .await;
    assert_eq!(t.left().await, (900, 450), "the refund has not been told");
    let object = refund(t, "re_1", "ch_3Words", 400, "succeeded");
    t.accept(&envelope(t, 3, version, "refund.created", &object))
        .await;
    assert_eq!(t.left().await, (700, 350));
    t.accept(&envelope(
        t,
        4,
        version,
        "credit_note.voided",
        &note("void"),
    ))
    .await;
    assert_eq!(t.left().await, (800, 400));
}

async fn an_invoice_that_is_no_longer_paid_is_lost_until_it_is(t: &Bench) {
    paid(t, 2000).await;
    t.advance(60_000_000);
    let mut object = invoice(t, 2000);
    object["status"] = json!("uncollectible");
    object["paid"] = json!(false);
    let kind = "invoice.marked_uncollectible";
    t.accept(&envelope(t, 2, "2022-11-15", kind, &object)).await;
    assert_eq!(t.left().await, (0, 0));
    t.advance(60_000_000);
    object["status"] = json!("paid");
    object["paid"] = json!(true);
    t.accept(&envelope(t, 3, "2022-11-15", "invoice.paid", &object))
        .await;
    assert_eq!(t.left().await, (1000, 500));
    t.advance(60_000_000);
    object["status"] = json!("void");
    t.accept(&envelope(t, 4, "2022-11-15", "invoice.voided", &object))
        .await;
    assert_eq!(t.left().await, (0, 0));
}

async fn the_own_time_of_a_dispute_and_of_a_total_decides(t: &Bench) {
    converted(t, json!({"clawback": "within_hold", "holdDays": 2})).await;
    let last = t.seconds() + 2 * 86_400;
    t.accept(&envelope(
        t,
        1,
        "2022-11-15",
        "invoice.paid",
        &invoice(t, 2000),
    ))
    .await;
    t.later(3 * billstack_core::time::DAY).await;
    let told = |number: u32, id: &str, created: i64| {
        let mut open = dispute(t, id, 500, "needs_response", &[(-500, "usd")]);
        open["created"] = json!(created);
        envelope(t, number, "2022-11-15", "charge.dispute.created", &open)
    };
    t.accept(&told(2, "du_late", last + 1)).await;
    assert_eq!(t.left().await, (1000, 500));
    t.accept(&told(3, "du_1", last)).await;
    assert_eq!(t.left().await, (750, 375));
    let total = |number: u32, refunded: i64, before: i64, created: i64| {
        let object = charge(t, "2022-11-15", refunded);
        let mut event = envelope(t, number, "2022-11-15", "charge.refunded", &object);
        event["created"] = json!(created);
        event["data"]["previous_attributes"] = json!({"amount_refunded": before});
        event
    };
    t.accept(&total(4, 300, 0, last)).await;
    assert_eq!(t.left().await, (600, 300));
    t.accept(&total(5, 900, 300, last + 1)).await;
    assert_eq!(t.left().await, (600, 300));
}
