//! Which member exists in which version.

use fake_stripe::{FakeStripe, Generation, NewCreditNote, NewInvoice};
use serde_json::Value;

use crate::client::{Client, send};

use Generation::{
    Acacia, AcaciaFebruary, Basil, BasilMay, Clover, Dahlia, Endive, V2020, V2022, V2022November,
};

/// The kind of event, the member, and the first and the last generation that has it.
const MEMBERS: [(&str, &str, Generation, Generation); 26] = [
    ("invoice.paid", "subscription", V2020, AcaciaFebruary),
    ("invoice.paid", "charge", V2020, AcaciaFebruary),
    ("invoice.paid", "payment_intent", V2020, AcaciaFebruary),
    ("invoice.paid", "paid", V2020, AcaciaFebruary),
    ("invoice.paid", "paid_out_of_band", V2020, AcaciaFebruary),
    ("invoice.paid", "tax", V2020, AcaciaFebruary),
    (
        "invoice.paid",
        "subscription_details",
        V2022November,
        AcaciaFebruary,
    ),
    ("invoice.paid", "parent", Basil, Endive),
    ("invoice.paid", "total_taxes", Basil, Endive),
    ("invoice.paid", "amount_overpaid", Basil, Endive),
    ("invoice.paid", "customer_account", Endive, Endive),
    ("invoice.paid", "customer", V2020, Endive),
    ("charge.refunded", "invoice", V2020, AcaciaFebruary),
    ("charge.refunded", "refunds", V2020, V2022),
    ("charge.refunded", "dispute", V2020, V2022November),
    ("charge.refunded", "customer", V2020, Endive),
    ("payment_intent.succeeded", "invoice", V2020, AcaciaFebruary),
    ("payment_intent.succeeded", "charges", V2020, V2022),
    (
        "payment_intent.succeeded",
        "latest_charge",
        V2022November,
        Endive,
    ),
    ("payment_intent.succeeded", "payment_details", Basil, Endive),
    ("refund.created", "charge", Acacia, Endive),
    ("refund.created", "customer", Dahlia, Endive),
    ("credit_note.created", "refund", V2020, AcaciaFebruary),
    ("credit_note.created", "refunds", Basil, Endive),
    (
        "credit_note.created",
        "post_payment_amount",
        BasilMay,
        Endive,
    ),
    ("invoice_payment.paid", "payment", BasilMay, Endive),
];

#[tokio::test]
async fn members_come_and_go_with_the_version() {
    for generation in Generation::ALL {
        let fake = FakeStripe::start().await;
        let money = fake.money();
        let payment = money.paid(&NewInvoice::new("cus_1", 2000, "usd").subscription("sub_1"));
        money.credit_note(payment.invoice(), &NewCreditNote::new().refund(500));
        let events = fake.take_events(generation);
        for event in &events {
            assert_eq!(event["api_version"], generation.api_version());
            assert!(event["data"]["object"].get("payments").is_none());
        }
        for (kind, member, first, last) in MEMBERS {
            let event = events.iter().find(|event| event["type"] == kind);
            let there = event.is_some_and(|event| event["data"]["object"].get(member).is_some());
            let expected = (first..=last).contains(&generation);
            assert_eq!(there, expected, "{member} of {kind} in {generation:?}");
        }
    }
}

#[tokio::test]
async fn the_version_of_a_request_shapes_its_answer() {
    let fake = FakeStripe::start().await;
    let payment = fake.money().paid(&NewInvoice::new("cus_1", 2000, "usd"));
    let client = Client::new(&fake);
    let read = async |path: &str, generation: Generation| {
        let request = client.request(reqwest::Method::GET, path);
        let request = request.header("Stripe-Version", generation.api_version());
        send(request).await.expect("an answer")
    };
    let charge = format!("/v1/charges/{}", payment.charge());
    let old = read(&charge, AcaciaFebruary).await.json;
    assert_eq!(old["invoice"], payment.invoice());
    let new = read(&charge, Clover).await.json;
    assert!(new.get("invoice").is_none() && new.get("refunds").is_none());
    let asked = read(&format!("{charge}?expand[]=refunds"), Endive)
        .await
        .json;
    assert_eq!(asked["refunds"]["data"], Value::Array(Vec::new()));
    let payments = format!("/v1/invoice_payments?invoice={}", payment.invoice());
    assert_eq!(read(&payments, AcaciaFebruary).await.status, 404);
    assert_eq!(read(&payments, Basil).await.status, 200);
}
