//! Whatever goes wrong on the way to Stripe, a credit has one line in the end.

use std::time::Duration;

use billstack_core::time::HOUR;
use fake_stripe::{Fault, Injection, RateLimit};
use serde_json::json;

use super::stripe;
use crate::support::bench::{Bench, Setup, run};
use crate::support::client::Caller;
use crate::support::database::Engine;

on_both_engines! {
    nothing_doubles_and_nothing_is_lost with stripe,
    a_saved_failure_is_looked_into with stripe,
    ten_credits_of_one_customer_take_turns with stripe,
    an_old_key_is_not_used_before_a_look with stripe,
    somebody_elses_line_makes_a_person_decide with stripe,
    nobody_waits_while_stripe_hangs with stripe,
}

fn post(fault: Fault) -> Injection {
    only_posts(Injection::new(fault))
}

fn only_posts(injection: Injection) -> Injection {
    injection
        .method("POST")
        .path_ending("/balance_transactions")
}

async fn nothing_doubles_and_nothing_is_lost(t: &Bench) {
    t.delivering(json!({})).await;
    let hang = Duration::from_millis(1_300);
    let faults = [
        post(Fault::Reset),
        post(Fault::ResetAfterCommit),
        post(Fault::ResetAfterCommit).times(3),
        post(Fault::Hang(hang)),
        post(Fault::HangAfterCommit(hang)),
        post(Fault::Unreadable),
        post(Fault::ProxyPage(502)),
        post(Fault::ProxyPageAfterCommit(504)),
        post(Fault::Status(409)).code("idempotency_key_in_use"),
        only_posts(Injection::lock_timeout()).times(2),
        Injection::new(Fault::Reset),
        Injection::new(Fault::Status(500)),
    ];
    let limits = RateLimit::ALL.map(|limit| only_posts(Injection::rate_limited(limit)));
    for (number, fault) in faults.into_iter().chain(limits).enumerate() {
        let stripe = format!("cus_{number}");
        let customer = t.payer(&format!("c{number}"), &stripe).await;
        t.fake().inject(fault.clone());
        let id = t.give(&customer, 100).await;
        let credit = t.delivery(&id, "delivered").await;
        assert_eq!(t.amounts(&stripe), [-100], "{fault:?}");
        assert_eq!(credit["amounts"]["delivered"], 100);
        assert_eq!(t.fake().faults_left(), 0, "{fault:?}");
    }
}

async fn a_saved_failure_is_looked_into(t: &Bench) {
    t.delivering(json!({})).await;
    // Done, and told as a failure: the look finds it, and no second call is made.
    let first = t.payer("a", "cus_a").await;
    t.fake().inject(post(Fault::StatusAfterCommit(500)));
    let id = t.give(&first, 100).await;
    let credit = t.delivery(&id, "unknown").await;
    assert_eq!(credit["amounts"]["available"], 100);
    t.delivery(&id, "delivered").await;
    assert_eq!((t.amounts("cus_a"), t.posts()), (vec![-100], 1));
    // Not done, and told as a failure whenever the key is used: another key after two looks.
    let second = t.payer("b", "cus_b").await;
    t.fake().inject(post(Fault::Status(500)));
    let id = t.give(&second, 100).await;
    let credit = t.delivery(&id, "delivered").await;
    assert_eq!(t.amounts("cus_b"), [-100]);
    assert_eq!((&credit["delivery"]["attempts"], t.posts()), (&json!(3), 4));
    let keys = t.fake().idempotency_keys();
    assert!(keys.iter().any(|key| key.ends_with("_2")), "{keys:?}");
}

async fn ten_credits_of_one_customer_take_turns(t: &Bench) {
    t.delivering(json!({})).await;
    t.fake().refuse_overlap(true);
    t.fake().set_latency(Duration::from_millis(20));
    let customer = t.payer("a", "cus_a").await;
    let mut ids = Vec::new();
    for number in 1..=10 {
        ids.push(t.give(&customer, number).await);
    }
    for id in &ids {
        t.delivery(id, "delivered").await;
    }
    let mut amounts = t.amounts("cus_a");
    amounts.sort_unstable();
    assert_eq!(amounts, (-10..=-1).collect::<Vec<_>>());
    assert!(t.fake().overlaps().is_empty());
}

/// Waits until a delivery of unknown outcome waits for its next step.
async fn rests(t: &Bench, id: &str) {
    for _ in 0..1_200 {
        let credit = t.delivery(id, "unknown").await;
        if t.until_next(&credit) > 500_000 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:#}", t.credit(id).await);
}

async fn an_old_key_is_not_used_before_a_look(t: &Bench) {
    t.delivering(json!({})).await;
    for (stripe, fault) in [("cus_a", Fault::ResetAfterCommit), ("cus_b", Fault::Reset)] {
        let customer = t.payer(stripe, stripe).await;
        t.fake().inject(post(fault));
        t.fake().inject(post(Fault::Reset).times(1_000));
        let id = t.give(&customer, 100).await;
        rests(t, &id).await;
        t.advance(25 * HOUR);
        t.fake().forget_idempotency_keys();
        t.fake().clear_requests();
        t.fake().clear_faults();
        t.delivery(&id, "delivered").await;
        assert_eq!(t.amounts(stripe), [-100]);
        let paths = t.fake().requests().into_iter();
        let first = paths
            .map(|one| one.method)
            .find(|method| method != "DELETE");
        assert_eq!(first.as_deref(), Some("GET"));
        assert_eq!(t.posts(), usize::from(stripe == "cus_b"));
    }
}

async fn somebody_elses_line_makes_a_person_decide(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    t.fake().inject(post(Fault::Status(500)));
    let id = t.give(&customer, 100).await;
    t.delivery(&id, "unknown").await;
    let line = json!({
        "id": "cbtxn_by_hand", "object": "customer_balance_transaction", "amount": -100,
        "created": t.seconds(), "currency": "usd", "customer": "cus_a", "description": null,
        "ending_balance": -100, "invoice": null, "livemode": false, "metadata": {}, "type": "adjustment",
    });
    t.fake()
        .with_books(|books| books.balance_transactions.put(line));
    let credit = t.delivery(&id, "needs_attention").await;
    assert_eq!(credit["delivery"]["reason"], "possible_duplicate");
    let settle = json!({"reason": "it is the same"});
    let path = format!("referrals/credits/{id}");
    let answer = t.key.post(&format!("{path}/settle"), settle).await;
    answer.refused("delivery_under_way");
    let retry = json!({"reason": "it is another"});
    t.key.post(&format!("{path}/retry"), retry).await.ok();
    t.delivery(&id, "delivered").await;
    assert_eq!(t.amounts("cus_a"), [-100, -100]);
}

async fn nobody_waits_while_stripe_hangs(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    let hang = Fault::Hang(Duration::from_secs(300));
    t.fake().inject(post(hang));
    let id = t.give(&customer, 100).await;
    t.called(&id, 0).await;
    t.accept(&t.created("cus_stranger")).await;
    t.give(&customer, 200).await;
    let requests = t.fake().requests();
    let hanging = |one: &&fake_stripe::Received| one.ended.is_none();
    assert_eq!(requests.iter().filter(hanging).count(), 1);
    let settle = json!({"reason": "now"});
    let path = format!("referrals/credits/{id}/settle");
    t.key
        .post(&path, settle)
        .await
        .refused("delivery_under_way");
    t.fake().clear_faults();
    t.delivery(&id, "delivered").await;
}

#[test]
fn many_credits_over_three_nodes() {
    let setup = Setup {
        nodes: 3,
        ..stripe()
    };
    run(Engine::Postgres, setup, many_credits_over_many_nodes);
}

async fn many_credits_over_many_nodes(t: &Bench) {
    t.delivering(json!({})).await;
    t.fake().refuse_overlap(true);
    for fault in [
        Fault::ResetAfterCommit,
        Fault::Reset,
        Fault::ProxyPageAfterCommit(502),
    ] {
        t.fake().inject(post(fault).times(20).skip(5));
    }
    let mut customers = Vec::new();
    for number in 0..12 {
        let name = format!("c{number}");
        customers.push(t.payer(&name, &format!("cus_{name}")).await);
    }
    let mut ids = Vec::new();
    for number in 0..120 {
        ids.push(
            t.give(&customers[number % 12], 10 + i64::try_from(number).unwrap())
                .await,
        );
    }
    for id in &ids {
        t.delivery(id, "delivered").await;
    }
    let mut amounts: Vec<i64> = (0..12)
        .flat_map(|number| t.amounts(&format!("cus_c{number}")))
        .collect();
    amounts.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(amounts, (10..130).map(|amount| -amount).collect::<Vec<_>>());
    assert!(t.fake().overlaps().is_empty());
}
