//! Refunds.

use fake_stripe::{FakeStripe, Generation, NewInvoice, Pay};
use serde_json::{Value, json};

use super::{forget, kinds, last};
use crate::client::Client;

fn invoice() -> NewInvoice {
    NewInvoice::new("cus_1", 3000, "usd").subscription("sub_1")
}

#[tokio::test]
async fn each_step_says_what_it_added() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let payment = money.paid(&invoice());
    forget(&fake);
    for (part, before) in [(999, 0), (1000, 999), (1001, 1999)] {
        money.refund(payment.charge(), part);
        let event = last(&fake, "charge.refunded", Generation::V2022November);
        let (charge, previous) = (
            &event["data"]["object"],
            &event["data"]["previous_attributes"],
        );
        assert_eq!(charge["amount_refunded"], before + part);
        assert_eq!(previous["amount_refunded"], before);
        assert_eq!(charge["refunded"], before + part == 3000);
        assert_eq!(previous.get("refunded").is_some(), before + part == 3000);
    }
    let path = format!("/v1/refunds?charge={}", payment.charge());
    let listed = Client::new(&fake).get(&path).await.json["data"].clone();
    let amounts: Vec<_> = listed.as_array().into_iter().flatten().collect();
    let amounts: Vec<_> = amounts.iter().map(|one| one["amount"].clone()).collect();
    assert_eq!(amounts, [1001, 1000, 999]);
}

#[tokio::test]
async fn a_version_hears_the_family_that_it_has() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let payment = money.paid(&invoice());
    for (generation, made, failed) in [
        (
            Generation::V2022November,
            vec!["charge.refunded"],
            vec!["charge.refund.updated"],
        ),
        (
            Generation::Acacia,
            vec!["refund.created", "charge.refunded"],
            vec!["refund.updated", "charge.refund.updated", "refund.failed"],
        ),
    ] {
        forget(&fake);
        let refund = money.refund_as(payment.charge(), 500, "pending");
        assert_eq!(kinds(&fake, generation), made);
        money.set_refund_status(&refund, "failed");
        assert_eq!(kinds(&fake, generation), failed);
    }
    let refund = money.refund_as(payment.charge(), 500, "pending");
    forget(&fake);
    money.set_refund_status(&refund, "canceled");
    let told = last(&fake, "charge.refund.updated", Generation::V2020);
    assert_eq!(told["data"]["object"]["status"], "canceled");
    assert_eq!(
        told["data"]["previous_attributes"],
        json!({"status": "pending"})
    );
}

#[tokio::test]
async fn a_failed_refund_counts_no_more_unless_it_stays() {
    for stays in [false, true] {
        let fake = FakeStripe::start().await;
        fake.with_books(|books| books.failed_refunds_stay = stays);
        let money = fake.money();
        let payment = money.paid(&invoice());
        let refund = money.refund(payment.charge(), 3000);
        money.set_refund_status(&refund, "failed");
        let path = format!("/v1/charges/{}", payment.charge());
        let charge = Client::new(&fake).get(&path).await.json;
        let sum = if stays { 3000 } else { 0 };
        assert_eq!(
            (&charge["amount_refunded"], &charge["refunded"]),
            (&json!(sum), &json!(stays))
        );
    }
}

#[tokio::test]
async fn bank_debits_have_refunds_of_their_own_kind() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let id = money.invoice(&invoice());
    money.finalize(&id);
    let payment = money.pay_with(&id, &Pay::bank_debit(3000));
    assert!(payment.charge().starts_with("py_"));
    let refund = money.refund(payment.charge(), 100);
    assert!(refund.starts_with("pyr_"));
    let path = format!("/v1/refunds/{refund}?expand[]=charge");
    let refund = Client::new(&fake).get(&path).await.json;
    assert_eq!(refund["charge"]["amount_refunded"], 100);
}

#[tokio::test]
async fn a_payment_without_an_invoice_names_none() {
    let fake = FakeStripe::start().await;
    let payment = fake.money().charge("cus_1", 700, "usd");
    assert_eq!(payment.invoice, None);
    fake.money().refund(payment.charge(), 700);
    let event = last(&fake, "charge.refunded", Generation::V2020);
    assert_eq!(event["data"]["object"]["invoice"], Value::Null);
}
