//! Credit notes.

use fake_stripe::{FakeStripe, Generation, NewCreditNote, NewInvoice};
use serde_json::json;

use super::{forget, kinds, last};
use crate::client::Client;

fn invoice() -> NewInvoice {
    NewInvoice::new("cus_1", 2000, "usd").subscription("sub_1")
}

#[tokio::test]
async fn the_parts_of_a_note_happen_before_it() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let payment = money.paid(&invoice());
    forget(&fake);
    let parts = NewCreditNote::new()
        .refund(400)
        .to_balance(200)
        .out_of_band(50);
    let note = money.credit_note(payment.invoice(), &parts);
    let expected = [
        "refund.created",
        "charge.refunded",
        "customer.updated",
        "credit_note.created",
    ];
    assert_eq!(kinds(&fake, Generation::Basil), expected);
    let client = Client::new(&fake);
    let path = format!("/v1/credit_notes?invoice={}", payment.invoice());
    let listed = client.get(&path).await.json["data"][0].clone();
    assert_eq!(
        (
            &listed["id"],
            &listed["amount"],
            &listed["out_of_band_amount"]
        ),
        (&json!(note), &json!(650), &json!(50))
    );
    assert_eq!(listed["post_payment_amount"], 650);
    assert_eq!(listed["refunds"][0]["amount_refunded"], 400);
    assert!(listed["customer_balance_transaction"].is_string());
    let customer = client.get("/v1/customers/cus_1").await.json;
    assert_eq!(customer["balance"], -200);
    money.void_credit_note(&note);
    let voided = last(&fake, "credit_note.voided", Generation::Endive);
    assert_eq!(voided["data"]["object"]["status"], "void");
}

#[tokio::test]
async fn a_note_may_name_a_refund_made_before() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let payment = money.paid(&invoice());
    let refund = money.refund(payment.charge(), 300);
    forget(&fake);
    money.credit_note(
        payment.invoice(),
        &NewCreditNote::new().known_refund(&refund),
    );
    let event = last(&fake, "credit_note.created", Generation::AcaciaFebruary);
    let note = &event["data"]["object"];
    assert_eq!(
        (&note["refund"], &note["amount"]),
        (&json!(refund), &json!(300))
    );
    assert!(note.get("refunds").is_none() && note.get("post_payment_amount").is_none());
}

#[tokio::test]
async fn before_payment_a_note_lowers_what_is_due() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let id = money.invoice(&invoice());
    money.finalize(&id);
    money.credit_note(&id, &NewCreditNote::new().reduction(500));
    let event = last(&fake, "credit_note.created", Generation::BasilMay);
    assert_eq!(event["data"]["object"]["type"], "pre_payment");
    money.pay(&id);
    let path = format!("/v1/invoices/{id}");
    let paid = Client::new(&fake).get(&path).await.json;
    assert_eq!(
        (&paid["status"], &paid["amount_paid"]),
        (&json!("paid"), &json!(1500))
    );
}
