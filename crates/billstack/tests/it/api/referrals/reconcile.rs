//! Comparing our books with Stripe's: what came in, and what never did.

mod balances;
mod payments;
mod unlinked;

use std::collections::BTreeSet;
use std::time::Duration;

use billstack_core::access::Scope;
use billstack_core::stripe_access::EVENTS;
use billstack_core::time::{DAY, HOUR, MINUTE};
use fake_stripe::{EventOptions, Generation, event};
use serde_json::{Value, json};

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};
use crate::support::stripe::SECRET;

const PATH: &str = "referrals/reconcile";

on_both_engines! {
    what_was_missed_is_told_and_then_taken_in with stripe,
    an_endpoint_that_was_down_for_a_day_misses_nothing with stripe,
    however_much_happened_at_once_it_is_taken_in_once with stripe,
    the_time_before_is_looked_through_on_request with stripe,
    a_run_is_of_the_project_that_asked with stripe,
    whoever_asks_for_the_same_gets_the_same_run with stripe,
    a_run_goes_on_when_its_node_is_gone with stripe,
    what_keeps_it_from_looking_is_told with stripe,
    bad_wishes_are_refused with stripe,
    without_a_secret_key_it_is_refused with stripe,
    words_of_a_newer_version_are_shown with stripe,
}

on_two_nodes! {
    of_a_team_one_run_is_under_way with stripe,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        settings: |args| args.stripe_rate = Some("100".to_owned()),
        ..Setup::default()
    }
}

async fn connect(t: &Bench) {
    let body = json!({"secretKey": "sk_test_1", "webhookSecret": SECRET});
    t.connect_with(body).await;
    t.fake().clock().set(t.seconds());
}

/// Something that Stripe tells when it is asked, and never sent.
fn unsent(t: &Bench, event: &Value) {
    t.fake().clock().set(t.seconds());
    t.fake().with_books(|books| books.events.put(event.clone()));
}

async fn start(t: &Bench, body: Value) -> String {
    let answer = t.key.post(PATH, body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    text(&answer.json()["run"]["id"])
}

/// The run once it is over. One that had no answer in time, on a machine that does too much, waits by the clock.
async fn over(t: &Bench, id: &str) -> Value {
    for look in 1..=7_200 {
        let mut answer = t.key.get(&format!("{PATH}/{id}")).await.ok();
        if !answer["run"]["endedAt"].is_null() {
            return answer["run"].take();
        }
        if look % 1_200 == 0 {
            t.advance(MINUTE);
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{id} is never over");
}

async fn run(t: &Bench, body: Value) -> Value {
    let id = start(t, body).await;
    let run = over(t, &id).await;
    assert_eq!(run["status"], "done", "{run}");
    assert_eq!(run["done"], run["total"]);
    run
}

async fn what_was_missed_is_told_and_then_taken_in(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect(t).await;
    let (came, missed) = (t.created("cus_b"), t.created(&pair.stripe));
    t.accept(&came).await;
    unsent(t, &came);
    unsent(t, &missed);
    for _ in 0..2 {
        let told = run(t, json!({})).await;
        assert_eq!((&told["found"], &told["repaired"]), (&json!(1), &json!(0)));
        let line = &told["lines"][0];
        assert_eq!(line["kind"], "event_missed");
        assert_eq!(line["subject"], missed["id"]);
        let detail = text(&line["detail"]);
        assert!(detail.starts_with("customer.subscription.created of 2026-"));
        assert_eq!(t.status(&referral).await, "pending");
    }
    let repaired = run(t, json!({"apply": true, "reason": "The endpoint was down"})).await;
    assert_eq!(repaired["lines"][0]["isRepaired"], true);
    assert_eq!(
        (&repaired["found"], &repaired["repaired"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(t.status(&referral).await, "converted");
    let clean = run(t, json!({"apply": true})).await;
    assert_eq!((&clean["found"], &clean["lines"]), (&json!(0), &json!([])));
    // The delivery that comes after all is a second one.
    t.accept(&missed).await;
    assert_eq!(t.credits().await.len(), 2);
}

async fn an_endpoint_that_was_down_for_a_day_misses_nothing(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let (other, second) = t.pending("b").await;
    connect(t).await;
    t.later(HOUR).await;
    let kind = "customer.subscription.created";
    let options = EventOptions::at(t.seconds()).generation(Generation::V2020);
    unsent(t, &event(kind, &t.subscription(&pair.stripe), &options));
    let sent = t.created(&other.stripe);
    t.later(22 * HOUR).await;
    // The endpoint is back, and the newest event is no sign that nothing is missed before.
    t.accept(&sent).await;
    unsent(t, &sent);
    assert_eq!(t.status(&referral).await, "pending");
    t.later(2 * HOUR).await;
    t.fake().clock().set(t.seconds());
    for _ in 0..400 {
        if t.status(&referral).await == "converted" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.status(&second).await, "converted");
    assert_eq!(t.credits().await.len(), 4);
    assert_eq!(run(t, json!({})).await["found"], 0);
    let asked = t.fake().requests().into_iter();
    let asked = asked.filter(|request| request.path == "/v1/events");
    let types = asked.map(|request| {
        let types = request.params["types"].as_array().expect("a list").clone();
        types.iter().map(text).collect::<Vec<_>>()
    });
    let types: Vec<_> = types.collect();
    assert!(types.iter().all(|types| types.len() <= 20));
    let all: BTreeSet<_> = types.into_iter().flatten().collect();
    assert_eq!(all, EVENTS.map(str::to_owned).into());
}

async fn however_much_happened_at_once_it_is_taken_in_once(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    connect(t).await;
    t.later(HOUR).await;
    let begin = t.seconds() - 600;
    t.fake().clock().set(t.seconds());
    t.fake().with_books(|books| {
        for number in 0..450_i64 {
            // A good part of it in one second.
            let at = EventOptions::at(begin + (number - 250).max(0));
            books
                .events
                .put(event("customer.updated", &json!({"id": "cus_x"}), &at));
        }
    });
    let missed = t.created(&pair.stripe);
    unsent(t, &missed);
    assert_eq!(run(t, json!({})).await["found"], 451);
    let repaired = run(t, json!({"apply": true})).await;
    assert_eq!(repaired["repaired"], 451);
    let lines = pluck(&repaired["lines"], "subject");
    assert_eq!(lines.len(), 451);
    assert_eq!(
        lines.last(),
        Some(&text(&missed["id"])),
        "the latest is last"
    );
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(t.count("stripe_events").await, 451);
    assert_eq!(run(t, json!({"apply": true})).await["found"], 0);
}

async fn the_time_before_is_looked_through_on_request(t: &Bench) {
    connect(t).await;
    let long_ago = t.created("cus_a");
    t.later(3 * DAY).await;
    t.fake().clock().set(t.seconds());
    connect(t).await;
    assert_eq!(run(t, json!({})).await["found"], 0);
    unsent(t, &long_ago);
    assert_eq!(run(t, json!({})).await["found"], 0);
    let since = json!({"since": "2026-03-30T12:00:00Z", "apply": true});
    assert_eq!(run(t, since.clone()).await["found"], 1);
    assert_eq!(run(t, since).await["found"], 0);
}

async fn a_run_is_of_the_project_that_asked(t: &Bench) {
    connect(t).await;
    let id = start(t, json!({})).await;
    over(t, &id).await;
    let (_, other) = t.project("other").await;
    let path = format!("{PATH}/{id}");
    other.get(&path).await.refused("not_found");
    let unknown = t.key.get(&format!("{PATH}/run_x"));
    unknown.await.refused("not_found");
    let (_, reader) = t.key(None, &[Scope::ReferralsRead], None).await;
    reader.get(&path).await.ok();
    let refused = reader.post(PATH, json!({})).await;
    refused.refused("insufficient_scope");
}

async fn whoever_asks_for_the_same_gets_the_same_run(t: &Bench) {
    connect(t).await;
    t.fake().set_down(true);
    let first = start(t, json!({})).await;
    let repair = start(t, json!({"apply": true})).await;
    assert_ne!(first, repair);
    assert_eq!(start(t, json!({"apply": true})).await, repair);
}

async fn a_run_goes_on_when_its_node_is_gone(t: &Bench) {
    connect(t).await;
    unsent(t, &t.created("cus_a"));
    let team = t.home.team_id();
    // A node took it and is never heard of again.
    let wish = billstack_store::reconcile::Wish {
        project_id: Some(t.home.project.as_str().into()),
        remedy: billstack_core::reconcile::Remedy::Repair,
        is_whole: false,
        since: None,
    };
    let id = t.write(move |tx, act| {
        let run = billstack_store::reconcile::ask(tx, act, &team, &wish)?;
        billstack_store::reconcile::take_up(tx, act, &team, &run.id)?;
        let until = act.at.plus(MINUTE);
        let leased = billstack_store::reconcile::lease(tx, act, &team, &run.id, until)?;
        assert!(leased.is_some());
        Ok(run.id)
    });
    let id = id.await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let path = format!("{PATH}/{id}");
    assert_eq!(t.key.get(&path).await.ok()["run"]["status"], "running");
    t.advance(MINUTE);
    let run = over(t, &id).await;
    assert_eq!(
        (&run["status"], &run["repaired"]),
        (&json!("done"), &json!(1))
    );
}

async fn what_keeps_it_from_looking_is_told(t: &Bench) {
    let body = json!({"secretKey": "rk_test_1", "webhookSecret": SECRET});
    t.connect_with(body).await;
    t.fake().restrict("rk_test_1", &["rak_customer_write"]);
    let failed = over(t, &start(t, json!({})).await).await;
    assert_eq!(failed["status"], "failed");
    let why = text(&failed["reason"]);
    assert!(why.contains("rak_event_read"), "{why}");
    // The next one has its turn, and looks through the same time.
    connect(t).await;
    unsent(t, &t.created("cus_a"));
    assert_eq!(run(t, json!({})).await["found"], 1);
}

async fn bad_wishes_are_refused(t: &Bench) {
    connect(t).await;
    for (body, field) in [
        (json!({"apply": "yes"}), "apply"),
        (json!({"apply": 1}), "apply"),
        (json!({"all": "yes"}), "all"),
        (json!({"since": "yesterday"}), "since"),
        (json!({"since": "2036-01-01T00:00:00Z"}), "since"),
        (json!({"reason": ""}), "reason"),
    ] {
        let answer = t.key.post(PATH, body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!(answer.json()["field"], field);
    }
    assert_eq!(t.count("reconcile_runs").await, 0);
}

async fn without_a_secret_key_it_is_refused(t: &Bench) {
    t.connect().await;
    let answer = t.key.post(PATH, json!({})).await;
    assert_eq!(answer.status, 409);
    answer.refused("stripe_key_required");
}

async fn of_a_team_one_run_is_under_way(t: &Bench) {
    connect(t).await;
    for number in 0..30 {
        unsent(t, &t.created(&format!("cus_{number}")));
    }
    let mut ids = Vec::new();
    for since in 0..4 {
        let since = format!("2026-03-30T11:0{since}:00Z");
        ids.push(start(t, json!({"apply": true, "since": since})).await);
    }
    let mut found = 0;
    for id in ids {
        found += over(t, &id).await["found"].as_i64().expect("a number");
    }
    assert_eq!(found, 30, "each was found by one run");
    assert_eq!(t.count("stripe_events").await, 30);
}

async fn words_of_a_newer_version_are_shown(t: &Bench) {
    connect(t).await;
    unsent(t, &t.created("cus_a"));
    let id = text(&run(t, json!({})).await["id"]);
    let set = async |sql: &'static str| {
        t.write(move |tx, _| Ok(tx.execute(sql, &[])?)).await;
    };
    set("UPDATE reconcile_runs SET status = 'paused', remedy = 'mend'").await;
    set("UPDATE reconcile_lines SET kind = 'torn'").await;
    let path = format!("{PATH}/{id}");
    let call = t.key.call(reqwest::Method::GET, &path);
    let shown = call.send_beside_a_newer_version().await.ok();
    assert_eq!(shown["run"]["status"], "paused");
    assert_eq!(shown["run"]["apply"], false);
    assert_eq!(shown["run"]["lines"][0]["kind"], "torn");
    set("UPDATE reconcile_runs SET status = 'done', remedy = 'tell'").await;
    set("UPDATE reconcile_lines SET kind = 'event_missed'").await;
}
