//! `POST …/webhook-endpoints/{endpointId}/test`.

use super::*;

on_both_engines! {
    a_test_says_what_came_of_it with inner,
}

async fn a_test_says_what_came_of_it(t: &Bench) {
    let id = endpoint(&t.key, json!(["*"])).await;
    let path = format!("webhook-endpoints/{id}/test");
    let tested = t
        .key
        .post(&path, json!({"type": "credit.granted"}))
        .await
        .ok();
    let delivery = &tested["delivery"];
    assert_eq!(
        (&delivery["state"], &delivery["type"]),
        (&json!("failed"), &json!("credit.granted"))
    );
    // Nothing listens there.
    assert_eq!(delivery["attempts"][0]["error"], "connect");
    assert_eq!(delivery["attempts"][0]["status"], Value::Null);
    let curl = text(&tested["curl"]);
    for part in [
        URL,
        "webhook-signature: v1,",
        "\"test\":true",
        &text(&delivery["eventId"]),
    ] {
        assert!(curl.contains(part), "{part}: {curl}");
    }
    assert_eq!(shown(&t.key, &id).await["lastFailureAt"], Value::Null);
    assert_eq!(t.count("webhook_deliveries").await, 0);
    t.key
        .post(&path, json!({"type": "code.burnt"}))
        .await
        .refused("invalid_request");
    let unknown = t.key.post("webhook-endpoints/whe_x/test", json!({})).await;
    unknown.refused("not_found");
    // Thirty at once, and one every two seconds.
    for _ in 0..1_000 {
        let more = t.key.post(&path, json!({})).await;
        if more.status == 429 {
            assert!(more.header("retry-after").is_some());
            more.refused("rate_limited");
            return;
        }
        more.ok();
    }
    panic!("there is no limit");
}
