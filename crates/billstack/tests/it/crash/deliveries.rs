//! Servers that die while they put credits into balances at Stripe: each credit has its one line in the end.

use std::time::{Duration, Instant};

use fake_stripe::{Customer, EventObject as _, FakeStripe, Generation};
use serde_json::json;

use super::{Client, Server, command, http, ready, team};
use crate::support::database::{Database, Engine};
use crate::support::fixture::text;

const CUSTOMERS: usize = 20;
const CREDITS: usize = 200;
const NODES: usize = 3;

/// How often one of the servers dies.
const KILL_EVERY: Duration = Duration::from_millis(700);
const KILLS: usize = 12;

/// What every server of the test is told.
pub(super) fn surroundings(database: &Database, fake: &FakeStripe) -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    vec![
        ("DATABASE_URL", database.url.clone()),
        ("BILLSTACK_SECRET_KEY", "ab".repeat(32)),
        ("STRIPE_API_BASE", fake.base_url()),
        ("BILLSTACK_STRIPE_TIMEOUT_SECONDS", text("1")),
        ("BILLSTACK_DELIVERY_LEASE_SECONDS", text("2")),
        ("BILLSTACK_STRIPE_RATE", text("100")),
        ("BILLSTACK_POSTGRES_WRITE_LANES", text("2")),
    ]
}

#[test]
fn every_credit_has_one_line_whoever_dies() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fake = runtime.block_on(FakeStripe::start());
    let database = Database::new(Engine::Postgres);
    let place = tempfile::tempdir().expect("a directory");
    let told = surroundings(&database, &fake);
    let (project, key) = init(place.path(), &told);
    let start = || Server::start_with(place.path(), &told);
    let mut servers: Vec<Server> = (0..NODES).map(|_| start()).collect();
    let ids = runtime.block_on(async {
        let client = client(&servers[0], &project, &key);
        ready(&client, &servers[0].origin).await;
        fake.set_latency(Duration::from_millis(15));
        give(&fake, &client).await
    });
    for number in 0..KILLS {
        std::thread::sleep(KILL_EVERY);
        servers[number % NODES] = start();
    }
    runtime.block_on(async {
        let client = client(&servers[0], &project, &key);
        ready(&client, &servers[0].origin).await;
        all_delivered(&client, &ids).await;
    });
    assert_eq!(lines(&fake), expected(&ids, &[-100]));
    drop(servers);
    assert_sound(place.path(), told);
}

#[test]
fn nothing_is_taken_back_twice_whoever_dies() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fake = runtime.block_on(FakeStripe::start());
    let database = Database::new(Engine::Postgres);
    let place = tempfile::tempdir().expect("a directory");
    let told = surroundings(&database, &fake);
    let (project, key) = init(place.path(), &told);
    let start = || Server::start_with(place.path(), &told);
    let mut servers: Vec<Server> = (0..NODES).map(|_| start()).collect();
    let ids = runtime.block_on(async {
        let client = client(&servers[0], &project, &key);
        ready(&client, &servers[0].origin).await;
        let ids = give(&fake, &client).await;
        all_delivered(&client, &ids).await;
        fake.set_latency(Duration::from_millis(15));
        for id in &ids {
            reverse(&client, id).await;
        }
        ids
    });
    for number in 0..KILLS {
        std::thread::sleep(KILL_EVERY);
        servers[number % NODES] = start();
    }
    runtime.block_on(async {
        let client = client(&servers[0], &project, &key);
        ready(&client, &servers[0].origin).await;
        all_are(&client, &ids, "status=partially_reversed").await;
    });
    assert_eq!(lines(&fake), expected(&ids, &[-100, 40]));
    drop(servers);
    assert_sound(place.path(), told);
}

/// Takes a part of a credit back.
async fn reverse(client: &Client, id: &str) {
    let path = format!("{}/referrals/credits/{id}/reverse", client.project);
    let call = client.http.post(path).bearer_auth(&client.key);
    let call = call.header("content-type", "application/json");
    let body = json!({"amount": 40, "reason": "by mistake"});
    let answer = call.body(body.to_string()).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
}

/// Every line there is: of which credit, and of how much.
fn lines(fake: &FakeStripe) -> Vec<(String, i64)> {
    let mut found: Vec<(String, i64)> = fake.with_books(|books| {
        let lines = books.balance_transactions.newest_first().into_iter();
        lines
            .map(|line| {
                let credit = text(&line["metadata"]["billstack_credit_id"]);
                (credit, line["amount"].as_i64().expect("an amount"))
            })
            .collect()
    });
    found.sort_unstable();
    found
}

fn expected(ids: &[String], amounts: &[i64]) -> Vec<(String, i64)> {
    let of = |id: &String| {
        let id = id.clone();
        amounts.iter().map(move |amount| (id.clone(), *amount))
    };
    let mut expected: Vec<_> = ids.iter().flat_map(of).collect();
    expected.sort_unstable();
    expected
}

fn assert_sound(place: &std::path::Path, told: Vec<(&'static str, String)>) {
    let mut verify = command(place, &["verify"]);
    let verified = verify.envs(told).output().expect("verify runs");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success(), "{said}");
}

pub(super) fn client(server: &Server, project: &str, key: &str) -> Client {
    Client {
        http: http(),
        project: format!("{}{project}", server.origin),
        key: key.to_owned(),
        acknowledged: std::sync::Arc::default(),
    }
}

/// A team that is connected to Stripe: the path of its project, and a key.
pub(super) fn init(place: &std::path::Path, told: &[(&'static str, String)]) -> (String, String) {
    team(place, told, &["--stripe-key", "sk_test_1"])
}

/// Gives every customer some credits, and returns the ids.
async fn give(fake: &FakeStripe, client: &Client) -> Vec<String> {
    let config = format!("{}/referrals/config", client.project);
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1,
        "creditDelivery": "stripe_balance",
    });
    let call = client.http.put(config).bearer_auth(&client.key);
    let call = call.header("content-type", "application/json");
    let answer = call.body(body.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let mut customers = Vec::new();
    for number in 0..CUSTOMERS {
        let stripe = format!("cus_{number}");
        let customer = Customer::new(&stripe).currency("usd");
        let customer = customer.render(Generation::Endive, false);
        fake.with_books(|books| books.customers.put(customer));
        let email = format!("c{number}@example.com");
        let body = json!({"email": email, "stripeCustomerId": stripe});
        let made = client.create("customers", body).await.expect("a customer");
        customers.push(text(&made["customer"]["id"]));
    }
    let mut ids = Vec::new();
    for number in 0..CREDITS {
        let body = json!({
            "customerId": customers[number % CUSTOMERS], "amount": 100, "currency": "usd",
            "reason": "contest",
        });
        let made = client.create("referrals/credits", body).await;
        ids.push(text(&made.expect("a credit")["credit"]["id"]));
    }
    ids
}

pub(super) async fn all_delivered(client: &Client, ids: &[String]) {
    all_are(client, ids, "delivery=delivered").await;
}

/// Waits until a list with this filter has all credits.
async fn all_are(client: &Client, ids: &[String], filter: &str) {
    let began = Instant::now();
    loop {
        let path = format!("referrals/credits?{filter}&limit=1000");
        let (_, list) = client.get(&path).await;
        let found = list["credits"].as_array().map_or(0, Vec::len);
        if found == ids.len() {
            return;
        }
        let waited = began.elapsed();
        assert!(
            waited < Duration::from_secs(120),
            "{found} of {} after {waited:?}",
            ids.len()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
