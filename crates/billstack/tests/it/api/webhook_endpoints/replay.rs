//! `POST …/webhook-endpoints/{endpointId}/replay`.

use std::time::Duration;

use super::*;

on_both_engines! {
    a_range_says_its_count_first with inner,
    what_was_missed_is_sent_on_request with inner,
}

async fn a_range_says_its_count_first(t: &Bench) {
    let id = endpoint(&t.key, json!(["customer.created"])).await;
    let since = billstack::clock::rfc3339(t.now().0);
    let ada = t.customer("ada").await;
    t.customer("grace").await;
    t.key
        .patch(&format!("customers/{ada}"), json!({"name": "Ada L."}))
        .await
        .ok();
    t.advance(HOUR);
    let path = format!("webhook-endpoints/{id}/replay");
    for (more, count) in [
        (json!({}), 2),
        (json!({"types": ["customer.updated"]}), 1),
        (json!({"types": ["*"]}), 3),
        (json!({"status": "delivered"}), 0),
        (json!({"status": "failed"}), 0),
        (json!({"until": since}), 0),
    ] {
        let mut body = json!({"since": since, "dryRun": true});
        body.as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("one").clone());
        assert_eq!(
            t.key.post(&path, body).await.ok(),
            json!({"count": count}),
            "{more}"
        );
    }
    for (field, body) in [
        ("since", json!({})),
        (
            "since",
            json!({"since": since, "until": "2020-01-01T00:00:00Z"}),
        ),
        ("status", json!({"since": since, "status": "odd"})),
        ("status", json!({"since": since, "status": "waiting"})),
        ("types", json!({"since": since, "types": []})),
    ] {
        let answer = t.key.post(&path, body).await;
        assert_eq!(
            (answer.status, &answer.json()["field"]),
            (400, &json!(field)),
            "{answer:?}"
        );
    }
    // Those that were sent when it happened, and no other.
    t.deliveries(&id, 2).await;
    assert_eq!(t.count("webhook_deliveries").await, 2);
    let unknown = t
        .key
        .post("webhook-endpoints/whe_x/replay", json!({"since": since}));
    unknown.await.refused("not_found");
}

async fn what_was_missed_is_sent_on_request(t: &Bench) {
    let id = endpoint(&t.key, json!(["customer.created"])).await;
    let path = format!("webhook-endpoints/{id}");
    t.key.post(&format!("{path}/disable"), json!({})).await.ok();
    t.advance(HOUR);
    let missed = [t.customer("ada").await, t.customer("grace").await];
    t.advance(HOUR);
    let enabled = t.key.post(&format!("{path}/enable"), json!({})).await.ok();
    let body = json!({"since": enabled["missedSince"]});
    let asked = t.key.post(&format!("{path}/replay"), body).await;
    assert_eq!(
        (asked.status, asked.json()),
        (202, json!({"count": missed.len()}))
    );
    // A worker waits until nothing can be added to the log any more.
    t.advance(HOUR);
    for _ in 0..200 {
        let log = t.key.get(&format!("{path}/deliveries")).await.ok();
        let rows = log["deliveries"].as_array().expect("a list").clone();
        if rows.len() == missed.len() {
            assert!(rows.iter().all(|row| row["isReplay"] == true), "{log}");
            return;
        }
        t.advance(billstack_core::time::SECOND);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing was sent");
}
