//! Payments in the shape of each generation of Stripe's API. Ids are made up.

use super::super::{Meaning, parse, read_object};
use super::*;
use crate::payments::{
    Charge, ChargeStep, CreditNote, Dispute, DisputeStatus, FundsLine, Invoice, InvoicePayment,
    InvoiceStatus, NamedRefund, PaymentStatus, Refund, RefundStatus,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const USD: Currency = Currency::USD;

fn secs(seconds: i64) -> Micros {
    Micros::from_secs(seconds)
}

/// What an event of a type says, that happened at second 1000.
fn told_with(kind: &str, object: &Value, previous: &Value) -> Told {
    let body = json!({
        "id": "evt_1", "object": "event", "created": 1000, "livemode": true, "type": kind,
        "data": {"object": object, "previous_attributes": previous},
    });
    match parse(body.to_string().as_bytes(), Micros(0))
        .unwrap()
        .meaning
    {
        Meaning::Money(told) => *told,
        Meaning::Irrelevant => Told::default(),
        other => panic!("{other:?}"),
    }
}

fn told(kind: &str, object: &Value) -> Told {
    told_with(kind, object, &Value::Null)
}

fn link(kind: LinkKind, from: &str, to: &str) -> Link {
    let (from, to) = (from.to_owned(), to.to_owned());
    Link { kind, from, to }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Up to 2022-08-01 a charge names its invoice and lists its refunds.
fn charge_2020() -> Value {
    json!({
        "id": "ch_1", "object": "charge", "amount": 2000, "amount_captured": 2000,
        "amount_refunded": 600, "captured": true, "currency": "usd", "customer": "cus_1",
        "dispute": null, "invoice": "in_1", "payment_intent": "pi_1", "refunded": false,
        "refunds": {"object": "list", "has_more": false, "data": [{
            "id": "re_1", "object": "refund", "amount": 600, "charge": "ch_1", "created": 990,
            "currency": "usd", "payment_intent": "pi_1", "status": "succeeded"}]},
        "billing_details": {"email": "ann@example.com", "name": "Ann"},
    })
}

fn refund_fact(at: i64) -> Fact {
    Fact::Refund(Refund {
        id: "re_1".to_owned(),
        at: secs(at),
        created_at: secs(990),
        status: RefundStatus::Succeeded,
        amount: 600,
        currency: USD,
        charge: some("ch_1"),
        payment_intent: some("pi_1"),
    })
}

#[test]
fn reads_a_refunded_charge_of_2020() {
    let told = told_with(
        "charge.refunded",
        &charge_2020(),
        &json!({"amount_refunded": 0}),
    );
    let intent = link(LinkKind::ChargeIntent, "ch_1", "pi_1");
    assert_eq!(told.stripe_customers, ["cus_1"]);
    let links = [
        intent.clone(),
        link(LinkKind::ChargeInvoice, "ch_1", "in_1"),
        link(LinkKind::IntentInvoice, "pi_1", "in_1"),
        intent,
    ];
    assert_eq!(told.links, links);
    let charge = Fact::Charge(Charge {
        id: "ch_1".to_owned(),
        at: secs(1000),
        captured: 2000,
        currency: USD,
        payment_intent: some("pi_1"),
    });
    let step = Fact::ChargeStep(ChargeStep {
        charge: "ch_1".to_owned(),
        at: secs(1000),
        before: Some(0),
        refunded: 600,
        payment_intent: some("pi_1"),
    });
    assert_eq!(told.facts, [refund_fact(1000), charge, step]);
    let kept = serde_json::to_string(&told.facts).unwrap();
    assert!(!kept.contains("example") && !kept.contains("Ann"));
}

/// From 2022-11-15 on without the list, from 2025-03-31 on without the invoice too.
#[test]
fn reads_a_refunded_charge_of_later_versions() {
    let mut object = charge_2020();
    object.as_object_mut().unwrap().remove("refunds");
    let told_2022 = told_with("charge.refunded", &object, &json!({"amount_refunded": 0}));
    assert_eq!((told_2022.facts.len(), told_2022.links.len()), (2, 3));
    object.as_object_mut().unwrap().remove("invoice");
    let told_2025 = told_with("charge.refunded", &object, &json!({"amount_refunded": 0}));
    assert_eq!(told_2025.facts, told_2022.facts);
    assert_eq!(
        told_2025.links,
        [link(LinkKind::ChargeIntent, "ch_1", "pi_1")]
    );
    // A step that does not say what was before, as in what is fetched for a thin event.
    let fetched = read_object("charge.refunded", object.to_string().as_bytes(), secs(1000));
    let Some(Meaning::Money(fetched)) = fetched else {
        panic!("{fetched:?}");
    };
    let is_step = |fact: &&Fact| matches!(fact, Fact::ChargeStep(ChargeStep { before: None, .. }));
    assert_eq!(fetched.facts.iter().filter(is_step).count(), 1);
}

#[test]
fn reads_a_refund_by_each_of_its_events() {
    let object = charge_2020()["refunds"]["data"][0].clone();
    for kind in [
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.refund.updated",
    ] {
        let told = told(kind, &object);
        assert_eq!(told.facts, [refund_fact(1000)], "{kind}");
        assert_eq!(told.links, [link(LinkKind::ChargeIntent, "ch_1", "pi_1")]);
        assert_eq!(told.stripe_customers, Vec::<String>::new());
    }
    let asked = told_by(object.to_string().as_bytes(), secs(5000)).unwrap();
    assert_eq!(asked.facts, [refund_fact(5000)]);
    let of_2026 = json!({
        "id": "pyr_1", "object": "refund", "amount": 5, "charge": {"id": "py_1"}, "created": 7,
        "currency": "eur", "customer": "cus_1", "payment_intent": null, "status": "brand_new",
    });
    let told = told("refund.updated", &of_2026);
    assert_eq!(told.stripe_customers, ["cus_1"]);
    let Fact::Refund(refund) = &told.facts[0] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (refund.id.as_str(), refund.charge.as_deref()),
        ("pyr_1", Some("py_1"))
    );
    assert_eq!(refund.status.as_str(), "brand_new");
}

fn invoice_2020() -> Value {
    json!({
        "id": "in_1", "object": "invoice", "amount_due": 2000, "amount_paid": 2000,
        "billing_reason": "subscription_create", "charge": "ch_1", "created": 900,
        "currency": "usd", "customer": "cus_1", "customer_email": "ann@example.com", "paid": true,
        "paid_out_of_band": false, "payment_intent": "pi_1", "status": "paid",
        "subscription": "sub_1",
    })
}

fn invoice_basil() -> Value {
    json!({
        "id": "in_1", "object": "invoice", "amount_due": 2000, "amount_overpaid": 0,
        "amount_paid": 2000, "billing_reason": "subscription_create", "created": 900,
        "currency": "usd", "customer": "cus_1", "customer_account": "acct_1", "status": "paid",
        "parent": {"type": "subscription_details", "quote_details": null,
            "subscription_details": {"metadata": {}, "subscription": "sub_1"}},
    })
}

fn invoice_fact(paid: i64, status: InvoiceStatus) -> Fact {
    Fact::Invoice(Invoice {
        id: "in_1".to_owned(),
        at: secs(1000),
        status,
        created_at: secs(900),
        paid,
        currency: USD,
        subscription: some("sub_1"),
        is_first: true,
    })
}

#[test]
fn reads_an_invoice_of_both_generations() {
    let of = link(LinkKind::InvoiceSubscription, "in_1", "sub_1");
    let paid = [invoice_fact(2000, InvoiceStatus::Paid)];
    for kind in ["invoice.paid", "invoice.payment_succeeded"] {
        let old = told(kind, &invoice_2020());
        assert_eq!(
            (old.facts, old.stripe_customers),
            (paid.to_vec(), vec!["cus_1".to_owned()])
        );
        let links = [
            of.clone(),
            link(LinkKind::ChargeIntent, "ch_1", "pi_1"),
            link(LinkKind::ChargeInvoice, "ch_1", "in_1"),
            link(LinkKind::IntentInvoice, "pi_1", "in_1"),
        ];
        assert_eq!(old.links, links);
        let new = told(kind, &invoice_basil());
        assert_eq!((new.facts, new.links), (paid.to_vec(), vec![of.clone()]));
        assert_eq!(new.stripe_customers, ["cus_1", "acct_1"]);
    }
}

#[test]
fn only_real_money_is_paid() {
    let with = |object: Value, changes: &[(&str, Value)]| {
        let mut object = object;
        for (name, value) in changes {
            object[*name] = value.clone();
        }
        let told = told("invoice.paid", &object);
        match &told.facts[..] {
            [Fact::Invoice(invoice)] => invoice.paid,
            other => panic!("{other:?}"),
        }
    };
    // Paid elsewhere: before and after `amount_paid` had it.
    let elsewhere = [("amount_paid", json!(0)), ("paid_out_of_band", json!(true))];
    assert_eq!(with(invoice_2020(), &elsewhere), 2000);
    assert_eq!(with(invoice_basil(), &[]), 2000);
    // Paid by the customer's balance, a coupon, or nothing to pay.
    let by_balance = [
        ("amount_paid", json!(0)),
        ("starting_balance", json!(-2000)),
    ];
    assert_eq!(with(invoice_2020(), &by_balance), 0);
    let overpaid = [
        ("amount_paid", json!(2500)),
        ("amount_overpaid", json!(500)),
    ];
    assert_eq!(with(invoice_basil(), &overpaid), 2000);
}

#[test]
fn an_invoice_that_is_open_is_news_only_in_an_answer() {
    let mut object = invoice_2020();
    object["status"] = json!("open");
    assert_eq!(told("invoice.finalized", &object).facts, []);
    assert_eq!(told("invoice.finalized", &object).links.len(), 4);
    let asked = told_by(object.to_string().as_bytes(), secs(1000)).unwrap();
    assert_eq!(asked.facts, [invoice_fact(2000, InvoiceStatus::Open)]);
    object["status"] = json!("void");
    let voided = [invoice_fact(2000, InvoiceStatus::Void)];
    assert_eq!(told("invoice.voided", &object).facts, voided);
}

#[test]
fn reads_payments_of_an_invoice() {
    let object = |payment: Value| {
        json!({
            "id": "inpay_1", "object": "invoice_payment", "amount_paid": 2000,
            "amount_requested": 2000, "created": 950, "currency": "usd", "invoice": "in_1",
            "is_default": true, "payment": payment, "status": "paid",
        })
    };
    let fact = |charge: Option<&str>, intent: Option<&str>| {
        Fact::InvoicePayment(InvoicePayment {
            id: "inpay_1".to_owned(),
            at: secs(1000),
            status: PaymentStatus::Paid,
            invoice: "in_1".to_owned(),
            paid: 2000,
            charge: charge.map(str::to_owned),
            payment_intent: intent.map(str::to_owned),
        })
    };
    let by_intent = object(json!({"type": "payment_intent", "payment_intent": "pi_1"}));
    let read = told("invoice_payment.paid", &by_intent);
    assert_eq!(read.facts, [fact(None, Some("pi_1"))]);
    assert_eq!(read.links, [link(LinkKind::IntentInvoice, "pi_1", "in_1")]);
    let by_charge = object(json!({"type": "charge", "charge": {"id": "ch_1"}}));
    let read = told("invoice_payment.paid", &by_charge);
    assert_eq!(read.facts, [fact(Some("ch_1"), None)]);
    assert_eq!(read.links, [link(LinkKind::ChargeInvoice, "ch_1", "in_1")]);
    let elsewhere = object(json!({"type": "payment_record", "payment_record": "pr_1"}));
    let read = told("invoice_payment.paid", &elsewhere);
    assert_eq!((read.facts, read.links), (vec![fact(None, None)], vec![]));
    // An invoice that was asked for shows them if they were asked for as well.
    let mut invoice = invoice_basil();
    invoice["payments"] = json!({"object": "list", "data": [by_intent]});
    let asked = told_by(invoice.to_string().as_bytes(), secs(1000)).unwrap();
    assert_eq!(asked.facts[0], fact(None, Some("pi_1")));
    assert_eq!(asked.links.len(), 2);
}

fn dispute_object() -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "amount": 2000, "balance_transactions": [
            {"id": "txn_1", "object": "balance_transaction", "amount": -1800, "created": 995,
                "currency": "eur", "fee": 1500, "net": -3300, "type": "adjustment"}],
        "charge": "ch_1", "created": 990, "currency": "usd", "payment_intent": "pi_1",
        "evidence": {"customer_email_address": "ann@example.com"}, "status": "needs_response",
    })
}

#[test]
fn reads_a_dispute_by_each_of_its_events() {
    for (kind, stage) in [
        ("charge.dispute.created", Stage::Created),
        ("charge.dispute.updated", Stage::Updated),
        ("charge.dispute.funds_withdrawn", Stage::Funds),
        ("charge.dispute.funds_reinstated", Stage::Funds),
        ("charge.dispute.closed", Stage::Closed),
    ] {
        let told = told(kind, &dispute_object());
        let fact = Fact::Dispute(Dispute {
            id: "dp_1".to_owned(),
            at: secs(1000),
            stage,
            created_at: secs(990),
            status: DisputeStatus::NeedsResponse,
            amount: 2000,
            currency: USD,
            lines: vec![FundsLine {
                at: secs(995),
                amount: -1800,
            }],
            charge: some("ch_1"),
            payment_intent: some("pi_1"),
        });
        assert_eq!(told.facts, [fact], "{kind}");
        assert_eq!(told.links, [link(LinkKind::ChargeIntent, "ch_1", "pi_1")]);
    }
}

fn note_object() -> Value {
    json!({
        "id": "cn_1", "object": "credit_note", "amount": 600, "created": 990, "currency": "usd",
        "customer": "cus_1", "customer_balance_transaction": "cbtxn_1", "invoice": "in_1",
        "memo": "for Ann", "out_of_band_amount": null, "refund": "re_1", "status": "issued",
        "type": "post_payment",
    })
}

#[test]
fn reads_a_credit_note_of_each_generation() {
    let fact = |paid_back: i64, amount: Option<i64>| {
        let id = "re_1".to_owned();
        Fact::CreditNote(CreditNote {
            id: "cn_1".to_owned(),
            at: secs(1000),
            created_at: secs(990),
            is_void: false,
            invoice: "in_1".to_owned(),
            paid_back,
            out_of_band: 0,
            is_to_balance: true,
            refunds: vec![NamedRefund { id, amount }],
        })
    };
    let read = |object: &Value| told("credit_note.created", object).facts;
    assert_eq!(read(&note_object()), [fact(600, None)]);
    let mut before_payment = note_object();
    before_payment["type"] = json!("pre_payment");
    assert_eq!(read(&before_payment), [fact(0, None)]);
    let mut basil = note_object();
    basil["refunds"] = json!([{"refund": "re_1", "amount_refunded": 400, "type": "refund"}]);
    assert_eq!(read(&basil), [fact(600, Some(400))]);
    basil.as_object_mut().unwrap().remove("refund");
    basil["type"] = json!("mixed");
    basil["post_payment_amount"] = json!(500);
    basil["pre_payment_amount"] = json!(100);
    assert_eq!(read(&basil), [fact(500, Some(400))]);
    basil["status"] = json!("void");
    let voided = told("credit_note.voided", &basil).facts;
    assert!(matches!(
        &voided[..],
        [Fact::CreditNote(CreditNote { is_void: true, .. })]
    ));
}

#[test]
fn a_subscription_that_ended_says_when() {
    let ended = |kind: &str, members: Value| {
        let mut object = json!({"id": "sub_1", "object": "subscription", "customer": "cus_1",
            "status": "canceled"});
        object
            .as_object_mut()
            .unwrap()
            .extend(members.as_object().unwrap().clone());
        match read_object(kind, object.to_string().as_bytes(), secs(1000)) {
            Some(Meaning::Start(start)) => start.end(),
            other => panic!("{other:?}"),
        }
    };
    let at = |ended_at| {
        Some(Fact::SubscriptionEnd(SubscriptionEnd {
            id: "sub_1".to_owned(),
            at: secs(1000),
            ended_at: secs(ended_at),
        }))
    };
    let deleted = "customer.subscription.deleted";
    assert_eq!(ended(deleted, json!({"ended_at": 900})), at(900));
    assert_eq!(ended(deleted, json!({})), at(1000));
    let updated = "customer.subscription.updated";
    assert_eq!(ended(updated, json!({"ended_at": 900})), at(900));
    assert_eq!(ended(updated, json!({"ended_at": null})), None);
    let asked = json!({"id": "sub_1", "object": "subscription", "ended_at": 900});
    let asked = told_by(asked.to_string().as_bytes(), secs(1000)).unwrap();
    assert_eq!(asked.facts, [at(900).unwrap()]);
}

#[test]
fn other_types_say_nothing_of_payments() {
    for kind in [
        "charge.updated",
        "charge.succeeded",
        "customer.updated",
        "payout.paid",
    ] {
        assert_eq!(told(kind, &charge_2020()), Told::default(), "{kind}");
        assert!(!is_about_payments(kind));
    }
    for other in [
        r#"{"object":"payout","id":"po_1"}"#,
        r#"{"id":"ch_1"}"#,
        "[]",
        "{",
    ] {
        assert_eq!(told_by(other.as_bytes(), Micros(0)), None, "{other}");
    }
    let listed = refunds_listed("ch_1", Micros(1_500_000));
    assert_eq!(
        (listed.at(), listed.key()),
        (secs(1), "refunds_listed:ch_1".to_owned())
    );
}

/// A type and an object of each kind.
fn objects() -> Vec<(&'static str, Value)> {
    let payment = json!({
        "id": "inpay_1", "object": "invoice_payment", "amount_paid": 2000, "invoice": "in_1",
        "payment": {"type": "payment_intent", "payment_intent": "pi_1"}, "status": "paid",
    });
    vec![
        ("charge.refunded", charge_2020()),
        (
            "refund.created",
            charge_2020()["refunds"]["data"][0].clone(),
        ),
        ("invoice.paid", invoice_2020()),
        ("invoice.paid", invoice_basil()),
        ("invoice_payment.paid", payment),
        ("charge.dispute.closed", dispute_object()),
        ("credit_note.created", note_object()),
    ]
}

/// Any JSON value, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("id|data|amount|refund", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// No member, whatever it becomes, costs a link that another member tells, and the amounts stay in bounds.
    #[test]
    fn one_strange_member_spoils_nothing_else(
        which in 0..7_usize,
        member in any::<prop::sample::Index>(),
        strange in any_json(),
    ) {
        let (kind, mut object) = objects().swap_remove(which);
        prop_assert!(is_about_payments(kind));
        let before = told(kind, &object);
        let names: Vec<String> = object.as_object().unwrap().keys().cloned().collect();
        let name = &names[member.index(names.len())];
        object[name] = strange;
        let after = told(kind, &object);
        let is_link = ["id", "charge", "payment_intent", "invoice", "subscription", "parent", "payment"]
            .contains(&name.as_str());
        if !is_link {
            prop_assert!(before.links.iter().all(|link| after.links.contains(link)), "{name}");
        }
        let harmless = ["object", "captured", "dispute", "billing_details", "evidence", "memo"];
        if harmless.contains(&name.as_str()) {
            prop_assert_eq!(after, before);
        }
    }
}

#[test]
fn a_payment_intent_hints_at_an_invoice_and_names_its_charge() {
    let intent = json!({
        "id": "pi_1", "object": "payment_intent", "customer": "cus_1", "latest_charge": "ch_1",
        "payment_details": {"order_reference": "in_1"},
    });
    let read = told_by(intent.to_string().as_bytes(), secs(1000)).unwrap();
    assert_eq!(read.stripe_customers, ["cus_1"]);
    let [link] = &read.links[..] else {
        panic!("{read:?}");
    };
    assert_eq!((&*link.from, &*link.to), ("ch_1", "pi_1"));
    let hint = hint_of(intent.to_string().as_bytes()).unwrap();
    assert_eq!((&*hint.link.from, &*hint.link.to), ("pi_1", "in_1"));
    assert_eq!(hint.stripe_customers, ["cus_1"]);
    for other in [json!("order 7"), json!(null), json!({"id": "in_1"})] {
        let mut intent = intent.clone();
        intent["payment_details"]["order_reference"] = other;
        assert_eq!(hint_of(intent.to_string().as_bytes()), None, "{intent}");
    }
}
