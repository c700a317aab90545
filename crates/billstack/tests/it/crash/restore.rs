//! A backup that is older than what was put into balances since: nothing is put there a second time.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use fake_stripe::{Customer, EventObject as _, FakeStripe, Generation, Injection};
use serde_json::{Value, json};

use super::deliveries::{all_delivered, client, init, surroundings};
use super::{Client, Server, command, ready};
use crate::support::database::{Database, Engine};
use crate::support::fixture::text;

/// What a test works with.
struct Shop {
    runtime: tokio::runtime::Runtime,
    fake: FakeStripe,
    place: tempfile::TempDir,
    told: Vec<(&'static str, String)>,
    project: String,
    key: String,
}

impl Shop {
    fn new() -> Shop {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let fake = runtime.block_on(FakeStripe::start());
        let place = tempfile::tempdir().expect("a directory");
        let database = Database::new(Engine::Sqlite);
        let mut told = surroundings(&database, &fake);
        told.retain(|(name, _)| *name != "DATABASE_URL");
        let file = place.path().join("shop.db");
        told.push(("DATABASE_URL", format!("sqlite://{}", file.display())));
        let (project, key) = init(place.path(), &told);
        Shop {
            runtime,
            fake,
            place,
            told,
            project,
            key,
        }
    }

    /// Does something with a server that runs meanwhile.
    fn served(&self, work: impl AsyncFnOnce(&Client)) {
        let server = Server::start_with(self.place.path(), &self.told);
        self.runtime.block_on(async {
            let client = client(&server, &self.project, &self.key);
            ready(&client, &server.origin).await;
            work(&client).await;
        });
    }

    /// Runs the program, and returns its exit code and what it says.
    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let mut command = command(self.place.path(), args);
        let ran = command.envs(self.told.iter().cloned()).output();
        let ran = ran.expect("the program runs");
        let out = String::from_utf8_lossy(&ran.stdout).into_owned();
        let err = String::from_utf8_lossy(&ran.stderr);
        (ran.status.code(), out + &err)
    }

    /// Puts the backup in the place of the database.
    fn restore(&self) {
        let path = |name: &str| self.place.path().join(name);
        for suffix in ["-wal", "-shm"] {
            remove(&path(&format!("shop.db{suffix}")));
        }
        std::fs::copy(path("backup.db"), path("shop.db")).expect("a backup");
    }

    fn lines(&self, stripe: &str) -> Vec<Value> {
        self.fake.with_books(|books| {
            let lines = books.balance_transactions.newest_first().into_iter();
            let own = |line: &&Value| line["customer"] == stripe;
            lines.filter(own).cloned().collect()
        })
    }
}

fn remove(path: &Path) {
    if path.exists() {
        std::fs::remove_file(path).expect("a file");
    }
}

async fn configure(client: &Client) {
    let config = format!("{}/referrals/config", client.project);
    let body = json!({
        "enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1,
        "creditDelivery": "stripe_balance",
    });
    let call = client.http.put(config).bearer_auth(&client.key);
    let call = call.header("content-type", "application/json");
    let answer = call.body(body.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

async fn customer(client: &Client, name: &str, stripe: &str) -> String {
    let email = format!("{name}@example.com");
    let body = json!({"email": email, "stripeCustomerId": stripe});
    let made = client.create("customers", body).await.expect("a customer");
    text(&made["customer"]["id"])
}

async fn give(client: &Client, customer: &str, amount: i64) -> String {
    let body =
        json!({"customerId": customer, "amount": amount, "currency": "usd", "reason": "contest"});
    let made = client.create("referrals/credits", body).await;
    text(&made.expect("a credit")["credit"]["id"])
}

async fn link(client: &Client, customer: &str, stripe: &str) {
    let path = format!("{}/customers/{customer}", client.project);
    let call = client.http.patch(path).bearer_auth(&client.key);
    let call = call.header("content-type", "application/json");
    let body = json!({"stripeCustomerId": stripe}).to_string();
    let answer = call.body(body).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

async fn becomes(client: &Client, credit: &str, state: &str) -> Value {
    let mut credit_now = Value::Null;
    for _ in 0..4_800 {
        let path = format!("referrals/credits/{credit}");
        credit_now = client.get(&path).await.1["credit"].take();
        if credit_now["delivery"]["state"] == state {
            return credit_now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {state}: {credit_now:#}");
}

/// Two credits are in the backup, and delivered only afterwards: one under the operation that the backup knows, the
/// other under one that it does not. A third is given afterwards.
fn delivered_since(shop: &Shop) -> (Vec<String>, String) {
    let mut ids = Vec::new();
    let mut moved = String::new();
    for stripe in ["cus_a", "cus_b"] {
        let known = Customer::new(stripe).currency("usd");
        let known = known.render(Generation::Endive, false);
        shop.fake.with_books(|books| books.customers.put(known));
    }
    let busy = Injection::lock_timeout().method("POST").always();
    shop.fake.inject(busy);
    shop.served(async |client| {
        configure(client).await;
        let a = customer(client, "a", "cus_a").await;
        moved = customer(client, "b", "cus_nobody").await;
        ids.push(give(client, &a, 100).await);
        ids.push(give(client, &moved, 200).await);
        becomes(client, &ids[1], "needs_attention").await;
        // Not in the middle of a call: what the backup knows of the other one is that it waits.
        while posts(shop) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        becomes(client, &ids[0], "queued").await;
    });
    let (code, said) = shop.run(&["backup", "backup.db"]);
    assert_eq!(code, Some(0), "{said}");
    shop.fake.clear_faults();
    shop.served(async |client| {
        link(client, &moved, "cus_b").await;
        all_delivered(client, &ids).await;
        let a = client.get(&format!("referrals/credits/{}", ids[0])).await.1;
        let late = give(client, &text(&a["credit"]["customerId"]), 300).await;
        becomes(client, &late, "delivered").await;
    });
    assert_eq!(
        (shop.lines("cus_a").len(), shop.lines("cus_b").len()),
        (2, 1)
    );
    shop.restore();
    (ids, moved)
}

fn posts(shop: &Shop) -> usize {
    let requests = shop.fake.requests();
    let is_post = |one: &&fake_stripe::Received| {
        one.method == "POST" && one.path.ends_with("/balance_transactions")
    };
    // A call whose answer was too late is made again under its key, which is no second delivery.
    let posts = requests.iter().filter(is_post);
    let keys: BTreeSet<_> = posts.map(|one| one.idempotency_key.clone()).collect();
    assert!(!keys.contains(&None), "a call without a key");
    keys.len()
}

#[test]
fn what_was_delivered_since_the_backup_is_delivered_once() {
    let shop = Shop::new();
    let (ids, moved) = delivered_since(&shop);
    shop.fake.clear_requests();
    shop.served(async |client| {
        link(client, &moved, "cus_b").await;
        all_delivered(client, &ids).await;
        // Whoever gives the same anew has to say so: it may be what was given before.
        let a = client.get(&format!("referrals/credits/{}", ids[0])).await.1;
        let customer = text(&a["credit"]["customerId"]);
        let again = give(client, &customer, 300).await;
        let again = becomes(client, &again, "needs_attention").await;
        assert_eq!(again["delivery"]["reason"], "possible_duplicate");
        let other = give(client, &customer, 50).await;
        becomes(client, &other, "delivered").await;
    });
    assert_eq!(posts(&shop), 1, "the last one alone");
    let credits = |stripe| -> Vec<String> {
        let lines = shop.lines(stripe).into_iter();
        lines
            .map(|line| text(&line["metadata"]["billstack_credit_id"]))
            .collect()
    };
    assert_eq!(credits("cus_b"), ids[1..]);
    assert_eq!(
        credits("cus_a").iter().filter(|id| **id == ids[0]).count(),
        1
    );
    let (code, said) = shop.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn reconcile_finds_what_was_delivered_since_the_backup() {
    let shop = Shop::new();
    let (ids, _) = delivered_since(&shop);
    let operation = |line: &Value| text(&line["metadata"]["billstack_op_id"]);
    let lines = shop.lines("cus_a");
    shop.fake.clear_requests();
    let (code, said) = shop.run(&["reconcile", "--all", "--apply"]);
    assert_eq!(code, Some(1), "{said}");
    let present = format!("undelivered_but_present  {}", operation(&lines[1]));
    assert!(said.contains(&present), "{said}");
    assert!(
        said.contains(&format!("unknown  {}", text(&lines[0]["id"]))),
        "{said}"
    );
    let (code, said) = shop.run(&["reconcile", "--all"]);
    assert_eq!(code, Some(0), "{said}");
    shop.served(async |client| {
        let credit = becomes(client, &ids[0], "delivered").await;
        assert_eq!(credit["delivery"]["transactionId"], lines[1]["id"]);
    });
    assert_eq!(posts(&shop), 0);
    let (code, said) = shop.run(&["verify"]);
    assert_eq!(code, Some(0), "{said}");
}
