//! `GET …/events`: what happened, for those who poll.

mod causes;
mod samples;

use billstack_core::access::Scope;
use billstack_core::time::SECOND;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    one_who_was_away_gets_all_in_order_and_none_twice,
    an_event_appears_once_no_older_one_can,
    a_place_in_the_log_is_of_this_project,
    the_clock_of_a_test_project_is_followed,
    nothing_personal_is_told,
}

on_two_nodes! { while_others_write_nothing_is_missed }

/// How old an event is when it is told, at least.
const SETTLED: i64 = 35 * SECOND;

/// How long a worker may write at the moment of a look, which then waits for it.
const UNDER_WAY: i64 = 10 * SECOND;

impl Bench {
    /// Every event of the usual project that is told, after one of them.
    pub(super) async fn told_after(&self, after: Option<&str>) -> Vec<Value> {
        self.advance(SETTLED + UNDER_WAY);
        let mut events = Vec::new();
        let mut after = after.map(str::to_owned);
        loop {
            let query = after.iter().map(|after| format!("&after={after}"));
            let path = format!("events?limit=3{}", query.collect::<String>());
            let page = self.key.get(&path).await.ok();
            events.extend(page["events"].as_array().expect("a list").clone());
            match page["nextCursor"].as_str() {
                Some(next) => after = Some(next.to_owned()),
                None => return events,
            }
        }
    }

    /// The types of the events of the usual project since a call of this one.
    pub(super) async fn told(&self) -> Vec<Value> {
        self.told_after(None).await
    }
}

fn types(events: &[Value]) -> Vec<String> {
    pluck(&json!(events), "type")
}

async fn one_who_was_away_gets_all_in_order_and_none_twice(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.advance(SECOND);
    let first = t.told().await;
    t.advance(SECOND);
    t.subscribe(&pair).await;
    t.advance(SECOND);
    t.link(&pair.referee, json!("cus_other")).await;
    let all = t.told().await;
    let story = [
        "referral.applied",
        "referral.converted",
        "credit.granted",
        "credit.granted",
    ];
    let of_story: Vec<_> = all
        .iter()
        .filter(|event| event["sequence"].is_i64())
        .cloned()
        .collect();
    assert_eq!(types(&of_story), story);
    for (number, event) in of_story.iter().enumerate() {
        assert_eq!(event["sequence"], number + 1);
    }
    assert_eq!(of_story[1]["data"]["referral"]["id"], referral.as_str());
    assert_eq!(all.last().expect("some")["type"], "customer.linked");
    // Whoever knows the beginning is told the rest, and nothing of it again.
    assert_eq!(all[..first.len()], first);
    let last = text(&first.last().expect("some")["id"]);
    assert_eq!(t.told_after(Some(&last)).await, all[first.len()..]);
    let last = text(&all.last().expect("some")["id"]);
    assert!(t.told_after(Some(&last)).await.is_empty());
}

async fn an_event_appears_once_no_older_one_can(t: &Bench) {
    t.customer("a").await;
    let before = t.told().await.len();
    t.customer("b").await;
    let count = async || {
        let page = t.key.get("events?limit=1000").await.ok();
        page["events"].as_array().expect("a list").len()
    };
    // Every call takes a little time.
    t.advance(SETTLED - SECOND);
    assert_eq!(count().await, before);
    t.advance(UNDER_WAY);
    assert_eq!(count().await, before + 1);
}

async fn a_place_in_the_log_is_of_this_project(t: &Bench) {
    t.customer("a").await;
    let own = text(&t.told().await.last().expect("one")["id"]);
    let (_, key) = t.project("other").await;
    for unknown in [
        "evt_01kgv5r3mq7x2h9d4t8w6c0b1e",
        "evt_1RfX2cQ",
        "pc_1",
        "evt_zzzzzzzzzzzzzzzzzzzzzzzzzz",
    ] {
        let path = format!("events?after={unknown}");
        t.key.get(&path).await.refused("event_not_found");
    }
    let path = format!("events?after={own}");
    key.get(&path).await.refused("event_not_found");
    assert_eq!(t.key.get(&path).await.ok(), json!({"events": []}));
    for wrong in ["after=a.b", "after=", "limit=0", "limit=1001"] {
        t.key
            .get(&format!("events?{wrong}"))
            .await
            .refused("invalid_request");
    }
    for unknown in ["cursor=1.a", "offset=1"] {
        t.key
            .get(&format!("events?{unknown}"))
            .await
            .refused("unknown_parameter");
    }
    let (_, without) = t.key(None, &[Scope::CustomersRead], None).await;
    without.get("events").await.refused("insufficient_scope");
}

async fn the_clock_of_a_test_project_is_followed(t: &Bench) {
    let body = json!({"name": "Trial", "mode": "test"});
    let made = t.owner.post(&t.home.path("projects"), body).await.created();
    let wire = t
        .key
        .wire()
        .within(&t.home.team, &text(&made["project"]["id"]));
    let key = t.key.over(&wire);
    let customer = json!({"email": "a@example.com"});
    key.post("customers", customer).await.created();
    let shown = key.get("test-clock").await.ok();
    let to = billstack_core::time::Micros::from_rfc3339(&text(&shown["now"]))
        .expect("a time")
        .plus(400 * billstack_core::time::DAY);
    let to = billstack::clock::rfc3339(to.0);
    key.post("test-clock/advance", json!({"to": to})).await.ok();
    let customer = json!({"email": "b@example.com"});
    key.post("customers", customer).await.created();
    let path = async |path: &str| key.get(path).await.ok()["events"].take();
    t.advance(SETTLED + UNDER_WAY);
    let all = path("events").await;
    assert_eq!(
        pluck(&all, "type"),
        ["customer.created", "customer.created"]
    );
    let last = text(&all[1]["id"]);
    assert_eq!(path(&format!("events?after={last}")).await, json!([]));
    let first = text(&all[0]["id"]);
    assert_eq!(
        path(&format!("events?after={first}")).await,
        json!([all[1]])
    );
}

async fn nothing_personal_is_told(t: &Bench) {
    let canary = json!({
        "email": "canary@example.com", "name": "Canary Bird", "externalId": "user-1",
        "metadata": {"nest": "canary"},
    });
    let id = text(&t.customer_with(canary).await["id"]);
    let body = json!({"name": "Canary Two", "email": "canary2@example.com"});
    t.key.patch(&format!("customers/{id}"), body).await.ok();
    t.advance(SECOND);
    let told = t.told().await;
    let of = |told: &[Value]| told.last().expect("one")["data"].clone();
    let expected = json!({
        "customer": {"id": id, "externalId": "user-1"}, "changed": ["email", "name"],
    });
    assert_eq!(of(&told), expected);
    assert!(!json!(told).to_string().to_lowercase().contains("canary"));
    // What they were called goes with the person, also out of what has been told.
    t.erase(&id).await;
    let told = t.told().await;
    assert_eq!(
        of(&told),
        json!({"customer": {"id": id, "externalId": null}})
    );
    assert!(!json!(told).to_string().contains("user-1"));
}

/// Whoever reads while others write misses nothing, whatever the order in which they commit.
async fn while_others_write_nothing_is_missed(t: &Bench) {
    let wires = t.nodes.iter().map(|node| {
        let wire = crate::support::client::Wire::new(&node.origin, t.clock.clone());
        t.key.over(&wire.within(&t.home.team, &t.home.project))
    });
    let keys: Vec<_> = wires.collect();
    let mut seen: Vec<Value> = Vec::new();
    for round in 0..12 {
        let calls = (0..8).map(|number| {
            let body = json!({"email": format!("{round}-{number}@example.com")});
            keys[number % keys.len()].post("customers", body)
        });
        let writing = Bench::at_once(calls.collect::<Vec<_>>());
        let reading = async {
            // Some of these are among the events that are just settled, some are under way.
            t.advance(SETTLED / 8);
            let after = seen.last().map(|event| text(&event["id"]));
            let query = after.map_or(String::new(), |after| format!("?after={after}"));
            keys[round % keys.len()]
                .get(&format!("events{query}"))
                .await
                .ok()
        };
        let (written, page) = tokio::join!(writing, reading);
        written
            .iter()
            .for_each(|answer| assert_eq!(answer.status, 201, "{answer:?}"));
        seen.extend(page["events"].as_array().expect("a list").clone());
    }
    let last = seen.last().map(|event| text(&event["id"]));
    seen.extend(t.told_after(last.as_deref()).await);
    assert_eq!(seen.len(), 12 * 8);
    assert_eq!(seen, t.told().await);
}
