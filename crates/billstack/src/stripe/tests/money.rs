//! The calls that move and read money: against the stand-in, and against scripted answers it does not give.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use fake_stripe::{
    Customer, EventObject as _, EventOptions, FakeStripe, Fault, Generation, Injection, NewInvoice,
    Subscription, event,
};
use serde_json::{Value, json};

use super::{client, key, put_customer, put_subscription};
use crate::stripe::{
    About, Failure, MOST_TYPES, One, Posted, Refused, Silent, StripeClient, VERSION,
};
use billstack_core::payments::{Fact, Told};
use billstack_core::time::Micros;

const FORM: &str = "amount=-1000&currency=usd&metadata[billstack_op_id]=op_1";

async fn post(fake: &FakeStripe, idempotency_key: &str, form: &str) -> Result<Posted, Failure> {
    let key = key();
    let client = client(fake);
    let posted = client.post_balance_line(&key, "cus_1", idempotency_key, form);
    posted.await
}

async fn with_customer() -> FakeStripe {
    let fake = FakeStripe::start().await;
    put_customer(&fake, &Customer::new("cus_1").email("a@example.com"));
    fake
}

#[tokio::test]
async fn a_line_is_written_once_under_its_key() {
    let key = key();
    let fake = with_customer().await;
    let posted = post(&fake, "bsc_1_0", FORM).await.expect("a line");
    assert_eq!((posted.amount, posted.ending_balance), (-1000, -1000));
    assert_eq!(posted.currency, "usd");
    assert_eq!(post(&fake, "bsc_1_0", FORM).await, Ok(posted.clone()));
    let request = &fake.requests()[0];
    assert_eq!(request.body, FORM.as_bytes());
    assert_eq!(request.idempotency_key.as_deref(), Some("bsc_1_0"));
    assert_eq!(request.stripe_version.as_deref(), Some(VERSION));
    let other = post(&fake, "bsc_1_0", "amount=-1&currency=usd").await;
    assert_eq!(other, Err(Failure::KeyReused));

    // A broken connection is not tried again here: what was tried is counted by the caller.
    fake.clear_requests();
    fake.fail_next(1, Fault::ResetAfterCommit);
    let cut = post(&fake, "bsc_2_0", FORM).await;
    assert_eq!(cut, Err(Failure::Unknown(Silent::CutOff)));
    assert_eq!(fake.requests().len(), 1);
    let again = post(&fake, "bsc_2_0", FORM).await.expect("the line");
    assert_eq!(again.ending_balance, -2000);

    let client = client(&fake);
    let lines = client.balance_lines(&key, "cus_1", None, None).await;
    let lines = lines.expect("a page");
    assert_eq!((lines.rows.len(), lines.after), (2, None));
    let oldest = &lines.rows[1];
    assert_eq!(
        (&oldest.id, &*oldest.kind),
        (&posted.id, "adjustment"),
        "newest first"
    );
    assert_eq!(oldest.metadata["billstack_op_id"], "op_1");
    let later = Some(Micros::from_secs(posted.created + 3_600));
    let none = client.balance_lines(&key, "cus_1", later, None).await;
    assert!(none.expect("a page").rows.is_empty());
}

#[tokio::test]
async fn lines_come_in_pages() {
    let key = key();
    let fake = with_customer().await;
    let client = client(&fake);
    for number in 0..101 {
        fake.with_books(|books| {
            books.balance_transactions.put(json!({
                "id": format!("cbtxn_{number}"), "customer": "cus_1", "amount": 1, "currency": "usd",
                "type": "applied_to_invoice", "ending_balance": 0, "created": 1_000 + number,
                "invoice": "in_1", "description": null, "metadata": {},
            }));
        });
    }
    let page = client.balance_lines(&key, "cus_1", None, None).await;
    let page = page.expect("a page");
    assert_eq!(page.rows[0].invoice.as_deref(), Some("in_1"));
    assert_eq!(page.after.as_deref(), Some("cbtxn_1"));
    let rest = client.balance_lines(&key, "cus_1", None, page.after.as_deref());
    let rest = rest.await.expect("the rest");
    assert_eq!((&*rest.rows[0].id, rest.after), ("cbtxn_0", None));
}

#[tokio::test]
async fn failures_say_what_may_be_done_next() {
    let key = key();
    let fake = with_customer().await;
    let status = |status| Injection::new(Fault::Status(status));
    let limited = |reason: Option<&str>, lock_timeout, retry_after| Failure::RateLimited {
        reason: reason.map(str::to_owned),
        lock_timeout,
        retry_after,
        should_retry: None,
    };
    let failed = |status, should_retry| Failure::ServerError {
        status,
        replayed: false,
        should_retry,
    };
    for (injection, expected) in [
        (
            status(429).header("stripe-rate-limited-reason", "endpoint-rate"),
            limited(Some("endpoint-rate"), false, None),
        ),
        (
            status(429).code("lock_timeout").header("retry-after", "7"),
            limited(None, true, Some(7)),
        ),
        (
            status(409).code("idempotency_key_in_use"),
            Failure::KeyInUse,
        ),
        (status(401), Failure::Unauthorized),
        (status(403), Failure::PermissionMissing(None)),
        (
            status(503).header("stripe-should-retry", "false"),
            failed(503, Some(false)),
        ),
        (status(302), refused(302, None)),
        (
            status(402).code("card_declined"),
            refused(402, Some("card_declined")),
        ),
    ] {
        fake.inject(injection.clone());
        let answer = post(&fake, "bsc_1_0", FORM).await;
        assert_eq!(answer, Err(expected), "{injection:?}");
    }
    let usual = client(&fake);
    let nobody = usual.post_balance_line(&key, "cus_2", "bsc_2_0", FORM);
    assert_eq!(nobody.await, Err(Failure::NotFound));
    for id in ["", "cus_1/../x", "cus_1?x"] {
        let wrong = usual.post_balance_line(&key, id, "bsc_3_0", FORM);
        assert_eq!(wrong.await, Err(Failure::NotFound));
    }
    let wrong = post(&fake, "bsc_4_0", "amount=x&currency=usd").await;
    let Err(Failure::Refused(wrong)) = wrong else {
        panic!("{wrong:?}");
    };
    assert_eq!((wrong.status, &*wrong.message), (400, "Invalid integer: x"));
    let hasty = std::time::Duration::from_millis(200);
    let hasty = StripeClient::new(&fake.base_url(), hasty).expect("a client");
    fake.fail_next(1, Fault::Hang(std::time::Duration::from_secs(30)));
    let late = hasty.post_balance_line(&key, "cus_1", "bsc_5_0", FORM);
    assert_eq!(late.await, Err(Failure::Unknown(Silent::TimedOut)));
}

fn refused(status: u16, code: Option<&str>) -> Failure {
    Failure::Refused(Refused {
        status,
        code: code.map(str::to_owned),
        kind: Some("invalid_request_error".to_owned()),
        message: "The request was refused.".to_owned(),
    })
}

#[tokio::test]
async fn a_customer_and_its_live_currencies() {
    let key = key();
    let fake = with_customer().await;
    let client = client(&fake);
    let customer = client.customer_state(&key, "cus_1").await;
    let customer = customer.expect("a customer");
    assert_eq!((customer.currency, customer.balance), (None, 0));
    assert!(!customer.deleted && !customer.livemode && !customer.has_cash_balance);
    post(&fake, "bsc_1_0", FORM).await.expect("a line");
    let customer = client.customer_state(&key, "cus_1").await;
    let customer = customer.expect("a customer");
    assert_eq!(customer.currency.as_deref(), Some("usd"));
    assert_eq!(customer.balance, -1000);

    for number in 0..101 {
        put_subscription(&fake, &Subscription::new(&format!("sub_{number}"), "cus_1"));
    }
    for (id, status, currency) in [
        ("sub_eur", "past_due", "eur"),
        ("sub_chf", "incomplete", "chf"),
        ("sub_gbp", "canceled", "gbp"),
    ] {
        let subscription = Subscription::new(id, "cus_1").status(status).created(1_000);
        let mut subscription = subscription.render(Generation::Endive, false);
        subscription["currency"] = json!(currency);
        fake.with_books(|books| books.subscriptions.put(subscription));
    }
    let live = client.live_currencies(&key, "cus_1").await;
    let both = BTreeSet::from(["eur".to_owned(), "usd".to_owned()]);
    assert_eq!(live, Ok(both));

    let gone = json!({"id": "cus_1", "object": "customer", "deleted": true});
    fake.with_books(|books| books.customers.put(gone));
    let customer = client.customer_state(&key, "cus_1").await;
    assert!(customer.expect("what is left").deleted);
    let nobody = client.customer_state(&key, "cus_2").await;
    assert_eq!(nobody, Err(Failure::NotFound));
}

#[tokio::test]
async fn events_come_in_pages_by_type_and_time() {
    let key = key();
    let fake = FakeStripe::start().await;
    fake.clock().set(2_000);
    let client = client(&fake);
    for number in 0..102_i64 {
        let kind = ["invoice.paid", "charge.refunded", "customer.created"];
        let kind = kind[usize::try_from(number % 3).expect("small")];
        let event = event(kind, &json!({}), &EventOptions::at(1_000 + number));
        fake.with_books(|books| books.events.put(event));
    }
    let types = ["invoice.paid", "charge.refunded"];
    assert!(types.len() <= MOST_TYPES);
    let (from, ever) = (Micros::from_secs(1_003), Micros::from_secs(2_000));
    let page = client.event_page(&key, &types, (from, ever), None);
    let page = page.await.expect("a page");
    assert_eq!((page.rows.len(), page.after), (66, None));
    let newest: Value = serde_json::from_str(page.rows[0].get()).expect("an event");
    assert_eq!(newest["created"], 1_100);
    let until = (from, Micros::from_secs(1_100));
    let shorter = client.event_page(&key, &types, until, None).await;
    assert_eq!(shorter.expect("a page").rows.len(), 65);
    let all = [&types[..], &["customer.created"]].concat();
    let first = client.event_page(&key, &all, (Micros(0), ever), None).await;
    let first = first.expect("a page");
    let second = client.event_page(&key, &all, (Micros(0), ever), first.after.as_deref());
    assert_eq!(second.await.expect("the rest").rows.len(), 2);
}

/// Answers in turn, and what was asked.
type Script = Arc<Mutex<(Vec<Response>, Vec<String>)>>;

async fn scripted(answers: Vec<Response>) -> (StripeClient, Script) {
    let script: Script = Arc::new(Mutex::new((answers, Vec::new())));
    let next = |State(script): State<Script>, request: Request| async move {
        let mut script = script.lock().expect("the script");
        script.1.push(request.uri().to_string());
        script.0.remove(0)
    };
    let routes = axum::Router::new()
        .fallback(next)
        .with_state(script.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let timeout = std::time::Duration::from_secs(5);
    (StripeClient::new(&base, timeout).expect("a client"), script)
}

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Response {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().expect("text"));
    }
    let status = StatusCode::from_u16(status).expect("a status");
    (status, map, body.to_owned()).into_response()
}

#[tokio::test]
async fn answers_that_are_not_of_stripe() {
    let key = key();
    let sentence = r#"{"error": {"type": "invalid_request_error", "message": "The key 'rk_test_**' lacks it. Having the 'rak_customer_write' permission would allow this request to continue."}}"#;
    let failed = r#"{"error": {"type": "api_error", "message": "Sorry."}}"#;
    let permission = Some("rak_customer_write".to_owned());
    let replayed = Failure::ServerError {
        status: 500,
        replayed: true,
        should_retry: Some(false),
    };
    let headers = [
        ("idempotent-replayed", "true"),
        ("stripe-should-retry", "false"),
    ];
    let not_stripe = Failure::Unknown(Silent::NotStripe);
    let unreadable = Failure::Unknown(Silent::Unreadable);
    let cases = [
        (
            answer(403, &[], sentence),
            Failure::PermissionMissing(permission),
        ),
        (answer(500, &headers, failed), replayed),
        (answer(502, &[], "<html>"), not_stripe.clone()),
        (answer(403, &[], "<html>"), not_stripe.clone()),
        (answer(302, &[("location", "/x")], ""), not_stripe),
        (answer(200, &[], "<html>"), unreadable.clone()),
        (answer(200, &[], r#"{"id": "cbtxn_1"}"#), unreadable),
    ];
    let (answers, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
    let (client, _) = scripted(answers).await;
    for expected in expected {
        let posted = client.post_balance_line(&key, "cus_1", "bsc_1_0", FORM);
        assert_eq!(posted.await, Err(expected));
    }
}

#[tokio::test]
async fn lists_about_an_object_are_read_whole() {
    let key = key();
    let page = |id: &str, more: bool| json!({"data": [{"id": id}], "has_more": more}).to_string();
    let (client, script) = scripted(vec![
        answer(200, &[], &page("re_1", true)),
        answer(200, &[], &page("re_2", false)),
        answer(200, &[], &page("inpay_1", false)),
        answer(200, &[], &page("inpay_1", false)),
        answer(200, &[], &page("du_1", false)),
        answer(200, &[], &page("cn_1", false)),
        answer(200, &[], &page("in_1", false)),
        answer(200, &[], &page("in_1", false)),
        answer(200, &[], &page("in_1", false)),
        answer(200, &[], r#"{"id": "in_1", "amount_paid": 2000}"#),
        answer(200, &[], r#"{"id": "ch_1"}"#),
        answer(200, &[], r#"{"id": "pi_1"}"#),
        answer(200, &[], r#"{"id": "sub_1"}"#),
        answer(200, &[], r#"{"data": [{}], "has_more": true}"#),
    ])
    .await;
    let read = async |about| client.all_about(&key, about).await;
    let refunds = read(About::RefundsOfCharge("ch_1")).await.expect("refunds");
    let rows: Vec<_> = refunds.iter().map(|row| row.get()).collect();
    assert_eq!(rows, [r#"{"id":"re_1"}"#, r#"{"id":"re_2"}"#]);
    for about in [
        About::InvoicePaymentsOfIntent("pi_1"),
        About::InvoicePaymentsOfInvoice("in_1"),
        About::DisputesOfCharge("ch_1"),
        About::CreditNotesOfInvoice("in_1"),
        About::InvoicesOfSubscription("sub_1"),
        About::InvoicesOfCustomer("cus_1"),
        About::InvoicesOfCustomer("acct_1"),
    ] {
        assert_eq!(read(about).await.expect("rows").len(), 1);
    }
    let invoice = client.one(&key, One::Invoice("in_1")).await;
    let invoice = invoice.expect("an invoice");
    assert_eq!(invoice.get(), r#"{"id": "in_1", "amount_paid": 2000}"#);
    for one in [
        One::Charge("ch_1"),
        One::Intent("pi_1"),
        One::Subscription("sub_1"),
    ] {
        client.one(&key, one).await.expect("an object");
    }
    let elsewhere = client.one(&key, One::Charge("ch_1/../x")).await;
    assert_eq!(elsewhere.expect_err("no id"), Failure::NotFound);
    let nameless = read(About::RefundsOfCharge("ch_1")).await;
    let nameless = nameless.expect_err("a page that cannot be gone on from");
    assert_eq!(nameless, Failure::Unknown(Silent::Unreadable));
    let asked = script.lock().expect("the script").1.clone();
    assert_eq!(
        asked,
        [
            "/v1/refunds?charge=ch_1&limit=100",
            "/v1/refunds?charge=ch_1&limit=100&starting_after=re_1",
            "/v1/invoice_payments?payment%5Btype%5D=payment_intent&payment%5Bpayment_intent%5D=pi_1&limit=100",
            "/v1/invoice_payments?invoice=in_1&limit=100",
            "/v1/disputes?charge=ch_1&limit=100",
            "/v1/credit_notes?invoice=in_1&limit=100",
            "/v1/invoices?subscription=sub_1&expand%5B%5D=data.payments&limit=100",
            "/v1/invoices?customer=cus_1&expand%5B%5D=data.payments&limit=100",
            "/v1/invoices?customer_account=acct_1&expand%5B%5D=data.payments&limit=100",
            "/v1/invoices/in_1?expand%5B%5D=payments",
            "/v1/charges/ch_1",
            "/v1/payment_intents/pi_1",
            "/v1/subscriptions/sub_1",
            "/v1/refunds?charge=ch_1&limit=100",
        ]
    );
}

#[tokio::test]
async fn money_of_the_customers_own_is_seen() {
    let key = key();
    let with = |available: Value| {
        let cash = json!({"object": "cash_balance", "available": available});
        let customer =
            json!({"id": "cus_1", "balance": 0, "currency": "usd", "cash_balance": cash});
        answer(200, &[], &customer.to_string())
    };
    let answers = vec![with(json!({"eur": 500})), with(Value::Null)];
    let (client, script) = scripted(answers).await;
    for expected in [true, false] {
        let customer = client.customer_state(&key, "cus_1").await;
        assert_eq!(customer.expect("a customer").has_cash_balance, expected);
    }
    let asked = script.lock().expect("the script").1[0].clone();
    assert_eq!(asked, "/v1/customers/cus_1?expand%5B%5D=cash_balance");
}

#[tokio::test]
async fn what_lists_and_objects_say_is_read_as_facts() {
    let key = key();
    let fake = with_customer().await;
    let (client, money) = (client(&fake), fake.money());
    let first = money.paid(&NewInvoice::new("cus_1", 2000, "usd").subscription("sub_1"));
    let second = money.paid(&NewInvoice::new("cus_1", 500, "usd").subscription("sub_1"));
    let refund = money.refund(first.charge(), 600);
    let dispute = money.dispute(first.charge(), 1400);
    let at = Micros::from_secs(5_000);
    let told = async |about| client.told_about(&key, about, at).await.expect("facts");
    let ids = |told: &Told| -> Vec<String> {
        let ids = told.facts.iter().map(|fact| fact.object_id().to_owned());
        ids.collect()
    };
    let refunds = told(About::RefundsOfCharge(first.charge())).await;
    assert_eq!(ids(&refunds), [&*refund, first.charge()]);
    assert!(matches!(refunds.facts[1], Fact::RefundsListed(_)));
    let none = told(About::RefundsOfCharge(second.charge())).await;
    assert_eq!(
        ids(&none),
        [second.charge()],
        "that there are none is told too"
    );
    let disputes = told(About::DisputesOfCharge(first.charge())).await;
    assert_eq!(ids(&disputes), [dispute]);
    let intent = first.payment_intent.as_deref().expect("an intent");
    let paid = told(About::InvoicePaymentsOfIntent(intent)).await;
    assert_eq!(ids(&paid), [first.invoice_payment.clone().expect("one")]);
    assert!(paid.links.iter().any(|link| link.to == first.invoice()));
    let invoices = told(About::InvoicesOfSubscription("sub_1")).await;
    let told_invoices = invoices.facts.iter().filter_map(|fact| match fact {
        Fact::Invoice(invoice) => Some((&*invoice.id, invoice.paid, invoice.at)),
        _ => None,
    });
    let expected = [(first.invoice(), 2000, at), (second.invoice(), 500, at)];
    assert_eq!(
        told_invoices.collect::<Vec<_>>(),
        expected,
        "the earliest first"
    );
    let charge = client.told_of(&key, One::Charge(first.charge()), at).await;
    let charge = charge.expect("facts");
    assert_eq!(charge.stripe_customers, ["cus_1"]);
    let invoice = client
        .told_of(&key, One::Invoice(first.invoice()), at)
        .await;
    let invoice = invoice.expect("facts");
    assert!(ids(&invoice).contains(&first.invoice_payment.expect("one")));
}
