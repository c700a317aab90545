//! Which events convert a referral, in which order, and what stays as it was promised.

use billstack_core::time::{DAY, HOUR, SECOND};
use fake_stripe::{CheckoutSession, EventOptions, Subscription};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{Pair, apply_body, text};

on_both_engines! {
    a_new_subscription_converts,
    a_session_counts_by_its_mode_and_payment,
    a_subscription_counts_by_its_status,
    an_incomplete_subscription_waits_for_its_update,
    an_unpaid_session_waits_for_its_payment,
    an_update_of_an_old_subscription_never_pays,
    what_began_a_day_before_the_apply_still_counts,
    an_event_before_the_apply_converts_at_once,
    an_old_subscription_makes_no_new_customer,
    one_moved_in_from_elsewhere_is_as_old_as_it_says,
    a_page_that_was_open_for_long_makes_no_old_customer,
    what_converts_is_found_among_much_that_does_not,
    the_same_event_twice_is_one_conversion,
    every_order_and_number_is_one_conversion,
    it_converts_at_the_time_of_the_event_but_not_before_its_creation,
    a_program_that_is_off_honours_what_was_promised,
    a_code_that_is_off_honours_what_was_promised,
    credits_are_those_that_were_promised,
    other_events_change_nothing,
}

const CREATED: &str = "customer.subscription.created";
const UPDATED: &str = "customer.subscription.updated";

async fn a_new_subscription_converts(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let converted = t.referral(&referral).await;
    assert_eq!(converted["status"], "converted");
    assert!(converted["convertedAt"].is_string());
    assert_eq!(t.outcome(&event).await, "converted");
    let code = t
        .key
        .get(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();
    assert_eq!(code["referrals"][0]["status"], "converted");
    assert_eq!(
        code["referrals"][0]["convertedAt"],
        converted["convertedAt"]
    );
}

async fn a_session_counts_by_its_mode_and_payment(t: &Bench) {
    for (number, (mode, payment, expected)) in [
        ("subscription", "paid", "converted"),
        ("subscription", "no_payment_required", "converted"),
        ("subscription", "unpaid", "waiting"),
        ("subscription", "something_new", "waiting"),
        ("payment", "paid", "ignored"),
        ("payment", "no_payment_required", "ignored"),
        ("setup", "no_payment_required", "ignored"),
        ("something_new", "paid", "ignored"),
    ]
    .into_iter()
    .enumerate()
    {
        let (pair, referral) = t.pending(&format!("s{number}")).await;
        let session = t.session(&pair.stripe).mode(mode).payment_status(payment);
        let event = t.event("checkout.session.completed", &session);
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, expected, "{mode} {payment}");
        let converts = expected == "converted";
        let status = if converts { "converted" } else { "pending" };
        assert_eq!(t.status(&referral).await, status, "{mode} {payment}");
    }
}

async fn a_subscription_counts_by_its_status(t: &Bench) {
    for (status, expected) in [
        ("active", "converted"),
        ("trialing", "converted"),
        ("incomplete", "waiting"),
        ("something_new", "waiting"),
        ("past_due", "ignored"),
        ("unpaid", "ignored"),
        ("paused", "ignored"),
        ("canceled", "ignored"),
        ("incomplete_expired", "ignored"),
    ] {
        for kind in [CREATED, UPDATED] {
            let name = format!("{status}_{}", &kind[22..]);
            let (pair, referral) = t.pending(&name).await;
            let subscription = t.subscription(&pair.stripe).status(status);
            let event = t.event(kind, &subscription);
            t.accept(&event).await;
            assert_eq!(t.outcome(&event).await, expected, "{kind} {status}");
            let converts = expected == "converted";
            let now = if converts { "converted" } else { "pending" };
            assert_eq!(t.status(&referral).await, now, "{kind} {status}");
        }
    }
}

async fn an_incomplete_subscription_waits_for_its_update(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let subscription = t.subscription(&pair.stripe);
    let incomplete = subscription.clone().status("incomplete");
    t.accept(&t.event(CREATED, &incomplete)).await;
    assert_eq!(t.status(&referral).await, "pending");
    t.later(20 * HOUR).await;
    t.accept(&t.event(UPDATED, &subscription)).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
    // And the other way round: the late news that it was incomplete takes nothing back.
    let (pair, referral) = t.pending("b").await;
    let subscription = t.subscription(&pair.stripe);
    t.accept(&t.event(UPDATED, &subscription)).await;
    t.accept(&t.event(CREATED, &subscription.status("incomplete")))
        .await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn an_unpaid_session_waits_for_its_payment(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let session = t.session(&pair.stripe);
    let unpaid = session.clone().payment_status("unpaid");
    t.accept(&t.event("checkout.session.completed", &unpaid))
        .await;
    t.later(5 * DAY).await;
    let event = t.event("checkout.session.async_payment_succeeded", &session);
    t.accept(&event).await;
    assert_eq!(t.status(&referral).await, "converted");
    let (pair, referral) = t.pending("b").await;
    let unpaid = t.session(&pair.stripe).payment_status("unpaid");
    let failed = t.event("checkout.session.async_payment_failed", &unpaid);
    t.accept(&failed).await;
    assert_eq!(t.status(&referral).await, "pending");
}

async fn an_update_of_an_old_subscription_never_pays(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let began = t.seconds() - 25 * 3600;
    for status in ["active", "trialing"] {
        let old = t.subscription(&pair.stripe).created(began).status(status);
        let event = t.event(UPDATED, &old);
        t.accept(&event).await;
        assert_ne!(t.outcome(&event).await, "converted");
        assert_eq!(t.status(&referral).await, "pending");
    }
    let answer = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    assert_eq!(answer["events"][1]["facts"]["reason"], "began too early");
    // One that begins afterwards does.
    let fresh = Subscription::new("sub_fresh", pair.stripe.as_str()).created(t.seconds());
    t.accept(&t.event(CREATED, &fresh)).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn what_began_a_day_before_the_apply_still_counts(t: &Bench) {
    for (name, age, converts) in [
        ("just", 24 * 3600 - 5, true),
        ("over", 24 * 3600 + 5, false),
    ] {
        let (pair, referral) = t.pending(name).await;
        let subscription = t.subscription(&pair.stripe).created(t.seconds() - age);
        t.accept(&t.event(UPDATED, &subscription)).await;
        let status = if converts { "converted" } else { "pending" };
        assert_eq!(t.status(&referral).await, status, "{name}");
    }
}

async fn an_event_before_the_apply_converts_at_once(t: &Bench) {
    for kind in ["session", "subscription"] {
        let pair = t.pair(kind).await;
        let event = match kind {
            "session" => t.completed(&pair.stripe),
            _ => t.created(&pair.stripe),
        };
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "no_referral");
        t.later(23 * HOUR).await;
        let referral = t.apply(&pair).await;
        assert_eq!(referral["status"], "converted", "{kind}");
        assert_eq!(referral["convertedAt"], referral["createdAt"]);
        assert_eq!(t.outcome(&event).await, "converted");
    }
    assert_eq!(t.credits().await.len(), 4);
}

async fn an_old_subscription_makes_no_new_customer(t: &Bench) {
    for (name, event) in [
        ("live", "active"),
        ("ended", "canceled"),
        ("late", "past_due"),
    ] {
        let pair = t.pair(name).await;
        let subscription = t.subscription(&pair.stripe).status(event);
        t.accept(&t.event(CREATED, &subscription)).await;
        t.later(24 * HOUR + SECOND).await;
        let answer = t
            .key
            .post("referrals/apply", apply_body(&pair.code, &pair.referee));
        let answer = answer.await;
        assert_eq!(answer.status, 409, "{name}");
        answer.refused("not_a_new_customer");
    }
    // What never became a subscription says nothing.
    let pair = t.pair("never").await;
    let subscription = t.subscription(&pair.stripe).status("incomplete_expired");
    t.accept(&t.event(UPDATED, &subscription)).await;
    let payment = t.session(&pair.stripe).mode("payment");
    t.accept(&t.event("checkout.session.completed", &payment))
        .await;
    t.later(48 * HOUR).await;
    assert_eq!(t.apply(&pair).await["status"], "pending");
}

async fn one_moved_in_from_elsewhere_is_as_old_as_it_says(t: &Bench) {
    let moved_in = |pair: &Pair| {
        let subscription = t.subscription(&pair.stripe);
        let subscription = subscription.start_date(t.seconds() - 2 * 365 * 24 * 3600);
        t.event(CREATED, &subscription)
    };
    let (pair, referral) = t.pending("a").await;
    t.accept(&moved_in(&pair)).await;
    assert_eq!(t.status(&referral).await, "pending");
    let pair = t.pair("b").await;
    t.accept(&moved_in(&pair)).await;
    let body = apply_body(&pair.code, &pair.referee);
    let answer = t.key.post("referrals/apply", body).await;
    answer.refused("not_a_new_customer");
    // One that is to begin later is as old as the subscription itself.
    let (pair, referral) = t.pending("c").await;
    let subscription = t.subscription(&pair.stripe);
    let subscription = subscription.start_date(t.seconds() + 3600);
    t.accept(&t.event(CREATED, &subscription)).await;
    assert_eq!(t.status(&referral).await, "converted");
}

async fn a_page_that_was_open_for_long_makes_no_old_customer(t: &Bench) {
    let pair = t.pair("a").await;
    let hours_ago = |hours: i64| t.seconds() - hours * 3600;
    let session = t.session(&pair.stripe).created(hours_ago(25));
    t.accept(&t.event("checkout.session.completed", &session))
        .await;
    let subscription = t.subscription(&pair.stripe).created(hours_ago(1));
    t.accept(&t.event(CREATED, &subscription)).await;
    assert_eq!(t.apply(&pair).await["status"], "converted");
    // A session that was completed that long ago does.
    let pair = t.pair("b").await;
    t.accept(&t.completed(&pair.stripe)).await;
    t.later(25 * HOUR).await;
    let body = apply_body(&pair.code, &pair.referee);
    let answer = t.key.post("referrals/apply", body).await;
    answer.refused("not_a_new_customer");
}

async fn what_converts_is_found_among_much_that_does_not(t: &Bench) {
    let pair = t.pair("a").await;
    for number in 0..101 {
        let session = CheckoutSession::new(&format!("cs_{number}"), pair.stripe.as_str());
        let session = session.created(t.seconds() - 3600 + number);
        t.accept(&t.event("checkout.session.expired", &session))
            .await;
    }
    t.subscribe(&pair).await;
    assert_eq!(t.apply(&pair).await["status"], "converted");
}

async fn the_same_event_twice_is_one_conversion(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let before = t.dump().await;
    for _ in 0..3 {
        t.advance(SECOND);
        t.accept(&event).await;
    }
    assert_eq!(t.dump().await, before);
    assert_eq!(t.status(&referral).await, "converted");
}

/// The events of one purchase, as Stripe sends them.
fn purchase(t: &Bench, pair: &Pair) -> Vec<Value> {
    let (session, subscription) = (t.session(&pair.stripe), t.subscription(&pair.stripe));
    vec![
        t.event(CREATED, &subscription.clone().status("incomplete")),
        t.event(UPDATED, &subscription),
        t.event("checkout.session.completed", &session),
        t.event("checkout.session.async_payment_succeeded", &session),
    ]
}

/// Every order of so many things.
fn orders(number: usize) -> Vec<Vec<usize>> {
    if number == 0 {
        return vec![vec![]];
    }
    let shorter = orders(number - 1);
    let longer = shorter.into_iter().flat_map(|order| {
        (0..number).map(move |at| {
            let mut order = order.clone();
            order.insert(at, number - 1);
            order
        })
    });
    longer.collect()
}

/// Four events and the apply itself, in each of their orders, each event twice.
async fn every_order_and_number_is_one_conversion(t: &Bench) {
    t.program(1000, 500).await;
    t.connect().await;
    let code = t.code(&t.customer("referrer").await).await;
    let orders = orders(5);
    assert_eq!(orders.len(), 120);
    for (number, four) in orders.chunks(4).enumerate() {
        let [a, b, c, d] = four else {
            unreachable!("120 is a multiple of 4");
        };
        // They concern different people, so they can be played beside each other.
        let play = |side: &'static str, order| play(t, &code, format!("{side}{number}"), order);
        tokio::join!(play("a", a), play("b", b), play("c", c), play("d", d));
    }
}

async fn play(t: &Bench, code: &str, name: String, order: &[usize]) {
    let stripe = format!("cus_{name}");
    let pair = Pair {
        referee: t.linked(&name, &stripe).await,
        referrer: String::new(),
        code: code.to_owned(),
        stripe,
    };
    let events = purchase(t, &pair);
    let mut referral = String::new();
    for step in order {
        if *step == events.len() {
            referral = text(&t.apply(&pair).await["id"]);
            continue;
        }
        t.accept(&events[*step]).await;
        t.accept(&events[*step]).await;
    }
    assert_eq!(t.status(&referral).await, "converted", "{order:?}");
    let path = format!("referrals/credits?referralId={referral}");
    let credits = t.key.get(&path).await.ok();
    assert_eq!(
        credits["credits"].as_array().map(Vec::len),
        Some(2),
        "{order:?}"
    );
}

async fn it_converts_at_the_time_of_the_event_but_not_before_its_creation(t: &Bench) {
    let (pair, referral) = t.pending("late").await;
    let happened = t.seconds() + 60;
    let options = EventOptions::at(happened);
    let event = fake_stripe::event(CREATED, &t.subscription(&pair.stripe), &options);
    t.advance(2 * HOUR);
    t.accept(&event).await;
    let converted = t.referral(&referral).await;
    assert_eq!(converted["convertedAt"], "2026-03-30T12:01:00.000Z");

    let (pair, referral) = t.pending("early").await;
    let options = EventOptions::at(t.seconds() - 3600);
    let event = fake_stripe::event(CREATED, &t.subscription(&pair.stripe), &options);
    t.accept(&event).await;
    let converted = t.referral(&referral).await;
    assert_eq!(converted["convertedAt"], converted["createdAt"]);
}

async fn a_program_that_is_off_honours_what_was_promised(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.put_program(&t.key, false, 0, 0).await;
    t.subscribe(&pair).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn a_code_that_is_off_honours_what_was_promised(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.key
        .delete(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();
    t.subscribe(&pair).await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn credits_are_those_that_were_promised(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    let body = json!({
        "enabled": true, "referrerCreditAmount": 7, "refereeCreditAmount": 8, "currency": "eur",
    });
    t.key.put("referrals/config", body).await.ok();
    t.subscribe(&pair).await;
    let mut amounts: Vec<_> = t
        .credits()
        .await
        .iter()
        .map(|credit| (credit["amount"].as_i64(), text(&credit["currency"])))
        .collect();
    amounts.sort();
    let usd = || "usd".to_owned();
    assert_eq!(amounts, [(Some(500), usd()), (Some(1000), usd())]);
}

async fn other_events_change_nothing(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let subscription = t.subscription(&pair.stripe);
    for kind in [
        "customer.created",
        "customer.updated",
        "invoice.paid",
        "payment_intent.succeeded",
        "charge.succeeded",
        "customer.subscription.trial_will_end",
        "customer.subscription.deleted",
        "checkout.session.expired",
        "checkout.session.async_payment_failed",
        "something.nobody.heard.of",
    ] {
        let event = t.event(kind, &subscription);
        t.accept(&event).await;
        assert_eq!(t.outcome(&event).await, "ignored", "{kind}");
        assert_eq!(t.status(&referral).await, "pending", "{kind}");
    }
}
