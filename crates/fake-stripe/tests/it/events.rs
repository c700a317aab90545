//! The list of events.

use fake_stripe::{Customer, FakeStripe, Generation, NewInvoice};
use serde_json::{Value, json};

use crate::client::Client;

const NOW: i64 = 1_760_000_000;
const DAY: i64 = 24 * 60 * 60;

async fn list(fake: &FakeStripe, query: &str) -> Value {
    Client::new(fake)
        .get(&format!("/v1/events?{query}"))
        .await
        .json
}

fn ids(list: &Value) -> Vec<String> {
    let data = list["data"].as_array().expect("a list").iter();
    data.filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn what_endpoints_hear_is_listed_under_the_same_ids() {
    let fake = FakeStripe::start().await;
    fake.money()
        .paid(&NewInvoice::new("cus_1", 2000, "usd").subscription("sub_1"));
    let heard = fake.take_events(Generation::AcaciaFebruary);
    let listed = list(&fake, "limit=100").await;
    let mut heard: Vec<String> = ids(&json!({"data": heard}));
    heard.reverse();
    // The account's version has an event that the endpoint's has not.
    let listed_without: Vec<String> = listed["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|event| event["type"] != "invoice_payment.paid")
        .filter_map(|event| event["id"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(listed_without, heard);
    assert_eq!(ids(&listed).len(), heard.len() + 1);
    for event in listed["data"].as_array().into_iter().flatten() {
        assert_eq!(event["api_version"], "2026-10-28.endive");
        assert!(event["data"]["object"].get("subscription").is_none());
    }
}

#[tokio::test]
async fn an_event_keeps_the_version_of_its_time() {
    let fake = FakeStripe::start().await;
    fake.with_books(|books| books.default_generation = Generation::V2022November);
    let payment = fake.money().paid(&NewInvoice::new("cus_1", 2000, "usd"));
    fake.with_books(|books| books.default_generation = Generation::Endive);
    fake.money().refund(payment.charge(), 500);
    let old = list(&fake, "type=invoice.paid").await["data"][0].clone();
    assert_eq!(old["api_version"], "2022-11-15");
    assert_eq!(old["data"]["object"]["charge"], payment.charge());
    let new = list(&fake, "types[]=refund.created").await["data"][0].clone();
    assert_eq!(new["data"]["object"]["customer"], "cus_1");
    // That version had no event for it.
    assert!(ids(&list(&fake, "type=invoice_payment.paid").await).is_empty());
}

#[tokio::test]
async fn thirty_days_are_kept() {
    let fake = FakeStripe::start().await;
    for (day, id) in ["cus_0", "cus_1", "cus_2"].into_iter().enumerate() {
        let days = i64::try_from(day).expect("a small number");
        fake.clock().set(NOW + days * DAY);
        fake.money().customer(&Customer::new(id));
    }
    let all = ids(&list(&fake, "").await);
    assert_eq!(all.len(), 3);
    let since = format!("created[gte]={}", NOW + DAY);
    assert_eq!(ids(&list(&fake, &since).await), all[..2]);
    fake.clock().set(NOW + 31 * DAY);
    assert_eq!(ids(&list(&fake, "").await), all[..2]);
    fake.clock().set(NOW + 31 * DAY + 1);
    assert_eq!(ids(&list(&fake, "").await), all[..1]);
}

#[tokio::test]
async fn at_most_twenty_types_are_asked_for() {
    let fake = FakeStripe::start().await;
    fake.money().paid(&NewInvoice::new("cus_1", 2000, "usd"));
    let types = |count: usize| -> String {
        let types = (1..count).map(|number| format!("&types[]=customer.{number}"));
        format!("types[]=invoice.paid{}", types.collect::<String>())
    };
    assert_eq!(ids(&list(&fake, &types(20)).await).len(), 1);
    for query in [
        types(21),
        format!("type=invoice.*&{}", types(1)),
        "types=invoice.paid".to_owned(),
    ] {
        let refused = list(&fake, &query).await;
        assert_eq!(refused["error"]["param"], "types", "{query}");
    }
    assert_eq!(ids(&list(&fake, "type=invoice.*").await).len(), 4);
}

#[tokio::test]
async fn a_thin_event_leads_to_its_object() {
    let fake = FakeStripe::start().await;
    let payment = fake.money().paid(&NewInvoice::new("cus_1", 2000, "usd"));
    fake.money().refund(payment.charge(), 500);
    fake.money().inquiry(payment.charge(), 500);
    let listed = ids(&list(&fake, "limit=100").await);
    let client = Client::new(&fake);
    let events = fake.take_thin_events();
    assert_eq!(events.len(), listed.len());
    for event in events {
        let id = event["id"].as_str().expect("an id");
        let read = client.get(&format!("/v2/core/events/{id}")).await.json;
        assert_eq!(read, event);
        let snapshot = event["snapshot_event"].as_str().expect("an id");
        assert!(listed.iter().any(|id| id == snapshot));
        let related = &event["related_object"];
        let object = client.get(related["url"].as_str().expect("a path")).await;
        assert_eq!(
            (object.id(), &object.json["object"]),
            (related["id"].as_str().expect("an id"), &related["type"])
        );
    }
}
