//! What Stripe's events do not tell, and it tells when it is asked with a secret key.

use std::time::Duration;

use billstack_core::time::{DAY, HOUR, MINUTE};
use fake_stripe::{Fault, Generation, Injection, NewInvoice, Pay, Payment};
use serde_json::{Value, json};

use super::{always, terms};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{Pair, text};
use crate::support::stripe::SECRET;

on_both_engines! {
    a_refund_finds_its_invoice_in_every_shape with stripe,
    a_dispute_finds_its_invoice_in_every_shape with stripe,
    a_charge_without_a_payment_intent_is_found with stripe,
    one_of_two_payments_is_found with stripe,
    a_key_that_is_connected_later_is_asked with stripe,
    the_list_of_refunds_replaces_totals with stripe,
    a_refund_after_the_list_counts with stripe,
    the_first_invoice_counts_though_it_was_never_told with stripe,
    a_payment_of_no_invoice_goes_on_waiting with stripe,
    silence_holds_no_event_up with stripe,
    a_key_that_may_not_read_waits_for_one_that_may with stripe,
    a_reference_counts_for_a_known_invoice_alone with stripe,
}

/// The shapes in which an account may hear of payments.
const SHAPES: [Generation; 7] = [
    Generation::V2020,
    Generation::V2022November,
    Generation::Acacia,
    Generation::Basil,
    Generation::BasilMay,
    Generation::Dahlia,
    Generation::Endive,
];

/// What tells of losses, and of nothing else.
const LOSSES: [&str; 9] = [
    "charge.refunded",
    "charge.refund.updated",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "charge.dispute.closed",
];

pub(super) fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

/// Connects with this key, and lets Stripe have the time of the servers.
pub(super) async fn connect(t: &Bench, key: &str) {
    t.connect_with(json!({"secretKey": key, "webhookSecret": SECRET}))
        .await;
    t.fake().clock().set(t.seconds());
}

/// A converted referral of a name, in a team that is connected with a key.
async fn converted(t: &Bench, name: &str) -> Pair {
    let pair = t.pair(name).await;
    terms(t, always()).await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    connect(t, "sk_test_1").await;
    pair
}

/// The first invoice of the pair's subscription.
fn invoice(pair: &Pair, amount: i64) -> NewInvoice {
    let subscription = pair.stripe.replace("cus_", "sub_");
    NewInvoice::new(&pair.stripe, amount, "usd").subscription(&subscription)
}

/// Delivers what happened since last, as far as it is of these types. Returns what was delivered.
async fn tell(t: &Bench, shape: Generation, kinds: &[&str]) -> Vec<Value> {
    let mut told = t.fake().take_events(shape);
    told.retain(|event| kinds.contains(&event["type"].as_str().expect("a type")));
    t.tell(&told).await;
    told
}

/// What is left of the only credit of the referrer.
async fn left_of(t: &Bench, pair: &Pair) -> i64 {
    let path = format!("referrals/credits?customerId={}", pair.referrer);
    let credits = t.key.get(&path).await.ok();
    let amounts = &credits["credits"][0]["amounts"];
    amounts["available"].as_i64().expect("an amount")
}

/// Waits until so much is left.
#[track_caller]
fn becomes<'t>(t: &'t Bench, pair: &'t Pair, left: i64) -> impl Future<Output = ()> + 't {
    let caller = std::panic::Location::caller();
    async move {
        for _ in 0..400 {
            if left_of(t, pair).await == left {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!(
            "{caller}: {} and not {left} is left",
            left_of(t, pair).await
        );
    }
}

/// Waits until every question is settled that is due.
async fn settled() {
    tokio::time::sleep(Duration::from_millis(1_500)).await;
}

async fn a_refund_finds_its_invoice_in_every_shape(t: &Bench) {
    for (number, shape) in SHAPES.into_iter().enumerate() {
        let pair = converted(t, &format!("r{number}")).await;
        let paid = t.fake().money().paid(&invoice(&pair, 2000));
        t.fake().money().refund(paid.charge(), 600);
        let told = tell(t, shape, &LOSSES).await;
        assert!(!told.is_empty(), "{shape:?}");
        becomes(t, &pair, 700).await;
        for event in &told {
            t.becomes(event, "recorded").await;
        }
        // What the webhooks tell after all changes nothing.
        t.tell(&told).await;
        t.fake().money().refund(paid.charge(), 1400);
        tell(t, shape, &LOSSES).await;
        becomes(t, &pair, 0).await;
    }
}

/// It names neither customer nor invoice in any shape.
async fn a_dispute_finds_its_invoice_in_every_shape(t: &Bench) {
    for (number, shape) in SHAPES.into_iter().enumerate() {
        let pair = converted(t, &format!("d{number}")).await;
        let money = t.fake().money();
        let paid = money.paid(&invoice(&pair, 2000));
        let dispute = money.dispute(paid.charge(), 2000);
        let told = tell(t, shape, &LOSSES).await;
        assert!(told.iter().all(|event| {
            let object = &event["data"]["object"];
            object["customer"].is_null() && object["invoice"].is_null()
        }));
        becomes(t, &pair, 0).await;
        money.reinstate(&dispute, 500);
        money.close_dispute(&dispute, "lost");
        tell(t, shape, &LOSSES).await;
        becomes(t, &pair, 250).await;
        money.reinstate(&dispute, 1500);
        money.close_dispute(&dispute, "won");
        tell(t, shape, &LOSSES).await;
        becomes(t, &pair, 1000).await;
    }
}

async fn a_charge_without_a_payment_intent_is_found(t: &Bench) {
    for shape in [
        Generation::V2022November,
        Generation::Basil,
        Generation::Endive,
    ] {
        let pair = converted(t, &format!("c{shape:?}").to_lowercase()).await;
        let money = t.fake().money();
        // Another payment of the same customer, and a part that was paid elsewhere.
        money.charge(&pair.stripe, 500, "usd");
        let bill = money.invoice(&invoice(&pair, 2000));
        money.finalize(&bill);
        money.pay_with(&bill, &Pay::record(500));
        let paid = money.pay_with(&bill, &Pay::charge_only(1500));
        assert_eq!(paid.payment_intent, None);
        money.refund(paid.charge(), 1500);
        tell(t, shape, &LOSSES).await;
        becomes(t, &pair, 250).await;
    }
}

async fn one_of_two_payments_is_found(t: &Bench) {
    for shape in [Generation::Basil, Generation::BasilMay, Generation::Endive] {
        let pair = converted(t, &format!("t{shape:?}").to_lowercase()).await;
        let money = t.fake().money();
        let bill = money.invoice(&invoice(&pair, 3000));
        money.finalize(&bill);
        let first = money.pay_with(&bill, &Pay::card(1000));
        money.pay_with(&bill, &Pay::card(2000));
        money.refund(first.charge(), 500);
        tell(t, shape, &LOSSES).await;
        becomes(t, &pair, 834).await;
        assert_eq!(left_of(t, &pair).await, 834);
    }
}

async fn a_key_that_is_connected_later_is_asked(t: &Bench) {
    let pair = converted(t, "a").await;
    t.connect().await;
    let money = t.fake().money();
    let paid = money.paid(&invoice(&pair, 2000));
    money.refund(paid.charge(), 600);
    t.fake().clear_requests();
    let told = tell(t, Generation::Basil, &LOSSES).await;
    settled().await;
    t.later(3 * DAY).await;
    settled().await;
    assert!(t.fake().requests().is_empty(), "nobody can be asked");
    for event in &told {
        assert_eq!(t.outcome(event).await, "waiting");
        assert_eq!(t.reason_of(event).await, "payment_unlinked");
    }
    assert_eq!(left_of(t, &pair).await, 1000);
    connect(t, "sk_test_1").await;
    becomes(t, &pair, 700).await;
    for event in &told {
        t.becomes(event, "recorded").await;
    }
}

/// Totals tell of two refunds, and nobody tells that one of them failed.
async fn the_list_of_refunds_replaces_totals(t: &Bench) {
    let pair = converted(t, "a").await;
    let money = t.fake().money();
    let paid = money.paid(&invoice(&pair, 2000));
    money.refund(paid.charge(), 300);
    let second = money.refund(paid.charge(), 500);
    let told = t.fake().take_events(Generation::V2022November);
    money.set_refund_status(&second, "failed");
    t.fake().take_events(Generation::V2022November);
    let totals: Vec<Value> = told
        .into_iter()
        .filter(|event| event["type"] == "charge.refunded")
        .collect();
    assert_eq!(totals.len(), 2);
    t.tell(&totals).await;
    becomes(t, &pair, 850).await;
    // Told again and in whatever order, it is the same.
    t.tell(&[totals[1].clone(), totals[0].clone()]).await;
    settled().await;
    assert_eq!(left_of(t, &pair).await, 850);
}

async fn a_refund_after_the_list_counts(t: &Bench) {
    let pair = converted(t, "a").await;
    let money = t.fake().money();
    let paid = money.paid(&invoice(&pair, 2000));
    money.refund(paid.charge(), 300);
    tell(t, Generation::V2022November, &["charge.refunded"]).await;
    becomes(t, &pair, 850).await;
    t.advance(MINUTE);
    settled().await;
    // From now on there is no key, and the list is what it was.
    t.connect().await;
    t.advance(DAY);
    t.fake().clock().set(t.seconds());
    let late = money.refund(paid.charge(), 500);
    let told = t.fake().take_events(Generation::V2022November);
    let total = told.iter().find(|event| event["type"] == "charge.refunded");
    t.accept(total.expect("a total")).await;
    assert_eq!(left_of(t, &pair).await, 600);
    // The same one with its id is no other.
    money.set_refund_status(&late, "pending");
    tell(t, Generation::Acacia, &LOSSES).await;
    assert_eq!(left_of(t, &pair).await, 600);
    money.set_refund_status(&late, "failed");
    tell(t, Generation::V2022November, &LOSSES).await;
    assert_eq!(left_of(t, &pair).await, 850);
}

async fn the_first_invoice_counts_though_it_was_never_told(t: &Bench) {
    let pair = converted(t, "a").await;
    let money = t.fake().money();
    let first = money.paid(&invoice(&pair, 2000));
    t.advance(HOUR);
    t.fake().clock().set(t.seconds());
    let next = invoice(&pair, 1000).billing_reason("subscription_cycle");
    let second = money.paid(&next);
    money.refund(second.charge(), 1000);
    let told = tell(t, Generation::Basil, &["charge.refunded"]).await;
    t.becomes(&told[0], "recorded").await;
    settled().await;
    assert_eq!(left_of(t, &pair).await, 1000);
    money.refund(first.charge(), 600);
    tell(t, Generation::Basil, &["charge.refunded"]).await;
    becomes(t, &pair, 700).await;
}

/// How often Stripe was asked since the last time.
fn asked(t: &Bench) -> Vec<String> {
    let asked = t.fake().requests();
    t.fake().clear_requests();
    let asked = asked.iter().filter(|request| request.method == "GET");
    let paths: Vec<String> = asked.map(|request| request.path.clone()).collect();
    let of_money = |path: &String| !path.starts_with("/v1/account");
    paths.into_iter().filter(of_money).collect()
}

async fn a_payment_of_no_invoice_goes_on_waiting(t: &Bench) {
    let pair = converted(t, "a").await;
    let money = t.fake().money();
    let paid: Payment = money.charge(&pair.stripe, 500, "usd");
    money.refund(paid.charge(), 500);
    settled().await;
    asked(t);
    let told = tell(t, Generation::Endive, &["refund.created"]).await;
    settled().await;
    assert_eq!(t.outcome(&told[0]).await, "waiting");
    assert_eq!(t.reason_of(&told[0]).await, "payment_unlinked");
    assert_eq!(asked(t), ["/v1/invoice_payments"]);
    t.advance(20 * HOUR);
    settled().await;
    let again = asked(t);
    let is_about_it = |path: &String| path == "/v1/invoice_payments";
    assert!(!again.iter().any(is_about_it), "Stripe has said it");
    assert_eq!(left_of(t, &pair).await, 1000);
}

async fn silence_holds_no_event_up(t: &Bench) {
    let pair = converted(t, "a").await;
    let money = t.fake().money();
    let paid = money.paid(&invoice(&pair, 2000));
    for (number, injection) in [
        Injection::new(Fault::Status(429)).header("stripe-rate-limited-reason", "endpoint-rate"),
        Injection::new(Fault::Status(500)),
        Injection::new(Fault::Status(401)),
        Injection::new(Fault::Hang(Duration::from_secs(30))),
    ]
    .into_iter()
    .enumerate()
    {
        t.fake().inject(injection.times(2));
        money.refund(paid.charge(), 100);
        let begin = std::time::Instant::now();
        tell(t, Generation::Basil, &["charge.refunded"]).await;
        t.accept(&t.created("cus_other")).await;
        assert!(begin.elapsed() < Duration::from_secs(5), "{number}");
        settled().await;
        t.fake().clear_faults();
        t.fake().set_down(true);
        t.fake().set_down(false);
        t.advance(11 * MINUTE);
        t.fake().clock().set(t.seconds());
        becomes(t, &pair, 950 - 50 * i64::try_from(number).expect("small")).await;
    }
}

async fn a_key_that_may_not_read_waits_for_one_that_may(t: &Bench) {
    let pair = converted(t, "a").await;
    t.fake()
        .restrict("rk_test_1", &["rak_charge_read", "rak_payment_intent_read"]);
    connect(t, "rk_test_1").await;
    let money = t.fake().money();
    let paid = money.paid(&invoice(&pair, 2000));
    money.refund(paid.charge(), 600);
    let told = tell(t, Generation::Basil, &["charge.refunded"]).await;
    settled().await;
    // The payment intent names an invoice by its reference, and nobody knows whose that is.
    assert_eq!(t.outcome(&told[0]).await, "waiting");
    assert_eq!(left_of(t, &pair).await, 1000);
    connect(t, "sk_test_2").await;
    becomes(t, &pair, 700).await;
}

async fn a_reference_counts_for_a_known_invoice_alone(t: &Bench) {
    let pair = converted(t, "a").await;
    let other = t.pair("b").await;
    t.fake()
        .restrict("rk_test_1", &["rak_charge_read", "rak_payment_intent_read"]);
    connect(t, "rk_test_1").await;
    let money = t.fake().money();
    let paid = money.paid(&invoice(&pair, 2000));
    tell(t, Generation::Basil, &["invoice.paid"]).await;
    // What somebody else paid names the same invoice.
    let foreign = money.charge(&other.stripe, 2000, "usd");
    let intent = foreign.payment_intent.clone().expect("an intent");
    t.fake().with_books(|books| {
        let intent = books.payment_intents.get_mut(&intent).expect("it is there");
        intent["payment_details"]["order_reference"] = json!(paid.invoice());
    });
    money.refund(foreign.charge(), 2000);
    let told = tell(t, Generation::Basil, &["charge.refunded"]).await;
    settled().await;
    assert_eq!(text(&json!(t.outcome(&told[0]).await)), "waiting");
    assert_eq!(left_of(t, &pair).await, 1000);
    money.refund(paid.charge(), 600);
    tell(t, Generation::Basil, &["charge.refunded"]).await;
    becomes(t, &pair, 700).await;
}
