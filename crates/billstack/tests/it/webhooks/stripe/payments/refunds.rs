//! Refunds and credit notes.

use serde_json::{Value, json};

use super::{charge, converted, invoice, note, paid, refund, refunded};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    without_such_terms_nothing_is_kept,
    the_share_of_the_payment_comes_back,
    parts_leave_nothing_behind,
    what_fails_is_given_back,
    a_note_counts_once,
    other_payments_are_no_matter,
    what_a_person_took_is_not_taken_again,
    what_was_paid_out_falls_short,
}

async fn without_such_terms_nothing_is_kept(t: &Bench) {
    converted(t, json!({})).await;
    let told = [
        t.event("invoice.paid", &invoice(t, 2000)),
        refunded(t, 0, 2000),
    ];
    t.tell(&told).await;
    for event in &told {
        assert_eq!(t.outcome(event).await, "ignored");
    }
    assert_eq!(t.left().await, (1000, 500));
    assert_eq!(
        (t.count("money_facts").await, t.count("payment_links").await),
        (0, 0)
    );
}

async fn the_share_of_the_payment_comes_back(t: &Bench) {
    let converted = paid(t, 2000).await;
    let some = refunded(t, 0, 600);
    t.accept(&some).await;
    assert_eq!(t.outcome(&some).await, "recorded");
    assert_eq!(t.left().await, (700, 350));
    let credit = t.credit_of("referrer").await;
    assert_eq!(credit["status"], "partially_reversed");
    assert_eq!(
        (
            &credit["amounts"]["reversed"],
            &credit["amounts"]["available"]
        ),
        (&json!(300), &json!(700))
    );
    let path = format!("referrals/credits/{}/postings", text(&credit["id"]));
    let postings = t.key.get(&path).await.ok()["postings"].take();
    let posting = postings.as_array().expect("a list").last().expect("one");
    assert_eq!(
        (&posting["cause"], &posting["causeId"]),
        (&json!("event"), &some["id"])
    );
    assert_eq!(posting["stripeObject"], "ch_1");
    t.accept(&refunded(t, 600, 2000)).await;
    assert_eq!(t.left().await, (0, 0));
    assert_eq!(t.credit_of("referee").await["status"], "reversed");
    let story = t
        .key
        .get(&format!("referrals/{}/events", converted.referral))
        .await
        .ok();
    let kinds: Vec<&str> = story["events"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|event| event["type"].as_str())
        .filter(|kind| *kind == "credit.reversed")
        .collect();
    assert_eq!(kinds.len(), 4, "{story}");
    let shown = t
        .owner
        .get(&t.home.path("stripe/events?outcome=recorded"))
        .await
        .ok();
    assert_eq!(shown["events"].as_array().expect("a list").len(), 3);
}

async fn parts_leave_nothing_behind(t: &Bench) {
    paid(t, 2999).await;
    let mut left = Vec::new();
    for (number, amount) in [999, 1000, 1000].into_iter().enumerate() {
        let refund = refund(t, &format!("re_{number}"), amount, "succeeded");
        t.accept(&t.event("refund.created", &refund)).await;
        left.push(t.left().await);
    }
    assert_eq!(left, [(667, 334), (334, 167), (0, 0)]);
}

async fn what_fails_is_given_back(t: &Bench) {
    paid(t, 2000).await;
    for (number, (kind, status)) in [
        ("refund.failed", "failed"),
        ("refund.updated", "canceled"),
        ("charge.refund.updated", "failed"),
    ]
    .into_iter()
    .enumerate()
    {
        let id = format!("pyr_{number}");
        t.accept(&t.event("refund.created", &refund(t, &id, 600, "pending")))
            .await;
        assert_eq!(t.left().await, (700, 350));
        t.accept(&t.event(kind, &refund(t, &id, 600, status))).await;
        assert_eq!(t.left().await, (1000, 500), "{kind}");
        // Final, whatever is told of before.
        t.accept(&t.event("refund.updated", &refund(t, &id, 600, "succeeded")))
            .await;
        assert_eq!(t.left().await, (1000, 500), "{kind}");
    }
    t.accept(&t.event("refund.created", &refund(t, "re_9", 2000, "succeeded")))
        .await;
    assert_eq!(t.left().await, (0, 0));
}

async fn a_note_counts_once(t: &Bench) {
    paid(t, 2000).await;
    let with_refund = note(
        t,
        json!({"customer_balance_transaction": "cbtxn_1", "refund": "re_1"}),
    );
    t.tell(&[
        t.event("credit_note.created", &with_refund),
        t.event("refund.created", &refund(t, "re_1", 400, "succeeded")),
        refunded(t, 0, 400),
    ])
    .await;
    assert_eq!(t.left().await, (700, 350));
    let void = note(
        t,
        json!({"customer_balance_transaction": "cbtxn_1", "refund": "re_1", "status": "void"}),
    );
    t.accept(&t.event("credit_note.voided", &void)).await;
    // The refund stands.
    assert_eq!(t.left().await, (800, 400));
    let elsewhere = note(
        t,
        json!({"id": "cn_2", "amount": 1600, "out_of_band_amount": 1600}),
    );
    t.accept(&t.event("credit_note.created", &elsewhere)).await;
    assert_eq!(t.left().await, (0, 0));
}

async fn other_payments_are_no_matter(t: &Bench) {
    paid(t, 2000).await;
    let mut second = invoice(t, 2000);
    second["id"] = json!("in_2");
    second["charge"] = json!("ch_2");
    second["payment_intent"] = json!("pi_2");
    second["created"] = json!(t.seconds() + 30 * 86_400);
    let mut foreign = second.clone();
    foreign["id"] = json!("in_3");
    foreign["charge"] = json!("ch_3");
    foreign["payment_intent"] = json!("pi_3");
    foreign["subscription"] = json!("sub_other");
    t.tell(&[
        t.event("invoice.paid", &second),
        t.event("invoice.paid", &foreign),
    ])
    .await;
    for (charge_id, intent, outcome) in [
        ("ch_2", "pi_2", "recorded"),
        ("ch_3", "pi_3", "recorded"),
        ("ch_unknown", "pi_unknown", "waiting"),
    ] {
        let mut charge = charge(2000);
        charge["id"] = json!(charge_id);
        charge["payment_intent"] = json!(intent);
        let event = t.event("charge.refunded", &charge);
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, outcome, "{charge_id}");
    }
    assert_eq!(t.left().await, (1000, 500));
}

async fn move_by_hand(t: &Bench, credit: &Value, verb: &str, amount: i64) {
    let path = format!("referrals/credits/{}/{verb}", text(&credit["id"]));
    let body = json!({"amount": amount, "reason": "by hand"});
    t.key.post(&path, body).await.ok();
}

async fn what_a_person_took_is_not_taken_again(t: &Bench) {
    paid(t, 2000).await;
    let credit = t.credit_of("referrer").await;
    move_by_hand(t, &credit, "reverse", 400).await;
    let open = super::dispute(t, "needs_response", &[-2000]);
    t.accept(&t.event("charge.dispute.funds_withdrawn", &open))
        .await;
    assert_eq!(t.left().await, (0, 0));
    let won = super::dispute(t, "won", &[-2000, 2000]);
    t.accept(&t.event("charge.dispute.funds_reinstated", &won))
        .await;
    assert_eq!(t.left().await, (600, 500));
}

async fn what_was_paid_out_falls_short(t: &Bench) {
    paid(t, 2000).await;
    let credit = t.credit_of("referrer").await;
    move_by_hand(t, &credit, "settle", 600).await;
    t.accept(&t.event("refund.created", &refund(t, "re_1", 2000, "succeeded")))
        .await;
    let amounts = t.credit_of("referrer").await["amounts"].take();
    let shown =
        ["available", "settled", "reversed", "shortfall"].map(|part| amounts[part].as_i64());
    assert_eq!(shown, [0, 600, 400, 600].map(Some));
    t.accept(&t.event("refund.failed", &refund(t, "re_1", 2000, "failed")))
        .await;
    let amounts = t.credit_of("referrer").await["amounts"].take();
    let shown =
        ["available", "settled", "reversed", "shortfall"].map(|part| amounts[part].as_i64());
    assert_eq!(shown, [400, 600, 0, 0].map(Some));
}
