//! What the official library cannot show: raw requests, modes, shapes per version, the log.

use fake_stripe::{
    Customer, EventObject, EventOptions, FakeStripe, Generation, Subscription, thin_event,
};
use reqwest::Method;
use serde_json::json;

use crate::client::{Client, send};

const CUSTOMERS: &str = "/v1/customers";

type Form<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn keys_are_checked() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    for accepted in ["sk_test_x", "rk_test_x", "sk_live_x"] {
        assert_eq!(
            client.with_key(accepted).get("/v1/account").await.status,
            200
        );
    }
    assert_eq!(
        client
            .with_key("pk_test_x")
            .get("/v1/account")
            .await
            .error("code"),
        "secret_key_required"
    );
    for refused in ["sk_test_", "nonsense", ""] {
        let answer = client.with_key(refused).get("/v1/nowhere").await;
        assert_eq!(
            (answer.status, answer.error("type")),
            (401, "invalid_request_error")
        );
    }
    fake.accept_only(&["sk_test_only"]);
    assert_eq!(client.get("/v1/account").await.status, 401);
    let anonymous = || client.anonymous(Method::GET, "/v1/account");
    let basic = anonymous().basic_auth("sk_test_only", Some(""));
    assert_eq!(send(basic).await.expect("an answer").status, 200);
    assert_eq!(send(anonymous()).await.expect("an answer").status, 401);
    fake.accept_any_key();
    assert_eq!(client.get("/v1/account").await.status, 200);
}

#[tokio::test]
async fn a_search_finds_addresses_whatever_their_case() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    for (id, email) in [
        ("cus_1", "Ann@Shop.test"),
        ("cus_2", "ann+x@shop.test"),
        ("cus_3", "bob@shop.test"),
    ] {
        let customer = Customer::new(id).email(email);
        let customer = customer.render(Generation::Endive, false);
        fake.with_books(|books| books.customers.put(customer));
    }
    let search = async |query: &str| {
        let path = format!("{CUSTOMERS}/search");
        let request = client
            .request(Method::GET, &path)
            .query(&[("query", query)]);
        send(request).await.expect("an answer")
    };
    let answer = search(r#"email:"ann@shop.test" OR email~"ann+""#).await;
    let found = answer.json["data"].as_array().expect("a list").len();
    assert_eq!((answer.status, found), (200, 2));
    for strange in ["email", r#"email~"an""#, r#"name:"ann""#] {
        assert_eq!(search(strange).await.status, 400, "{strange}");
    }
    fake.with_books(|books| books.search_delay = i64::MAX / 2);
    let found = search(r#"email:"bob@shop.test""#).await;
    assert_eq!(found.json["data"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn requests_are_logged_as_they_came() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let request = client
        .request(Method::POST, CUSTOMERS)
        .header("Stripe-Version", "2022-08-01");
    let form = [
        ("email", "a+b@shop.test"),
        ("metadata[project_id]", "proj_1"),
    ];
    let answer = send(request.header("Idempotency-Key", "k1").form(&form))
        .await
        .expect("an answer");
    let logged = fake.requests().remove(0);
    assert_eq!(
        (logged.method.as_str(), logged.path.as_str()),
        ("POST", CUSTOMERS)
    );
    assert_eq!(
        logged.params,
        json!({"email": "a+b@shop.test", "metadata": {"project_id": "proj_1"}})
    );
    assert_eq!(
        logged.body,
        b"email=a%2Bb%40shop.test&metadata%5Bproject_id%5D=proj_1"
    );
    assert_eq!(logged.api_key.as_deref(), Some("sk_test_a"));
    assert_eq!(logged.idempotency_key.as_deref(), Some("k1"));
    assert_eq!(logged.stripe_version.as_deref(), Some("2022-08-01"));
    assert_eq!(logged.answered, Some(200));
    assert_eq!(
        answer.header("request-id"),
        Some(logged.request_id.as_str())
    );
    assert_eq!(answer.header("stripe-version"), Some("2022-08-01"));
    assert!(answer.json.get("customer_account").is_none());
    fake.clear_requests();
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn bad_requests_are_refused() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let long = "x".repeat(501);
    let cases: [(&str, Form<'_>, &str, &str); 5] = [
        (
            CUSTOMERS,
            &[("colour", "red")],
            "parameter_unknown",
            "colour",
        ),
        (
            CUSTOMERS,
            &[("metadata[k]", &long)],
            "parameter_invalid",
            "metadata",
        ),
        (
            CUSTOMERS,
            &[("expand[]", "colour")],
            "parameter_invalid",
            "expand",
        ),
        (
            "/v1/subscriptions",
            &[("customer", "cus_1")],
            "parameter_missing",
            "items",
        ),
        ("/v1/subscriptions/sub_1", &[], "resource_missing", "id"),
    ];
    for (path, form, code, param) in cases {
        let answer = client.post(path, form).await;
        assert_eq!(
            (answer.error("code"), answer.error("param")),
            (code, param),
            "{}",
            answer.json
        );
    }
    let json = client
        .request(Method::POST, CUSTOMERS)
        .json(&json!({"email": "a@shop.test"}));
    assert_eq!(send(json).await.expect("an answer").status, 400);
    for (method, path) in [
        (Method::GET, "/v1/nowhere"),
        (Method::DELETE, "/v1/account"),
    ] {
        let answer = send(client.request(method, path)).await.expect("an answer");
        assert_eq!(
            (answer.status, answer.error("type")),
            (404, "invalid_request_error")
        );
    }
}

#[tokio::test]
async fn pages_run_from_the_newest() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let mut ids = Vec::new();
    for number in 0..5 {
        let email = if number == 2 {
            "other@shop.test"
        } else {
            "same@shop.test"
        };
        ids.push(
            client
                .post(CUSTOMERS, &[("email", email)])
                .await
                .id()
                .to_owned(),
        );
    }
    let page = client
        .get("/v1/customers?email=same@shop.test&limit=3")
        .await
        .json;
    assert_eq!(
        (&page["object"], &page["has_more"], &page["url"]),
        (&json!("list"), &json!(true), &json!(CUSTOMERS))
    );
    let on_page: Vec<_> = page["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert_eq!(on_page, [&ids[4], &ids[3], &ids[1]].map(|id| json!(id)));
    let rest = client
        .get(&format!(
            "/v1/customers?email=same@shop.test&limit=3&starting_after={}",
            ids[1]
        ))
        .await
        .json;
    assert_eq!(
        (&rest["has_more"], &rest["data"][0]["id"]),
        (&json!(false), &json!(ids[0]))
    );
    let back = client
        .get(&format!("/v1/customers?limit=2&ending_before={}", ids[0]))
        .await
        .json;
    assert_eq!(
        (&back["has_more"], &back["data"][1]["id"]),
        (&json!(true), &json!(ids[1]))
    );
    assert_eq!(
        client.get("/v1/customers?email=SAME@shop.test").await.json["data"],
        json!([])
    );
    assert_eq!(
        client.get("/v1/customers?limit=101").await.error("param"),
        "limit"
    );
    assert_eq!(
        client
            .get("/v1/customers?starting_after=cus_none")
            .await
            .error("param"),
        "starting_after"
    );
}

#[tokio::test]
async fn tests_can_put_objects_in() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    fake.with_books(|books| {
        let customer = Customer::new("cus_old")
            .email("old@shop.test")
            .name("Old")
            .created(1_600_000_000);
        books
            .customers
            .put(customer.render(Generation::Endive, false));
        let subscription = Subscription::new("sub_old", "cus_old")
            .status("canceled")
            .created(1_600_000_000);
        books
            .subscriptions
            .put(subscription.render(Generation::Endive, false));
        let options = EventOptions::at(1_760_000_000).id("evt_thin");
        books.thin_events.put(thin_event(
            "customer.subscription.created",
            "sub_old",
            None,
            &options,
        ));
    });
    let all = client
        .get("/v1/subscriptions?customer=cus_old&status=all&limit=1&expand[]=data.customer")
        .await;
    assert_eq!(all.json["data"][0]["customer"]["email"], "old@shop.test");
    assert_eq!(
        client.get("/v1/subscriptions?customer=cus_old").await.json["data"],
        json!([])
    );
    let thin = client.get("/v2/core/events/evt_thin").await.json;
    let related = thin["related_object"]["url"].as_str().expect("a url");
    assert_eq!(client.get(related).await.json["status"], "canceled");
    let credit = [("amount", "-1000"), ("currency", "usd")];
    assert_eq!(
        client
            .post("/v1/customers/cus_old/balance_transactions", &credit)
            .await
            .json["ending_balance"],
        -1000
    );
}

#[tokio::test]
async fn balances_are_kept_per_currency() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let path = format!("{CUSTOMERS}/{}", client.post(CUSTOMERS, &[]).await.id());
    let post = async |amount: &str, currency: &str| {
        let form = [("amount", amount), ("currency", currency)];
        client
            .post(&format!("{path}/balance_transactions"), &form)
            .await
            .json["ending_balance"]
            .clone()
    };
    assert_eq!(post("-1000", "EUR").await, -1000);
    assert_eq!(post("300", "eur").await, -700);
    assert_eq!(post("-50", "usd").await, -50);
    let customer = client
        .get(&format!("{path}?expand[]=invoice_credit_balance"))
        .await
        .json;
    assert_eq!(
        (&customer["currency"], &customer["balance"]),
        (&json!("eur"), &json!(-700))
    );
    assert_eq!(
        customer["invoice_credit_balance"],
        json!({"eur": 700, "usd": 50})
    );
    assert!(
        client
            .get(&path)
            .await
            .json
            .get("invoice_credit_balance")
            .is_none()
    );
}

#[tokio::test]
async fn the_version_decides_the_shape() {
    let fake = FakeStripe::start().await;
    let client = Client::new(&fake);
    let customer = client.post(CUSTOMERS, &[]).await.id().to_owned();
    for (generation, on_items) in [(Generation::V2020, false), (Generation::Basil, true)] {
        let version = generation.api_version();
        let request = client
            .request(Method::POST, "/v1/subscriptions")
            .header("Stripe-Version", version);
        let form = [
            ("customer", customer.as_str()),
            ("items[0][price]", "price_1"),
        ];
        let made = send(request.form(&form)).await.expect("an answer").json;
        assert_eq!(made.get("current_period_end").is_none(), on_items);
        let listed = client
            .get("/v1/events?type=customer.subscription.*&limit=1")
            .await
            .json["data"][0]
            .clone();
        let heard = fake.take_events(generation).pop().expect("an event");
        assert_eq!(
            (&heard["api_version"], &heard["data"]["object"]),
            (&json!(version), &made)
        );
        // The list knows the same event in the account's own version.
        assert_eq!(
            (&listed["id"], &listed["api_version"]),
            (&heard["id"], &json!("2026-10-28.endive"))
        );
        let item = &listed["data"]["object"]["items"]["data"][0];
        assert!(item.get("current_period_end").is_some());
    }
}
