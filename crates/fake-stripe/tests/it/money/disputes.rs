//! Disputes.

use fake_stripe::{FakeStripe, Generation, NewInvoice, Payment};
use serde_json::{Value, json};

use super::{forget, kinds, last};
use crate::client::Client;

async fn disputed() -> (FakeStripe, Payment) {
    let fake = FakeStripe::start().await;
    let invoice = NewInvoice::new("cus_1", 2000, "usd").subscription("sub_1");
    let payment = fake.money().paid(&invoice);
    forget(&fake);
    (fake, payment)
}

fn moved(event: &Value) -> Vec<(i64, String)> {
    let moves = event["data"]["object"]["balance_transactions"].as_array();
    let moves = moves.into_iter().flatten();
    let moves = moves.map(|one| {
        let currency = one["currency"].as_str().unwrap_or_default();
        (
            one["amount"].as_i64().unwrap_or_default(),
            currency.to_owned(),
        )
    });
    moves.collect()
}

#[tokio::test]
async fn the_money_moves_apart_from_the_status() {
    let (fake, payment) = disputed().await;
    let money = fake.money();
    let dispute = money.dispute(payment.charge(), 2000);
    let opened = fake.take_events(Generation::V2020);
    assert_eq!(opened[0]["type"], "charge.dispute.created");
    assert!(moved(&opened[0]).is_empty());
    assert_eq!(opened[1]["type"], "charge.dispute.funds_withdrawn");
    assert_eq!(moved(&opened[1]), [(-2000, "usd".to_owned())]);
    money.set_dispute_status(&dispute, "under_review");
    let updated = last(&fake, "charge.dispute.updated", Generation::Endive);
    assert_eq!(
        updated["data"]["previous_attributes"],
        json!({"status": "needs_response"})
    );
    money.close_dispute(&dispute, "lost");
    money.reinstate(&dispute, 500);
    money.close_dispute(&dispute, "won");
    let events = fake.take_events(Generation::Endive);
    let steps: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["type"].clone(),
                event["data"]["object"]["status"].clone(),
                moved(event).len(),
            )
        })
        .collect();
    let expected = [
        ("charge.dispute.closed", "lost", 1),
        ("charge.dispute.funds_reinstated", "lost", 2),
        ("charge.dispute.closed", "won", 2),
    ];
    assert_eq!(
        steps,
        expected.map(|(kind, status, moves)| (json!(kind), json!(status), moves))
    );
    for event in &events {
        let dispute = &event["data"]["object"];
        assert!(dispute.get("customer").is_none());
        assert_eq!(dispute["charge"], payment.charge());
    }
    let path = format!("/v1/disputes?charge={}", payment.charge());
    let listed = Client::new(&fake).get(&path).await.json["data"].clone();
    assert_eq!(listed[0]["id"], dispute);
}

#[tokio::test]
async fn an_inquiry_moves_nothing() {
    let (fake, payment) = disputed().await;
    let inquiry = fake.money().inquiry(payment.charge(), 2000);
    fake.money().close_dispute(&inquiry, "warning_closed");
    let expected = ["charge.dispute.created", "charge.dispute.closed"];
    assert_eq!(kinds(&fake, Generation::Endive), expected);
    let path = format!("/v1/disputes/{inquiry}");
    let inquiry = Client::new(&fake).get(&path).await.json;
    assert_eq!(inquiry["balance_transactions"], json!([]));
}

#[tokio::test]
async fn a_bank_may_take_another_currency_and_more() {
    let (fake, payment) = disputed().await;
    let money = fake.money();
    let dispute = money.open_dispute(payment.charge(), 15000, "needs_response");
    money.withdraw_in(&dispute, 13800, "eur");
    money.reinstate(&dispute, 13800);
    let event = last(&fake, "charge.dispute.funds_reinstated", Generation::Basil);
    let eur = |amount| (amount, "eur".to_owned());
    assert_eq!(moved(&event), [eur(-13800), eur(13800)]);
}
