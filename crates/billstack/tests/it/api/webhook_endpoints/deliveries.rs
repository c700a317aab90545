//! `…/webhook-endpoints/{endpointId}/deliveries`.

use super::*;

on_both_engines! {
    what_waits_is_listed_and_found with inner,
    one_is_sent_again with inner,
}

async fn what_waits_is_listed_and_found(t: &Bench) {
    let id = endpoint(&t.key, json!(["customer.created", "customer.updated"])).await;
    let begun = t.now();
    let ada = t.customer("ada").await;
    t.advance(HOUR);
    t.customer("grace").await;
    t.key
        .patch(&format!("customers/{ada}"), json!({"name": "Ada L."}))
        .await
        .ok();
    let path = format!("webhook-endpoints/{id}/deliveries");
    let rows = t.deliveries(&id, 3).await;
    let kinds: Vec<_> = rows.iter().map(|row| text(&row["type"])).collect();
    assert_eq!(
        kinds,
        ["customer.updated", "customer.created", "customer.created"]
    );
    for row in &rows {
        assert!(text(&row["id"]).starts_with("whd_") && text(&row["eventId"]).starts_with("evt_"));
        assert_eq!(
            (&row["state"], &row["isReplay"]),
            (&json!("waiting"), &json!(false))
        );
        assert_eq!(row["endpointId"], id.as_str());
        assert!(row["nextAttemptAt"].is_string(), "{row}");
    }
    let last = text(&rows[2]["id"]);
    let one = t.key.get(&format!("{path}/{last}")).await.ok();
    assert_eq!(one["delivery"]["eventId"], rows[2]["eventId"]);
    let count = async |query: &str| {
        let found = t.key.get(&format!("{path}?{query}")).await.ok();
        found["deliveries"].as_array().map_or(0, Vec::len)
    };
    let later = billstack::clock::rfc3339(begun.plus(HOUR).0);
    assert_eq!(count("status=waiting").await, 3);
    assert_eq!(count("status=delivered").await, 0);
    assert_eq!(count("type=customer.updated").await, 1);
    assert_eq!(count("type=customer.erased&status=waiting").await, 0);
    assert_eq!(count(&format!("from={later}")).await, 2);
    assert_eq!(count(&format!("to={later}")).await, 1);
    assert_eq!(count(&format!("from={later}&to={later}")).await, 0);
    let mut seen = Vec::new();
    let mut next = format!("{path}?limit=1");
    loop {
        let page = t.key.get(&next).await.ok();
        seen.push(text(&page["deliveries"][0]["id"]));
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        next = format!("{path}?limit=1&cursor={cursor}");
    }
    let ids: Vec<_> = rows.iter().map(|row| text(&row["id"])).collect();
    assert_eq!(seen, ids);
    for query in [
        "status=odd",
        "type=code.burnt",
        "from=yesterday",
        "limit=0",
        "state=waiting",
    ] {
        let answer = t.key.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    is_of_its_endpoint_alone(t, &last).await;
}

async fn is_of_its_endpoint_alone(t: &Bench, last: &str) {
    let other = endpoint(&t.key, json!(["*"])).await;
    let misplaced = format!("webhook-endpoints/{other}/deliveries/{last}");
    t.key.get(&misplaced).await.refused("not_found");
    t.key
        .post(&format!("{misplaced}/replay"), json!({}))
        .await
        .refused("not_found");
}

async fn one_is_sent_again(t: &Bench) {
    let id = endpoint(&t.key, json!(["customer.created"])).await;
    t.customer("ada").await;
    let path = format!("webhook-endpoints/{id}/deliveries");
    let first = t.deliveries(&id, 1).await.remove(0);
    t.key
        .post(&format!("webhook-endpoints/{id}/disable"), json!({}))
        .await
        .ok();
    let again = format!("{path}/{}/replay", text(&first["id"]));
    let call = || {
        let call = t.key.call(Method::POST, &again);
        call.header("idempotency-key", "again")
            .json(&json!({}))
            .send()
    };
    let made = call().await.created();
    let repeated = call().await;
    assert_eq!(repeated.header("idempotency-replayed"), Some("true"));
    assert_eq!(repeated.json(), made);
    let replay = &made["delivery"];
    assert_eq!(replay["eventId"], first["eventId"]);
    assert_ne!(replay["id"], first["id"]);
    assert_eq!(replay["isReplay"], true);
    assert_eq!(shown(&t.key, &id).await["state"], "disabled");
}
