//! `billstack reconcile --apply` that dies again and again while it repairs: everything is repaired once in the end.

use std::process::Stdio;
use std::time::Duration;

use fake_stripe::{Books, Customer, EventObject as _, FakeStripe, Generation};
use serde_json::{Value, json};

use super::deliveries::{all_delivered, client, init, surroundings};
use super::{Client, Server, command, ready};
use crate::support::database::{Database, Engine};
use crate::support::fixture::text;

const CUSTOMERS: usize = 48;

/// How often it dies, and after how long.
const KILLS: u64 = 8;
const KILL_AFTER: u64 = 250;

fn stripe(number: usize) -> String {
    format!("cus_{number}")
}

#[test]
fn what_differs_is_repaired_once_whoever_dies() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fake = runtime.block_on(FakeStripe::start());
    let database = Database::new(Engine::Postgres);
    let place = tempfile::tempdir().expect("a directory");
    let told = surroundings(&database, &fake);
    let (project, key) = init(place.path(), &told);
    let served = |work: &dyn Fn(Client)| {
        let server = Server::start_with(place.path(), &told);
        let client = client(&server, &project, &key);
        runtime.block_on(ready(&client, &server.origin));
        work(client);
    };
    served(&|client| {
        runtime.block_on(async {
            let ids = give(&fake, &client).await;
            all_delivered(&client, &ids).await;
        });
    });
    fake.with_books(damage);
    fake.set_latency(Duration::from_millis(10));
    let reconcile = || {
        let mut command = command(place.path(), &["reconcile", "--apply"]);
        command.envs(told.iter().cloned());
        command
    };
    for number in 0..KILLS {
        let mut quiet = reconcile();
        quiet.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = quiet.spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(KILL_AFTER * (1 + number)));
        // SIGKILL: nothing of the program runs any more.
        let _ = child.kill();
        let _ = child.wait();
    }
    fake.set_latency(Duration::ZERO);
    let ended = reconcile().output().expect("the program runs");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(matches!(ended.status.code(), Some(0 | 1)), "{said}");
    served(&|client| runtime.block_on(all_settled(&fake, &client)));
    let clean = reconcile().arg("--all").output().expect("the program runs");
    let said = String::from_utf8_lossy(&clean.stdout);
    let of_balances = |line: &&str| !line.starts_with("event_missed") && line.contains("  ");
    let differ: Vec<&str> = said.lines().filter(of_balances).collect();
    assert!(differ.is_empty(), "{said}");
    let mut verify = command(place.path(), &["verify"]);
    let verified = verify.envs(told.iter().cloned()).output();
    let verified = verified.expect("verify runs");
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success(), "{said}");
}

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
    let mut ids = Vec::new();
    for number in 0..CUSTOMERS {
        let known = Customer::new(&stripe(number)).currency("usd");
        let known = known.render(Generation::Endive, false);
        fake.with_books(|books| books.customers.put(known));
        let email = format!("c{number}@example.com");
        let body = json!({"email": email, "stripeCustomerId": stripe(number)});
        let made = client.create("customers", body).await.expect("a customer");
        let customer = text(&made["customer"]["id"]);
        let body = json!({
            "customerId": customer, "amount": 100, "currency": "usd", "reason": "contest",
        });
        let made = client.create("referrals/credits", body).await;
        ids.push(text(&made.expect("a credit")["credit"]["id"]));
    }
    ids
}

/// Of every three customers one loses its line, and one has a second.
fn damage(books: &mut Books) {
    for number in 0..CUSTOMERS {
        let mut lines = books.balance_transactions.newest_first().into_iter();
        let line = lines.find(|line| line["customer"] == stripe(number));
        let line = line.cloned().expect("a line");
        let change = match number % 3 {
            0 => {
                books.balance_transactions.remove(&text(&line["id"]));
                100
            }
            1 => {
                let mut second = line.clone();
                second["id"] = json!(format!("{}x", text(&line["id"])));
                second["ending_balance"] = json!(-200);
                books.balance_transactions.put(second);
                -100
            }
            _ => 0,
        };
        let customer = books
            .customers
            .get_mut(&stripe(number))
            .expect("a customer");
        let now = customer["balance"].as_i64().expect("a balance") + change;
        customer["balance"] = json!(now);
        customer["invoice_credit_balance"]["usd"] = json!(-now);
    }
}

/// Every customer has been given its hundred, in as many lines as the repair takes.
async fn all_settled(fake: &FakeStripe, client: &Client) {
    let of = |number: usize| -> Vec<i64> {
        fake.with_books(|books| {
            let lines = books.balance_transactions.newest_first().into_iter();
            let own = lines.filter(|line| line["customer"] == stripe(number));
            own.map(|line: &Value| line["amount"].as_i64().expect("an amount"))
                .collect()
        })
    };
    let is_settled = |number| of(number).iter().sum::<i64>() == -100;
    for _ in 0..1_200 {
        if (0..CUSTOMERS).all(is_settled) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let path = "referrals/credits?delivery=delivered&limit=1000";
    for _ in 0..1_200 {
        let (_, list) = client.get(path).await;
        if list["credits"].as_array().map_or(0, Vec::len) == CUSTOMERS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for number in 0..CUSTOMERS {
        let lines = match number % 3 {
            1 => 3,
            _ => 1,
        };
        let amounts = of(number);
        assert_eq!(amounts.len(), lines, "{number}: {amounts:?}");
        assert_eq!(amounts.iter().sum::<i64>(), -100, "{number}: {amounts:?}");
    }
}
