//! Invoices: balance, payments, what becomes of them.

use fake_stripe::{Customer, FakeStripe, Generation, NewInvoice, OnVoid, Pay};
use serde_json::{Value, json};

use super::{forget, kinds, last};
use crate::client::Client;

fn invoice(total: i64) -> NewInvoice {
    NewInvoice::new("cus_1", total, "usd").subscription("sub_1")
}

async fn read(fake: &FakeStripe, path: &str) -> Value {
    Client::new(fake).get(path).await.json
}

fn members(object: &Value, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| object[*name].clone()).collect()
}

#[tokio::test]
async fn a_paid_invoice_tells_each_step() {
    let fake = FakeStripe::start().await;
    let payment = fake.money().paid(&invoice(2000));
    let steps = kinds(&fake, Generation::BasilMay);
    let expected = [
        "invoice.created",
        "invoice.finalized",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
    ];
    assert_eq!(steps, expected);
    let invoice = read(&fake, &format!("/v1/invoices/{}", payment.invoice())).await;
    let names = [
        "status",
        "amount_due",
        "amount_paid",
        "amount_overpaid",
        "billing_reason",
    ];
    assert_eq!(
        json!(members(&invoice, &names)),
        json!(["paid", 2000, 2000, 0, "subscription_create"])
    );
    let parent = &invoice["parent"]["subscription_details"];
    assert_eq!(parent["subscription"], "sub_1");
    let customer = read(&fake, "/v1/customers/cus_1").await;
    assert_eq!(customer["currency"], "usd");
}

#[tokio::test]
async fn finalizing_uses_the_balance() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    money.adjust("cus_1", -3000, "usd");
    forget(&fake);
    let first = money.paid(&invoice(2000));
    assert_eq!(first.charge, None);
    let steps = kinds(&fake, Generation::Endive);
    let expected = [
        "invoice.created",
        "customer.updated",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
    ];
    assert_eq!(steps, expected);
    let second = money.paid(&invoice(2000));
    let finalized = last(&fake, "invoice.finalized", Generation::V2020);
    let names = [
        "starting_balance",
        "ending_balance",
        "amount_due",
        "amount_paid",
    ];
    assert_eq!(
        json!(members(&finalized["data"]["object"], &names)),
        json!([-1000, 0, 1000, 0])
    );
    let lines = read(&fake, "/v1/customers/cus_1/balance_transactions").await;
    let lines = lines["data"].as_array().expect("lines").iter();
    let names = ["type", "amount", "ending_balance", "invoice"];
    let lines: Vec<_> = lines.map(|line| members(line, &names)).collect();
    assert_eq!(
        json!(lines),
        json!([
            ["applied_to_invoice", 1000, 0, second.invoice],
            ["applied_to_invoice", 2000, -1000, first.invoice],
            ["adjustment", -3000, -3000, null]
        ])
    );
}

#[tokio::test]
async fn a_debt_makes_the_next_invoice_grow() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    money.adjust("cus_1", 500, "usd");
    let payment = money.paid(&invoice(2000));
    let invoice = read(&fake, &format!("/v1/invoices/{}", payment.invoice())).await;
    let names = ["amount_due", "amount_paid", "ending_balance"];
    assert_eq!(json!(members(&invoice, &names)), json!([2500, 2500, 0]));
    // A balance of another currency is none of this invoice's business.
    money.adjust("cus_1", -700, "eur");
    let payment = money.paid(&NewInvoice::new("cus_1", 100, "usd"));
    let path = format!("/v1/invoices/{}", payment.invoice());
    assert_eq!(read(&fake, &path).await["amount_due"], 100);
}

#[tokio::test]
async fn a_voided_invoice_returns_the_balance_or_not() {
    for (on_void, balance, told) in [
        (
            OnVoid::Return,
            -1000,
            vec!["customer.updated", "invoice.voided"],
        ),
        (OnVoid::Consume, 0, vec!["invoice.voided"]),
    ] {
        let fake = FakeStripe::start().await;
        let money = fake.money();
        money.adjust("cus_1", -1000, "usd");
        let id = money.invoice(&invoice(2000));
        money.finalize(&id);
        forget(&fake);
        money.void(&id, on_void);
        assert_eq!(kinds(&fake, Generation::Endive), told);
        let customer = read(&fake, "/v1/customers/cus_1").await;
        assert_eq!(customer["balance"], balance);
        let path = format!("/v1/customers/cus_1/balance_transactions?invoice={id}");
        let lines = read(&fake, &path).await["data"].clone();
        let unapplied = lines[0]["type"] == "unapplied_from_invoice";
        assert_eq!(unapplied, on_void == OnVoid::Return);
        assert_eq!(
            read(&fake, &format!("/v1/invoices/{id}")).await["status"],
            "void"
        );
    }
}

#[tokio::test]
async fn an_uncollectible_invoice_keeps_what_it_used() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    money.adjust("cus_1", -1000, "usd");
    let id = money.invoice(&invoice(2000));
    money.finalize(&id);
    forget(&fake);
    money.mark_uncollectible(&id);
    assert_eq!(
        kinds(&fake, Generation::Endive),
        ["invoice.marked_uncollectible"]
    );
    assert_eq!(read(&fake, "/v1/customers/cus_1").await["balance"], 0);
}

#[tokio::test]
async fn several_payments_pay_one_invoice() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let id = money.invoice(&invoice(3000));
    money.finalize(&id);
    forget(&fake);
    let first = money.pay_with(&id, &Pay::card(1000));
    assert_eq!(
        kinds(&fake, Generation::Endive).last().map(String::as_str),
        Some("invoice.updated")
    );
    let second = money.pay_with(&id, &Pay::charge_only(1500).captured(5000));
    money.pay_with(&id, &Pay::record(500));
    let steps = kinds(&fake, Generation::Endive);
    assert_eq!(steps.last().map(String::as_str), Some("invoice.paid"));

    let by_invoice = read(&fake, &format!("/v1/invoice_payments?invoice={id}")).await;
    let payments = by_invoice["data"].as_array().expect("payments").iter();
    let payments = payments.map(|one| (one["amount_paid"].clone(), one["payment"]["type"].clone()));
    let expected = [
        (500, "payment_record"),
        (1500, "charge"),
        (1000, "payment_intent"),
    ];
    assert_eq!(
        payments.collect::<Vec<_>>(),
        expected.map(|(sum, kind)| (json!(sum), json!(kind)))
    );
    let intent = first.payment_intent.expect("a payment intent");
    let by_intent = format!(
        "/v1/invoice_payments?payment[type]=payment_intent&payment[payment_intent]={intent}&limit=100"
    );
    let found = read(&fake, &by_intent).await["data"].clone();
    assert_eq!(
        (&found[0]["id"], &found[1]),
        (&json!(first.invoice_payment), &Value::Null)
    );
    let charge = read(&fake, &format!("/v1/charges/{}", second.charge())).await;
    let names = ["amount_captured", "payment_intent"];
    assert_eq!(json!(members(&charge, &names)), json!([5000, null]));
    let refused = "/v1/invoice_payments?payment[type]=charge&payment[charge]=ch_1";
    let refused = Client::new(&fake).get(refused).await;
    assert_eq!(
        (refused.status, refused.error("param")),
        (400, "payment[type]")
    );
    let expanded = read(&fake, &format!("/v1/invoices/{id}?expand[]=payments")).await;
    assert_eq!(expanded["payments"]["total_count"], 3);
    let plain = read(&fake, &format!("/v1/invoices/{id}")).await;
    assert!(plain.get("payments").is_none());
}

#[tokio::test]
async fn paid_elsewhere_counts_as_each_version_says() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    for (generation, paid) in [(Generation::AcaciaFebruary, 0), (Generation::Basil, 2000)] {
        let id = money.invoice(&invoice(2000));
        money.finalize(&id);
        forget(&fake);
        money.pay_out_of_band(&id);
        let event = last(&fake, "invoice.paid", generation);
        let told = &event["data"]["object"];
        assert_eq!(
            json!(members(told, &["status", "amount_due", "amount_paid"])),
            json!(["paid", 2000, paid])
        );
        let flag = told.get("paid_out_of_band");
        assert_eq!(flag, (paid == 0).then_some(&json!(true)));
        assert!(told.get("out_of_band").is_none());
    }
}

#[tokio::test]
async fn too_much_goes_to_the_balance() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let id = money.invoice(&invoice(2000));
    money.finalize(&id);
    money.pay_with(&id, &Pay::bank_debit(2300));
    let event = last(&fake, "invoice.paid", Generation::Basil);
    let names = ["amount_paid", "amount_overpaid", "amount_remaining"];
    assert_eq!(
        json!(members(&event["data"]["object"], &names)),
        json!([2300, 300, 0])
    );
    let customer = read(&fake, "/v1/customers/cus_1").await;
    assert_eq!(customer["balance"], -300);
}

#[tokio::test]
async fn a_detached_payment_opens_its_invoice() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    let payment = money.paid(&invoice(2000));
    forget(&fake);
    money.detach(&payment);
    let event = last(&fake, "invoice.updated", Generation::Endive);
    assert_eq!(event["data"]["previous_attributes"]["status"], "paid");
    let path = format!("/v1/invoices/{}", payment.invoice());
    let names = ["status", "amount_paid", "amount_remaining"];
    assert_eq!(
        json!(members(&read(&fake, &path).await, &names)),
        json!(["open", 0, 2000])
    );
    let again = money.pay(payment.invoice());
    assert_ne!(again.charge, payment.charge);
    assert_eq!(read(&fake, &path).await["status"], "paid");
}

#[tokio::test]
async fn accounts_are_customers_too() {
    let fake = FakeStripe::start().await;
    let money = fake.money();
    money.customer(&Customer::new("cus_9").account("acct_9"));
    money.adjust("acct_9", -500, "usd");
    money.adjust("acct_only", -500, "usd");
    for (id, customer, account) in [
        ("acct_9", json!("cus_9"), "acct_9"),
        ("acct_only", Value::Null, "acct_only"),
    ] {
        let payment = money.paid(&NewInvoice::new(id, 2000, "usd"));
        let invoice = read(&fake, &format!("/v1/invoices/{}", payment.invoice())).await;
        let names = ["customer", "customer_account", "amount_paid"];
        assert_eq!(
            json!(members(&invoice, &names)),
            json!([customer, account, 1500])
        );
    }
}
