//! Lines of balances that are not those of our operations.

use billstack_core::time::{DAY, SECOND};
use fake_stripe::{Fault, Generation, Injection, RateLimit};
use serde_json::{Value, json};

use super::{over, run, start, stripe};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    what_agrees_is_not_told with stripe,
    a_line_that_is_gone_is_written_anew with stripe,
    a_line_that_nobody_counted_is_adopted with stripe,
    what_somebody_changed_is_told_until_it_was_noted with stripe,
    an_unknown_line_is_told_until_it_was_noted with stripe,
    the_line_of_a_lost_operation_is_booked_for_its_credit with stripe,
    a_second_line_is_taken_back with stripe,
    a_gap_in_the_history_is_told with stripe,
    a_call_under_way_is_not_judged with stripe,
    lines_of_others_are_nobody_s_business with stripe,
    too_many_calls_are_made_later with stripe,
    a_customer_who_is_gone_has_nothing_to_compare with stripe,
    of_many_customers_a_sample_is_looked_at with stripe,
}

/// A customer with a credit of ten dollars that was delivered: the credit, and its line.
async fn delivered(t: &Bench, name: &str) -> (String, Value) {
    let stripe = format!("cus_{name}");
    let customer = t.payer(name, &stripe).await;
    let credit = t.give(&customer, 1000).await;
    t.delivery(&credit, "delivered").await;
    let line = t.lines(&stripe).pop().expect("a line");
    (credit, line)
}

/// Puts a line in, or in place of another, and keeps the balance of the customer right.
fn put(t: &Bench, line: &Value) {
    t.fake().with_books(|books| {
        let id = text(&line["id"]);
        let amount = |line: Option<&Value>| line.map_or(0, |line| line["amount"].as_i64().unwrap());
        let change = amount(Some(line)) - amount(books.balance_transactions.get(&id));
        books.balance_transactions.put(line.clone());
        balance(books, &text(&line["customer"]), change);
    });
}

fn take(t: &Bench, line: &Value) {
    t.fake().with_books(|books| {
        let gone = books.balance_transactions.remove(&text(&line["id"]));
        let change = -gone.expect("a line")["amount"].as_i64().unwrap();
        balance(books, &text(&line["customer"]), change);
    });
}

fn balance(books: &mut fake_stripe::Books, customer: &str, change: i64) {
    let customer = books.customers.get_mut(customer).expect("a customer");
    let now = customer["balance"].as_i64().unwrap() + change;
    customer["balance"] = json!(now);
    customer["invoice_credit_balance"]["usd"] = json!(-now);
}

/// The same line once more, under another id and after it.
fn second(line: &Value) -> Value {
    let mut second = line.clone();
    second["id"] = json!(format!("{}x", text(&line["id"])));
    let ends_at = line["ending_balance"].as_i64().unwrap() + line["amount"].as_i64().unwrap();
    second["ending_balance"] = json!(ends_at);
    second
}

/// Stripe tells what has happened, so that no event is missed.
async fn hear(t: &Bench) {
    for event in t.fake().take_events(Generation::Endive) {
        t.accept(&event).await;
    }
}

/// What a run finds, and whether it repaired it.
async fn finds(t: &Bench, body: Value) -> Vec<(String, String, bool)> {
    hear(t).await;
    let run = run(t, body).await;
    let lines = run["lines"].as_array().expect("a list");
    let of = |line: &Value| {
        let is_repaired = line["isRepaired"].as_bool().expect("a flag");
        (text(&line["kind"]), text(&line["subject"]), is_repaired)
    };
    lines.iter().map(of).collect()
}

fn one(kind: &str, subject: &Value, is_repaired: bool) -> Vec<(String, String, bool)> {
    vec![(kind.to_owned(), text(subject), is_repaired)]
}

fn operation(line: &Value) -> Value {
    line["metadata"]["billstack_op_id"].clone()
}

/// It is told as often as anybody asks, then taken note of, and told no more until it changes.
async fn noted(t: &Bench, kind: &str, line: &mut Value, change: fn(&mut Value)) {
    let told = one(kind, &line["id"], false);
    for _ in 0..2 {
        assert_eq!(finds(t, json!({})).await, told);
    }
    assert_eq!(finds(t, json!({"apply": true})).await, told);
    for body in [json!({}), json!({"apply": true}), json!({"all": true})] {
        assert_eq!(finds(t, body).await, []);
    }
    change(line);
    put(t, line);
    assert_eq!(finds(t, json!({"apply": true})).await, told);
    assert_eq!(finds(t, json!({})).await, []);
    assert_eq!(t.posts(), 1, "nothing was written");
}

async fn what_agrees_is_not_told(t: &Bench) {
    t.delivering(json!({})).await;
    for name in ["a", "b"] {
        delivered(t, name).await;
    }
    hear(t).await;
    let first = run(t, json!({})).await;
    assert_eq!((&first["found"], &first["all"]), (&json!(0), &json!(false)));
    assert_eq!(first["done"], first["total"]);
    let whole = run(t, json!({"all": true})).await;
    assert_eq!((&whole["found"], &whole["all"]), (&json!(0), &json!(true)));
    assert_eq!(finds(t, json!({"apply": true})).await, []);
}

async fn a_line_that_is_gone_is_written_anew(t: &Bench) {
    t.delivering(json!({})).await;
    let (credit, line) = delivered(t, "a").await;
    assert_eq!(finds(t, json!({})).await, []);
    take(t, &line);
    let missing = |is_repaired| one("missing", &operation(&line), is_repaired);
    for _ in 0..2 {
        assert_eq!(finds(t, json!({})).await, missing(false));
    }
    assert_eq!(t.posts(), 1);
    assert_eq!(finds(t, json!({"apply": true})).await, missing(true));
    for _ in 0..1_200 {
        if t.posts() > 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let credit = t.delivery(&credit, "delivered").await;
    let lines = t.lines("cus_a");
    assert_eq!(lines.len(), 1);
    assert_ne!(lines[0]["id"], line["id"]);
    assert_eq!(operation(&lines[0]), operation(&line));
    assert_eq!(credit["delivery"]["transactionId"], lines[0]["id"]);
    assert_eq!(credit["amounts"]["delivered"], 1000);
    let keys = t.fake().idempotency_keys();
    let key = |generation| format!("bsc_{}_{generation}", text(&operation(&line)));
    assert!(keys.contains(&key(1)) && keys.contains(&key(2)), "{keys:?}");
    for body in [json!({}), json!({"apply": true, "all": true})] {
        assert_eq!(finds(t, body).await, []);
    }
    // It may go a second time.
    take(t, &lines[0]);
    assert_eq!(finds(t, json!({"apply": true})).await, missing(true));
    for _ in 0..1_200 {
        if t.posts() > 2 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let id = text(&credit["id"]);
    t.delivery(&id, "delivered").await;
    assert_eq!(t.amounts("cus_a"), [-1000]);
    assert_eq!(finds(t, json!({})).await, []);
}

async fn a_line_that_nobody_counted_is_adopted(t: &Bench) {
    t.delivering(json!({})).await;
    let (credit, line) = delivered(t, "a").await;
    take(t, &line);
    // Before it is written anew, it needs attention; and then it turns up.
    let refused = Injection::new(Fault::Status(400)).method("POST").always();
    t.fake().inject(refused);
    assert_eq!(finds(t, json!({"apply": true})).await.len(), 1);
    t.delivery(&credit, "needs_attention").await;
    put(t, &line);
    let present = |is_repaired| one("undelivered_but_present", &operation(&line), is_repaired);
    assert_eq!(finds(t, json!({})).await, present(false));
    assert_eq!(finds(t, json!({"apply": true})).await, present(true));
    let credit = t.credit(&credit).await;
    assert_eq!(credit["delivery"]["state"], "delivered");
    assert_eq!(credit["delivery"]["transactionId"], line["id"]);
    assert_eq!(credit["amounts"]["delivered"], 1000);
    assert_eq!(finds(t, json!({"apply": true})).await, []);
}

async fn what_somebody_changed_is_told_until_it_was_noted(t: &Bench) {
    t.delivering(json!({})).await;
    let (credit, mut line) = delivered(t, "a").await;
    line["description"] = json!("Thank you");
    line["metadata"] = json!({"seen": "yes"});
    put(t, &line);
    noted(t, "edited", &mut line, |line| {
        line["description"] = json!("Thanks");
    })
    .await;
    // It is still known by its id: neither missing nor written a second time.
    assert_eq!(t.credit(&credit).await["delivery"]["state"], "delivered");
    let (_, mut other) = delivered(t, "b").await;
    other["amount"] = json!(-900);
    other["ending_balance"] = json!(-900);
    put(t, &other);
    let differs = one("amount_differs", &other["id"], false);
    assert_eq!(finds(t, json!({"apply": true})).await, differs);
    assert_eq!(finds(t, json!({})).await, []);
}

async fn an_unknown_line_is_told_until_it_was_noted(t: &Bench) {
    t.delivering(json!({})).await;
    let (_, line) = delivered(t, "a").await;
    let mut line = second(&line);
    line["metadata"]["billstack_op_id"] = json!("op_lost");
    put(t, &line);
    noted(t, "unknown", &mut line, |line| {
        line["metadata"]["note"] = json!("mine");
    })
    .await;
    assert_eq!(t.amounts("cus_a"), [-1000, -1000], "nobody touches it");
}

async fn the_line_of_a_lost_operation_is_booked_for_its_credit(t: &Bench) {
    t.delivering(json!({})).await;
    let (_, line) = delivered(t, "a").await;
    let customer = text(&t.key.get("customers?limit=1").await.ok()["customers"][0]["id"]);
    let refused = Injection::new(Fault::Status(400)).method("POST").always();
    t.fake().inject(refused);
    let credit = t.give(&customer, 700).await;
    t.delivery(&credit, "needs_attention").await;
    let mut lost = second(&line);
    lost["amount"] = json!(-700);
    lost["ending_balance"] = json!(-1700);
    lost["metadata"]["billstack_op_id"] = json!("op_lost");
    lost["metadata"]["billstack_credit_id"] = json!(credit);
    put(t, &lost);
    let unknown = |is_repaired| one("unknown", &lost["id"], is_repaired);
    assert_eq!(finds(t, json!({})).await, unknown(false));
    assert_eq!(finds(t, json!({"apply": true})).await, unknown(true));
    let credit = t.credit(&credit).await;
    assert_eq!(credit["delivery"]["state"], "delivered");
    assert_eq!(credit["delivery"]["transactionId"], lost["id"]);
    assert_eq!(credit["amounts"]["delivered"], 700);
    // It still names another operation, and is known by its id.
    for body in [json!({"apply": true}), json!({"all": true})] {
        assert_eq!(finds(t, body).await, []);
    }
}

async fn a_second_line_is_taken_back(t: &Bench) {
    t.delivering(json!({})).await;
    let (credit, line) = delivered(t, "a").await;
    let second = second(&line);
    put(t, &second);
    let doubled = |is_repaired| one("doubled", &second["id"], is_repaired);
    assert_eq!(finds(t, json!({})).await, doubled(false));
    assert_eq!(finds(t, json!({"apply": true})).await, doubled(true));
    t.delivery(&credit, "delivered").await;
    assert_eq!(t.amounts("cus_a"), [-1000, -1000, 1000]);
    for body in [json!({}), json!({"apply": true, "all": true})] {
        assert_eq!(finds(t, body).await, []);
    }
    let credit = t.credit(&credit).await;
    assert_eq!(credit["amounts"]["delivered"], 1000);
    assert_eq!(t.lines("cus_a").len(), 3, "once is enough");
}

async fn a_gap_in_the_history_is_told(t: &Bench) {
    t.delivering(json!({})).await;
    let (_, line) = delivered(t, "a").await;
    t.fake().with_books(|books| balance(books, "cus_a", -7));
    let unclear = one("history_unclear", &json!("cus_a"), false);
    assert_eq!(finds(t, json!({})).await, unclear);
    assert_eq!(finds(t, json!({"apply": true})).await, unclear);
    assert_eq!(finds(t, json!({"apply": true})).await, []);
    t.fake().with_books(|books| balance(books, "cus_a", 1));
    assert_eq!(finds(t, json!({})).await, unclear);
    // What is explained by another difference is not told beside it.
    t.fake().with_books(|books| {
        books.balance_transactions.remove(&text(&line["id"]));
    });
    let missing = one("missing", &operation(&line), false);
    assert_eq!(finds(t, json!({})).await, missing);
}

async fn a_call_under_way_is_not_judged(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    // Nobody knows yet whether the line was written, and it was.
    let cut = Injection::new(Fault::ResetAfterCommit).method("POST");
    let hidden = Injection::new(Fault::Status(500)).method("POST").always();
    t.fake().inject(cut);
    t.fake().inject(hidden);
    let credit = t.give(&customer, 1000).await;
    for _ in 0..1_200 {
        if t.credit(&credit).await["delivery"]["state"] == "unknown" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(t.amounts("cus_a"), [-1000]);
    assert_eq!(finds(t, json!({"apply": true})).await, []);
    t.fake().clear_faults();
    t.delivery(&credit, "delivered").await;
    assert_eq!(finds(t, json!({"apply": true})).await, []);
    assert_eq!(t.amounts("cus_a"), [-1000]);
}

async fn lines_of_others_are_nobody_s_business(t: &Bench) {
    t.delivering(json!({})).await;
    let (_, line) = delivered(t, "a").await;
    // So many that ours are on different pages.
    let mut lines = vec![line.clone()];
    for number in 0..130 {
        let mut foreign = second(&lines[number]);
        foreign["id"] = json!(format!("cbtxn_foreign{number}"));
        foreign["metadata"] = json!({});
        put(t, &foreign);
        lines.push(foreign);
    }
    assert_eq!(finds(t, json!({"apply": true, "all": true})).await, []);
    assert_eq!(t.lines("cus_a"), lines);
    let mut doubled = second(&lines[130]);
    doubled["metadata"] = line["metadata"].clone();
    put(t, &doubled);
    let told = one("doubled", &doubled["id"], false);
    assert_eq!(finds(t, json!({"all": true})).await, told);
}

async fn too_many_calls_are_made_later(t: &Bench) {
    t.delivering(json!({})).await;
    for name in ["a", "b", "c"] {
        let (_, mut line) = delivered(t, name).await;
        line["description"] = json!("Mine");
        put(t, &line);
    }
    let limited = Injection::rate_limited(RateLimit::GlobalRate).path("/v1/customers/cus_");
    t.fake().inject(limited.skip(5).times(2));
    hear(t).await;
    let id = start(t, json!({})).await;
    for _ in 0..1_200 {
        let path = format!("{}/{id}", super::PATH);
        if !t.key.get(&path).await.ok()["run"]["endedAt"].is_null() {
            break;
        }
        t.advance(SECOND);
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(t.fake().faults_left(), 0);
    let run = over(t, &id).await;
    assert_eq!((&run["status"], &run["found"]), (&json!("done"), &json!(3)));
    assert_eq!(pluck(&run["lines"], "kind"), ["edited"; 3]);
    assert_eq!(run["done"], run["total"]);
}

async fn a_customer_who_is_gone_has_nothing_to_compare(t: &Bench) {
    t.delivering(json!({})).await;
    let (_, line) = delivered(t, "a").await;
    let (_, other) = delivered(t, "b").await;
    t.fake().with_books(|books| {
        books.balance_transactions.remove(&text(&line["id"]));
        books
            .customers
            .put(json!({"id": "cus_a", "object": "customer", "deleted": true}));
        books.balance_transactions.remove(&text(&other["id"]));
        books.customers.remove("cus_b");
    });
    let unclear = one("history_unclear", &json!("cus_b"), false);
    assert_eq!(finds(t, json!({"apply": true})).await, unclear);
    assert_eq!(finds(t, json!({"apply": true, "all": true})).await, []);
    assert_eq!(t.posts(), 2);
}

async fn of_many_customers_a_sample_is_looked_at(t: &Bench) {
    const MANY: usize = 150;
    t.delivering(json!({})).await;
    let mut last = String::new();
    for number in 0..MANY {
        let customer = t
            .payer(&format!("n{number}"), &format!("cus_n{number}"))
            .await;
        last = t.give(&customer, 100).await;
    }
    t.delivery(&last, "delivered").await;
    for _ in 0..1_200 {
        if t.posts() >= MANY {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    hear(t).await;
    let first = run(t, json!({})).await;
    assert_eq!(
        (&first["found"], &first["done"]),
        (&json!(0), &first["total"])
    );
    let looked = first["done"].as_i64().expect("a number");
    assert!(looked > 150, "all of them had changed: {looked}");
    for number in (0..MANY).step_by(5) {
        let mut line = t.lines(&format!("cus_n{number}")).pop().expect("a line");
        line["description"] = json!("Mine");
        put(t, &line);
    }
    let mut samples = Vec::new();
    for _ in 0..2 {
        let told = run(t, json!({})).await;
        let parts = told["done"].as_i64().expect("a number");
        assert!((100..150).contains(&parts), "{parts}");
        let mut seen = pluck(&told["lines"], "subject");
        seen.sort();
        assert!(seen.len() < MANY / 5, "a day has its sample");
        samples.push(seen);
        t.later(DAY).await;
        t.fake().clock().set(t.seconds());
    }
    assert_ne!(samples[0], samples[1], "another day has another");
    let whole = run(t, json!({"all": true})).await;
    assert_eq!(whole["found"], MANY / 5);
}
