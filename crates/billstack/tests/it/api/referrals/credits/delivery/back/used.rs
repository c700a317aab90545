//! What invoices use of credits.

use fake_stripe::OnVoid;
use serde_json::{Value, json};

use super::super::stripe;
use crate::support::bench::Bench;
use crate::support::client::Caller;

on_both_engines! {
    an_invoice_uses_the_oldest_credit_first with stripe,
    what_is_owed_uses_a_credit_at_once with stripe,
    a_voided_invoice_may_give_back_what_it_used with stripe,
    lines_are_read_only_where_there_is_a_credit_of_ours with stripe,
    lines_that_do_not_follow_wait_for_a_person with stripe,
}

async fn an_invoice_uses_the_oldest_credit_first(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    t.fake().money().adjust("cus_a", -300, "usd");
    let first = t.give(&customer, 1000).await;
    t.delivery(&first, "delivered").await;
    let second = t.give(&customer, 200).await;
    t.delivery(&second, "delivered").await;
    // Whose line it is we know, whatever somebody writes on it.
    let own = t.lines("cus_a").remove(1);
    let own = own["id"].as_str().expect("an id").to_owned();
    let edited = [("billstack_credit_id", "cr_x"), ("billstack_op_id", "op_x")];
    t.fake().money().edit_line(&own, "Gift", &edited);
    let invoice = t.bill("cus_a", 800);
    t.hear().await;
    let credit = t
        .stands(&first, json!({"applied": 500, "delivered": 500}))
        .await;
    assert_eq!(credit["status"], "granted");
    let line = t.lines("cus_a").pop().expect("a line");
    assert_eq!(line["invoice"], invoice);
    let posting = t.postings(&first, "applied").await.remove(0);
    assert_eq!(
        (
            &posting["amount"],
            &posting["stripeObject"],
            &posting["cause"]
        ),
        (&json!(500), &line["id"], &json!("job"))
    );
    // However often it is told.
    t.fake().money().adjust("cus_a", -50, "usd");
    t.hear().await;
    t.bill("cus_a", 600);
    t.hear().await;
    let credit = t
        .stands(&first, json!({"applied": 1000, "delivered": 0}))
        .await;
    assert_eq!(credit["status"], "applied");
    t.stands(&second, json!({"applied": 100, "delivered": 100}))
        .await;
    let units = |posting: &Value| posting["amount"].as_i64().expect("an amount");
    let postings: Vec<i64> = t
        .postings(&first, "applied")
        .await
        .iter()
        .map(units)
        .collect();
    assert_eq!(postings, [500, 500]);
    let liability = t.liability("manual").await;
    assert_eq!(
        (&liability["applied"], &liability["open"]),
        (&json!(1100), &json!(100))
    );
}

async fn what_is_owed_uses_a_credit_at_once(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    t.fake().money().adjust("cus_a", 300, "usd");
    let id = t.give(&customer, 1000).await;
    t.delivery(&id, "delivered").await;
    // Stripe tells of our own line as well.
    t.hear().await;
    t.stands(&id, json!({"applied": 300, "delivered": 700}))
        .await;
    // What the merchant takes uses it too.
    t.fake().money().adjust("cus_a", 150, "usd");
    t.hear().await;
    t.stands(&id, json!({"applied": 450, "delivered": 550}))
        .await;
}

async fn a_voided_invoice_may_give_back_what_it_used(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    let id = t.give(&customer, 1000).await;
    t.delivery(&id, "delivered").await;
    let (first, second, third) = (
        t.bill("cus_a", 300),
        t.bill("cus_a", 200),
        t.bill("cus_a", 100),
    );
    t.hear().await;
    t.stands(&id, json!({"applied": 600, "delivered": 400}))
        .await;
    let money = t.fake().money();
    money.void(&first, OnVoid::Return);
    t.hear().await;
    t.stands(&id, json!({"applied": 300, "delivered": 700}))
        .await;
    assert_eq!(
        t.postings(&id, "applied").await.pop().expect("one")["amount"],
        -300
    );
    money.void(&second, OnVoid::Consume);
    money.mark_uncollectible(&third);
    t.hear().await;
    t.bill("cus_a", 50);
    t.hear().await;
    t.stands(&id, json!({"applied": 350, "delivered": 650}))
        .await;
}

async fn lines_are_read_only_where_there_is_a_credit_of_ours(t: &Bench) {
    t.delivering(json!({})).await;
    t.payer("a", "cus_a").await;
    t.fake().money().adjust("cus_a", -300, "usd");
    t.bill("cus_a", 100);
    t.hear().await;
    tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
    let is_list = |one: &fake_stripe::Received| one.path.ends_with("/balance_transactions");
    assert!(!t.fake().requests().iter().any(is_list));
    assert_eq!(t.count("stripe_balances").await, 0);
}

/// Waits until nothing more is asked of Stripe.
async fn rests(t: &Bench) {
    let mut before = usize::MAX;
    while before != t.fake().requests().len() {
        before = t.fake().requests().len();
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    }
}

async fn lines_that_do_not_follow_wait_for_a_person(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    let id = t.give(&customer, 1000).await;
    t.delivery(&id, "delivered").await;
    let gone = t.fake().money().adjust("cus_a", -70, "usd");
    t.bill("cus_a", 300);
    t.fake()
        .with_books(|books| books.balance_transactions.remove(&gone));
    t.hear().await;
    let credit = t.delivery(&id, "needs_attention").await;
    assert_eq!(credit["delivery"]["reason"], "history_unclear");
    assert_eq!(credit["amounts"]["applied"], 0);
    rests(t).await;
    // Somebody has found out what was wrong.
    let line = json!({
        "id": gone, "object": "customer_balance_transaction", "amount": -70, "created": t.seconds(),
        "currency": "usd", "customer": "cus_a", "description": null, "ending_balance": -1070, "invoice": null,
        "livemode": false, "metadata": {}, "type": "adjustment",
    });
    t.fake().with_books(|books| {
        let newest = books.balance_transactions.newest_first();
        let after: Value = (*newest.first().expect("the invoice's")).clone();
        let after_id = after["id"].as_str().expect("an id").to_owned();
        books.balance_transactions.remove(&after_id);
        books.balance_transactions.put(line);
        books.balance_transactions.put(after);
    });
    let body = json!({"reason": "mended"});
    let path = format!("referrals/credits/{id}/retry");
    t.key.post(&path, body).await.ok();
    t.stands(&id, json!({"applied": 300, "delivered": 700}))
        .await;
}
