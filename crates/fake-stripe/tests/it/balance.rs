//! What customers have with their merchant.

use fake_stripe::{Customer, EventObject, FakeStripe, Generation};
use serde_json::{Value, json};

use crate::client::{Answer, Client};

/// A fake with one customer, and a client of it.
async fn with_customer(customer: &Customer) -> (FakeStripe, Client) {
    let fake = FakeStripe::start().await;
    let customer = customer.render(Generation::Endive, false);
    fake.with_books(|books| books.customers.put(customer));
    let client = Client::new(&fake);
    (fake, client)
}

async fn post(client: &Client, customer: &str, amount: &str) -> Answer {
    let path = format!("/v1/customers/{customer}/balance_transactions");
    let form = [("amount", amount), ("currency", "usd")];
    client.post(&path, &form).await
}

fn ids(list: &Value) -> Vec<&str> {
    let data = list["data"].as_array().expect("a list");
    data.iter().filter_map(|one| one["id"].as_str()).collect()
}

#[tokio::test]
async fn each_line_tells_the_balance_before() {
    let (fake, client) = with_customer(&Customer::new("cus_1")).await;
    for amount in ["-1000", "400", "-50"] {
        assert_eq!(post(&client, "cus_1", amount).await.status, 200);
    }
    let events = fake.take_events(Generation::V2022November);
    let told = events.iter().map(|event| {
        assert_eq!(event["type"], "customer.updated");
        let data = &event["data"];
        (
            data["previous_attributes"].clone(),
            data["object"]["balance"].clone(),
        )
    });
    let expected = [
        (json!({"balance": 0, "currency": null}), json!(-1000)),
        (json!({"balance": -1000}), json!(-600)),
        (json!({"balance": -600}), json!(-650)),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
    assert!(fake.take_events(Generation::Endive).is_empty());
}

#[tokio::test]
async fn lines_are_found_by_time_and_read_from_the_newest() {
    let (fake, client) = with_customer(&Customer::new("cus_1")).await;
    let mut made = Vec::new();
    for second in 0..4 {
        fake.clock().set(1_760_000_000 + second);
        made.push(post(&client, "cus_1", "-1").await.id().to_owned());
    }
    let list = async |query: &str| {
        let path = format!("/v1/customers/cus_1/balance_transactions?{query}");
        client.get(&path).await.json
    };
    let all = list("limit=100").await;
    assert_eq!(ids(&all), [&made[3], &made[2], &made[1], &made[0]]);
    for (query, expected) in [
        ("created[gte]=1760000002", vec![&made[3], &made[2]]),
        ("created[gt]=1760000002", vec![&made[3]]),
        ("created[lte]=1760000000", vec![&made[0]]),
        ("created[lt]=1760000000", vec![]),
        (
            "created[gte]=1760000001&created[lt]=1760000003",
            vec![&made[2], &made[1]],
        ),
        ("invoice=in_none", vec![]),
    ] {
        assert_eq!(ids(&list(query).await), expected, "{query}");
    }
    let page = list(&format!("limit=2&starting_after={}", made[3])).await;
    assert_eq!(ids(&page), [&made[2], &made[1]]);
    assert_eq!(page["has_more"], true);
    for limit in ["0", "101"] {
        let refused = list(&format!("limit={limit}")).await;
        assert_eq!(refused["error"]["param"], "limit");
    }
}

#[tokio::test]
async fn an_account_stands_for_its_customer() {
    let (_fake, client) = with_customer(&Customer::new("cus_1").account("acct_1")).await;
    let by_account = post(&client, "acct_1", "-300").await.json;
    assert_eq!(
        (&by_account["customer"], &by_account["customer_account"]),
        (&json!("cus_1"), &json!("acct_1"))
    );
    assert_eq!(
        post(&client, "cus_1", "-200").await.json["ending_balance"],
        -500
    );
    for id in ["cus_1", "acct_1"] {
        let path = format!("/v1/customers/{id}");
        assert_eq!(client.get(&path).await.json["balance"], -500);
        let lines = client.get(&format!("{path}/balance_transactions")).await;
        assert_eq!(ids(&lines.json).len(), 2);
    }
}

#[tokio::test]
async fn only_the_words_of_a_line_change() {
    let (fake, client) = with_customer(&Customer::new("cus_1")).await;
    let line = post(&client, "cus_1", "-300").await;
    fake.take_events(Generation::Endive);
    let path = format!("/v1/customers/cus_1/balance_transactions/{}", line.id());
    let words = [("description", "Thanks"), ("metadata[a]", "b")];
    let edited = client.post(&path, &words).await.json;
    assert_eq!(
        (&edited["description"], &edited["metadata"]),
        (&json!("Thanks"), &json!({"a": "b"}))
    );
    assert_eq!(client.get(&path).await.json, edited);
    let refused = client.post(&path, &[("amount", "-1")]).await;
    assert_eq!(refused.error("param"), "amount");
    let long = "x".repeat(351);
    let refused = client.post(&path, &[("description", &long)]).await;
    assert_eq!(refused.error("param"), "description");
    assert!(fake.take_events(Generation::Endive).is_empty());
}

#[tokio::test]
async fn a_balance_that_is_set_leaves_a_line() {
    let customer = Customer::new("cus_1").currency("eur").balance(-700);
    let (_fake, client) = with_customer(&customer).await;
    let set = client
        .post("/v1/customers/cus_1", &[("balance", "-100")])
        .await;
    assert_eq!(set.json["balance"], -100);
    let path = "/v1/customers/cus_1/balance_transactions";
    let line = client.get(path).await.json["data"][0].clone();
    assert_eq!(
        (&line["amount"], &line["ending_balance"], &line["currency"]),
        (&json!(600), &json!(-100), &json!("eur"))
    );
}

#[tokio::test]
async fn a_deleted_customer_takes_no_lines() {
    let (fake, client) = with_customer(&Customer::new("cus_1")).await;
    let line = post(&client, "cus_1", "-300").await;
    fake.with_books(|books| {
        let deleted = json!({"id": "cus_1", "object": "customer", "deleted": true});
        books.customers.put(deleted);
    });
    assert_eq!(
        client.get("/v1/customers/cus_1").await.json["deleted"],
        true
    );
    let path = "/v1/customers/cus_1/balance_transactions";
    for refused in [
        post(&client, "cus_1", "-1").await,
        post(&client, "cus_none", "-1").await,
        client.get(path).await,
        client.get(&format!("{path}/{}", line.id())).await,
    ] {
        assert_eq!(
            (refused.status, refused.error("code")),
            (404, "resource_missing")
        );
    }
}

#[tokio::test]
async fn money_of_their_own_forbids_debts() {
    let customer = Customer::new("cus_1").cash_balance(5000, "usd");
    let (_fake, client) = with_customer(&customer).await;
    assert_eq!(post(&client, "cus_1", "-300").await.status, 200);
    assert_eq!(post(&client, "cus_1", "300").await.status, 200);
    let refused = post(&client, "cus_1", "1").await;
    assert_eq!((refused.status, refused.error("param")), (400, "amount"));
    let path = "/v1/customers/cus_1";
    assert!(client.get(path).await.json.get("cash_balance").is_none());
    let expanded = client.get(&format!("{path}?expand[]=cash_balance")).await;
    let available = &expanded.json["cash_balance"]["available"];
    assert_eq!(available, &json!({"usd": 5000}));
    let other = client.post("/v1/customers", &[]).await;
    let path = format!("/v1/customers/{}?expand[]=cash_balance", other.id());
    assert_eq!(client.get(&path).await.json["cash_balance"], Value::Null);
}

#[tokio::test]
async fn the_list_may_lag() {
    let (fake, client) = with_customer(&Customer::new("cus_1")).await;
    fake.with_books(|books| books.line_delay = 30);
    fake.clock().set(1_760_000_000);
    let line = post(&client, "cus_1", "-300").await;
    let path = "/v1/customers/cus_1/balance_transactions";
    fake.clock().advance(29);
    assert!(ids(&client.get(path).await.json).is_empty());
    let found = client.get(&format!("{path}/{}", line.id())).await;
    assert_eq!(found.status, 200);
    fake.clock().advance(1);
    assert_eq!(ids(&client.get(path).await.json), [line.id()]);
}
