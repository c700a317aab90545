//! Neither the order nor the number of the messages matters, nor which of Stripe's families tells.

use serde_json::{Value, json};

use super::{
    always, charge, dispute, invoice, invoice_basil, invoice_payment, note, refund, refunded,
};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::draw::Draw;
use crate::support::fixture::apply_body;

on_both_engines! {
    any_order_and_repetition_of_old_shapes,
    any_order_and_repetition_of_new_shapes,
    either_family_alone_is_enough,
}

/// The refunds of a charge, and a dispute that was lost in part.
fn losses(t: &Bench) -> Vec<Value> {
    vec![
        refunded(t, 0, 300),
        refunded(t, 300, 500),
        t.event("refund.created", &refund(t, "re_1", 300, "pending")),
        t.event("refund.updated", &refund(t, "re_1", 300, "succeeded")),
        t.event("refund.created", &refund(t, "re_2", 200, "pending")),
        t.event("refund.failed", &refund(t, "re_2", 200, "failed")),
        t.event(
            "charge.dispute.created",
            &dispute(t, "needs_response", &[-2000]),
        ),
        t.event("charge.dispute.closed", &dispute(t, "lost", &[-2000, 1500])),
        t.event(
            "credit_note.created",
            &note(
                t,
                json!({"amount": 100, "customer_balance_transaction": "cbtxn_1"}),
            ),
        ),
    ]
}

/// Delivers the events in random orders, some of them again, with the apply among them, and expects always the
/// same: 300 refunded, 500 disputed and 100 credited of 2000.
async fn in_any_order(t: &Bench, rounds: usize, payment: impl Fn(&Bench, &str) -> Vec<Value>) {
    t.connect().await;
    let mut draw = Draw(rounds as u64);
    for round in 0..rounds {
        let name = format!("n{round}");
        let pair = t.pair(&name).await;
        super::terms(t, always()).await;
        let mut told: Vec<Option<Value>> = losses(t).into_iter().map(Some).collect();
        told.extend(payment(t, &pair.stripe).into_iter().map(Some));
        told.push(Some(t.created(&pair.stripe)));
        let again: Vec<_> = (0..4)
            .map(|_| told[draw.below(told.len())].clone())
            .collect();
        told.extend(again);
        // The apply.
        told.push(None);
        draw.shuffle(&mut told);
        for event in told {
            match event {
                Some(event) => t.accept(&of_round(&event, &name)).await,
                None => {
                    let body = apply_body(&pair.code, &pair.referee);
                    t.key.post("referrals/apply", body).await.created();
                }
            }
        }
        assert_eq!(left_of(t, &pair.referrer).await, (550, 450), "{name}");
    }
}

/// What is left of the only credit of a customer, and what came back.
async fn left_of(t: &Bench, customer: &str) -> (i64, i64) {
    let path = format!("referrals/credits?customerId={customer}");
    let credits = t.key.get(&path).await.ok();
    let part = |name: &str| credits["credits"][0]["amounts"][name].as_i64();
    (
        part("available").expect("an amount"),
        part("reversed").expect("an amount"),
    )
}

/// The same event about things of this round.
fn of_round(event: &Value, name: &str) -> Value {
    let mut text = event.to_string();
    for kind in [
        "ch_1", "pi_1", "in_1", "re_1", "re_2", "dp_1", "cn_1", "inpay_1",
    ] {
        text = text.replace(&format!("\"{kind}\""), &format!("\"{kind}{name}\""));
    }
    let text = text
        .replace("\"sub_a\"", &format!("\"sub_{name}\""))
        .replace("\"cus_a\"", &format!("\"cus_{name}\""));
    serde_json::from_str(&text).expect("JSON")
}

async fn any_order_and_repetition_of_old_shapes(t: &Bench) {
    in_any_order(t, 12, |t, _| {
        vec![
            t.event(
                "invoice.finalized",
                &json!({"id": "in_1", "status": "open", "amount_paid": 0}),
            ),
            t.event("invoice.paid", &invoice(t, 2000)),
            t.event("invoice.payment_succeeded", &invoice(t, 2000)),
        ]
    })
    .await;
}

async fn any_order_and_repetition_of_new_shapes(t: &Bench) {
    in_any_order(t, 12, |t, _| {
        vec![
            t.event("invoice.paid", &invoice_basil(t, 2000)),
            t.event(
                "invoice_payment.paid",
                &invoice_payment("inpay_1", "pi_1", 2000),
            ),
        ]
    })
    .await;
}

async fn either_family_alone_is_enough(t: &Bench) {
    let mut by_totals = charge(600);
    by_totals["invoice"] = json!("in_1");
    let mut of_2020 = by_totals.clone();
    of_2020["refunds"] = json!({"object": "list", "data": [refund(t, "re_1", 600, "succeeded")]});
    let families = [
        vec![t.event("charge.refunded", &of_2020)],
        vec![t.event("charge.refunded", &by_totals)],
        vec![t.event("refund.created", &refund(t, "re_1", 600, "succeeded"))],
        vec![
            t.event("refund.created", &refund(t, "re_1", 600, "succeeded")),
            t.event("charge.refunded", &of_2020),
        ],
    ];
    t.connect().await;
    for (number, events) in families.iter().enumerate() {
        let name = format!("f{number}");
        let pair = t.pair(&name).await;
        super::terms(t, always()).await;
        t.apply(&pair).await;
        t.subscribe(&pair).await;
        let paid = t.event("invoice.paid", &invoice(t, 2000));
        for event in std::iter::once(&paid).chain(events) {
            let event = of_round(event, &name);
            // Twice, and once more as another event about the same.
            let mut another = event.clone();
            another["id"] = json!(format!(
                "evt_again_{}",
                event["id"].as_str().expect("an id")
            ));
            t.tell(&[event.clone(), event, another]).await;
        }
        assert_eq!(left_of(t, &pair.referrer).await, (700, 300), "{name}");
    }
}
