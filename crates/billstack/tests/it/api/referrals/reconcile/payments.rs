//! What happened to payments that credits depend on, and no event tells any more, or ever did.

use std::time::Duration;

use billstack_core::time::{DAY, HOUR, MINUTE, SECOND};
use fake_stripe::{Collection, Generation, NewCreditNote, NewInvoice, OnVoid, Pay, Payment};
use serde_json::{Value, json};

use super::{over, run, start, stripe};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{Pair, pluck, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    what_no_event_tells_is_found_and_taken_in with stripe,
    a_dispute_and_its_end_are_found with stripe,
    an_inquiry_that_nothing_told_puts_the_release_off with stripe,
    a_payment_that_was_taken_off_and_an_invoice_that_was_opened_are_found with stripe,
    a_payment_that_was_never_told_is_found_with_what_was_lost_of_it with stripe,
    a_subscription_that_ended_unpaid_is_found with stripe,
    the_run_of_the_day_takes_them_in with stripe,
    what_takes_nothing_back_is_not_asked_about with stripe,
    of_many_conversions_a_sample_is_asked_about with stripe,
    a_run_that_was_left_goes_on_with_the_next_conversion with stripe,
    a_permission_that_is_missing_is_named with stripe,
}

/// A converted referral of a name, in a team that is connected with a key.
async fn converted(t: &Bench, name: &str, terms: Value) -> Pair {
    let pair = t.pair(name).await;
    let mut body =
        json!({"enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500});
    let members = terms.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(members);
    t.key.put("referrals/config", body).await.ok();
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    super::connect(t).await;
    pair
}

async fn always(t: &Bench, name: &str) -> Pair {
    converted(t, name, json!({"clawback": "always"})).await
}

fn invoice(pair: &Pair, amount: i64) -> NewInvoice {
    let subscription = pair.stripe.replace("cus_", "sub_");
    NewInvoice::new(&pair.stripe, amount, "usd").subscription(&subscription)
}

/// Pays the first invoice, and lets it be told.
async fn paid(t: &Bench, pair: &Pair) -> Payment {
    t.fake().clock().set(t.seconds());
    let paid = t.fake().money().paid(&invoice(pair, 2000));
    for event in t.fake().take_events(Generation::Endive) {
        t.accept(&event).await;
    }
    forget(t);
    paid
}

/// Whatever happened is not told, and not listed any more.
fn forget(t: &Bench) {
    t.fake().take_events(Generation::Endive);
    t.fake()
        .with_books(|books| books.events = Collection::default());
}

/// What is left of the credit of the referrer, held or not.
async fn left(t: &Bench, pair: &Pair) -> i64 {
    let path = format!("referrals/credits?customerId={}", pair.referrer);
    let credits = t.key.get(&path).await.ok();
    let amounts = &credits["credits"][0]["amounts"];
    let part = |name: &str| amounts[name].as_i64().expect("an amount");
    part("held") + part("available")
}

/// A run tells of these things, whatever order; whether they were taken in.
async fn tells(t: &Bench, body: Value, subjects: &[&str]) {
    forget(t);
    let run = run(t, body.clone()).await;
    let mut told = pluck(&run["lines"], "subject");
    told.sort();
    let mut subjects = subjects.to_vec();
    subjects.sort_unstable();
    assert_eq!(told, subjects, "{run}");
    for line in run["lines"].as_array().expect("lines") {
        assert_eq!(line["kind"], "event_missed");
        assert_eq!(line["isRepaired"], body["apply"] == true);
    }
}

/// A run tells of these things and changes nothing; one that may takes them in, and so much is left; then nothing
/// differs.
async fn finds(t: &Bench, pair: &Pair, subjects: &[&str], then: i64) {
    let before = left(t, pair).await;
    for _ in 0..2 {
        tells(t, json!({}), subjects).await;
        assert_eq!(left(t, pair).await, before);
    }
    tells(t, json!({"apply": true}), subjects).await;
    assert_eq!(left(t, pair).await, then);
    tells(t, json!({}), &[]).await;
    tells(t, json!({"apply": true, "all": true}), &[]).await;
    assert_eq!(left(t, pair).await, then);
}

async fn what_no_event_tells_is_found_and_taken_in(t: &Bench) {
    let pair = always(t, "a").await;
    let payment = paid(t, &pair).await;
    tells(t, json!({}), &[]).await;
    let money = t.fake().money();
    let first = money.refund(payment.charge(), 600);
    finds(t, &pair, &[&first], 700).await;
    let second = money.refund(payment.charge(), 200);
    let note = money.credit_note(payment.invoice(), &NewCreditNote::new().out_of_band(200));
    finds(t, &pair, &[&second, &note], 500).await;
    money.set_refund_status(&first, "failed");
    finds(t, &pair, &[&first], 800).await;
    money.void_credit_note(&note);
    finds(t, &pair, &[&note], 900).await;
    money.void(payment.invoice(), OnVoid::Return);
    finds(t, &pair, &[payment.invoice()], 0).await;
}

async fn a_dispute_and_its_end_are_found(t: &Bench) {
    let pair = always(t, "a").await;
    let payment = paid(t, &pair).await;
    let money = t.fake().money();
    let dispute = money.dispute(payment.charge(), 2000);
    finds(t, &pair, &[&dispute], 0).await;
    money.reinstate(&dispute, 500);
    money.close_dispute(&dispute, "lost");
    finds(t, &pair, &[&dispute], 250).await;
    money.reinstate(&dispute, 1500);
    money.close_dispute(&dispute, "won");
    finds(t, &pair, &[&dispute], 1000).await;
}

async fn an_inquiry_that_nothing_told_puts_the_release_off(t: &Bench) {
    let terms = json!({"clawback": "within_hold", "holdDays": 2});
    let pair = converted(t, "a", terms).await;
    let payment = paid(t, &pair).await;
    let inquiry = t.fake().money().inquiry(payment.charge(), 2000);
    finds(t, &pair, &[&inquiry], 1000).await;
    t.later(3 * DAY).await;
    t.fake().clock().set(t.seconds());
    let status = async || {
        let path = format!("referrals/credits?customerId={}", pair.referrer);
        text(&t.key.get(&path).await.ok()["credits"][0]["status"])
    };
    assert_eq!(status().await, "held");
    t.fake().money().close_dispute(&inquiry, "warning_closed");
    forget(t);
    let run = run(t, json!({"apply": true})).await;
    // The server compares once a day by itself, and may have come first.
    let told = pluck(&run["lines"], "subject");
    assert!(told.iter().all(|one| *one == inquiry), "{run}");
    for _ in 0..400 {
        if status().await == "granted" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(status().await, "granted");
}

async fn a_payment_that_was_taken_off_and_an_invoice_that_was_opened_are_found(t: &Bench) {
    let pair = always(t, "a").await;
    let payment = paid(t, &pair).await;
    let money = t.fake().money();
    t.advance(MINUTE);
    t.fake().clock().set(t.seconds());
    money.detach(&payment);
    let id = payment.invoice_payment.as_deref().expect("an id");
    finds(t, &pair, &[payment.invoice(), id], 0).await;
    t.advance(MINUTE);
    t.fake().clock().set(t.seconds());
    let again = money.pay_with(payment.invoice(), &Pay::card(2000));
    let paid_by = again.invoice_payment.as_deref().expect("an id");
    finds(t, &pair, &[payment.invoice(), paid_by], 1000).await;
    t.advance(MINUTE);
    t.fake().clock().set(t.seconds());
    money.reopen(payment.invoice());
    finds(t, &pair, &[payment.invoice()], 0).await;
}

async fn a_payment_that_was_never_told_is_found_with_what_was_lost_of_it(t: &Bench) {
    let pair = always(t, "a").await;
    let money = t.fake().money();
    let bill = money.invoice(&invoice(&pair, 3000));
    money.finalize(&bill);
    // Half of the charge paid something else.
    let first = money.pay_with(&bill, &Pay::card(1000).captured(2000));
    let second = money.pay_with(&bill, &Pay::charge_only(2000));
    let refund = money.refund(first.charge(), 1000);
    forget(t);
    let ids = [&first, &second].map(|one| one.invoice_payment.as_deref().expect("an id"));
    finds(t, &pair, &[&bill, ids[0], ids[1], &refund], 834).await;
}

async fn a_subscription_that_ended_unpaid_is_found(t: &Bench) {
    let terms = json!({"clawback": "within_hold", "holdDays": 2});
    let pair = converted(t, "a", terms).await;
    t.advance(HOUR);
    t.fake().clock().set(t.seconds());
    t.fake().with_books(|books| {
        let ended = json!({
            "id": "sub_a", "object": "subscription", "customer": "cus_a", "created": t.seconds() - 3600,
            "status": "canceled", "ended_at": t.seconds() - 60,
        });
        books.subscriptions.put(ended);
    });
    finds(t, &pair, &["sub_a"], 0).await;
}

async fn the_run_of_the_day_takes_them_in(t: &Bench) {
    let pair = always(t, "a").await;
    let payment = paid(t, &pair).await;
    t.fake().money().refund(payment.charge(), 600);
    forget(t);
    t.later(DAY + HOUR).await;
    t.fake().clock().set(t.seconds());
    for _ in 0..400 {
        if left(t, &pair).await == 700 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(left(t, &pair).await, 700);
    tells(t, json!({}), &[]).await;
}

/// The paths that Stripe was asked about payments since the last time.
fn asked(t: &Bench) -> Vec<String> {
    let asked = t.fake().requests();
    t.fake().clear_requests();
    let paths = asked.into_iter().map(|request| request.path);
    let is_about_payments = |path: &String| path != "/v1/events" && !path.starts_with("/v1/acc");
    paths.filter(is_about_payments).collect()
}

async fn what_takes_nothing_back_is_not_asked_about(t: &Bench) {
    let none = converted(t, "a", json!({"clawback": "none"})).await;
    paid(t, &none).await;
    asked(t);
    tells(t, json!({"all": true}), &[]).await;
    assert_eq!(asked(t), [""; 0]);
    let window = json!({"clawback": "always", "clawbackWindowDays": 5});
    let pair = converted(t, "b", window).await;
    let payment = paid(t, &pair).await;
    asked(t);
    tells(t, json!({"all": true}), &[]).await;
    assert_eq!(asked(t).len(), 5, "of one conversion");
    t.later(8 * DAY).await;
    super::connect(t).await;
    t.fake().money().refund(payment.charge(), 600);
    asked(t);
    tells(t, json!({"all": true, "apply": true}), &[]).await;
    assert_eq!(asked(t), [""; 0]);
    assert_eq!(left(t, &pair).await, 1000);
}

async fn of_many_conversions_a_sample_is_asked_about(t: &Bench) {
    for number in 0..130 {
        always(t, &format!("n{number}")).await;
    }
    forget(t);
    asked(t);
    let some = run(t, json!({})).await;
    assert_eq!(some["found"], 0);
    let of_sample = asked(t);
    let subscriptions = |paths: &[String]| {
        let is_one = |path: &&String| path.starts_with("/v1/subscriptions/");
        paths.iter().filter(is_one).count()
    };
    let count = subscriptions(&of_sample);
    assert!((100..130).contains(&count), "{count}");
    run(t, json!({"all": true})).await;
    assert_eq!(subscriptions(&asked(t)), 130);
}

async fn a_run_that_was_left_goes_on_with_the_next_conversion(t: &Bench) {
    let mut refunds = Vec::new();
    for name in ["a", "b", "c"] {
        let pair = always(t, name).await;
        let payment = paid(t, &pair).await;
        refunds.push(t.fake().money().refund(payment.charge(), 600));
        forget(t);
    }
    // It comes to the second one, and there Stripe is silent.
    let of_disputes = fake_stripe::Injection::new(fake_stripe::Fault::Status(500));
    t.fake()
        .inject(of_disputes.path("/v1/disputes").skip(1).times(1));
    let id = start(t, json!({"apply": true})).await;
    for _ in 0..60 {
        // Not so often that a write is late each time.
        tokio::time::sleep(Duration::from_secs(1)).await;
        t.advance(15 * SECOND);
        let run = t.key.get(&format!("{}/{id}", super::PATH)).await.ok();
        if !run["run"]["endedAt"].is_null() {
            break;
        }
    }
    let run = over(t, &id).await;
    let how = (&run["status"], &run["found"]);
    assert_eq!(how, (&json!("done"), &json!(3)), "{run}");
    refunds.sort();
    let mut told = pluck(&run["lines"], "subject");
    told.sort();
    assert_eq!(told, refunds, "each once");
}

async fn a_permission_that_is_missing_is_named(t: &Bench) {
    let pair = always(t, "a").await;
    let payment = paid(t, &pair).await;
    let refund = t.fake().money().refund(payment.charge(), 600);
    forget(t);
    let body = json!({"secretKey": "rk_test_1", "webhookSecret": SECRET});
    t.connect_with(body).await;
    let may = ["event", "customer", "invoice", "charge", "dispute"]
        .map(|part| format!("rak_{part}_read"));
    let may: Vec<&str> = may.iter().map(String::as_str).collect();
    t.fake().restrict("rk_test_1", &may);
    let failed = over(t, &start(t, json!({"apply": true})).await).await;
    assert_eq!(failed["status"], "failed");
    let why = text(&failed["reason"]);
    assert!(why.contains("rak_credit_note_read"), "{why}");
    assert_eq!(left(t, &pair).await, 1000);
    super::connect(t).await;
    finds(t, &pair, &[&refund], 700).await;
}
