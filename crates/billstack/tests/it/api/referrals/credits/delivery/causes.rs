//! Deliveries that wait for somebody, and what lets them go on.

use billstack_core::time::MINUTE;
use fake_stripe::{Customer, EventObject as _, Fault, Generation, Injection};
use serde_json::{Value, json};

use super::stripe;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::stripe::SECRET;

on_both_engines! {
    a_link_lets_a_credit_go_on with stripe,
    the_currency_must_be_the_customers with stripe,
    a_customer_who_is_mended_gets_their_credit with stripe,
    another_customer_is_taken_when_linked_anew with stripe,
    a_key_that_does_not_do_pauses_the_team with stripe,
    a_missing_permission_is_named with stripe,
    a_team_that_is_disconnected_loses_nothing with stripe,
}

async fn reason(t: &Bench, id: &str) -> Value {
    let credit = t.delivery(id, "needs_attention").await;
    credit["delivery"]["reason"].clone()
}

async fn a_link_lets_a_credit_go_on(t: &Bench) {
    // With a key they would be made in Stripe too.
    let customer = t.customer("a").await;
    t.delivering(json!({})).await;
    let id = t.give(&customer, 100).await;
    assert_eq!(reason(t, &id).await, "no_stripe_customer");
    t.known_to_stripe(&Customer::new("cus_a").currency("usd"));
    t.link(&customer, json!("cus_a")).await;
    t.delivery(&id, "delivered").await;
    assert_eq!(t.amounts("cus_a"), [-100]);
}

async fn the_currency_must_be_the_customers(t: &Bench) {
    t.delivering(json!({})).await;
    t.known_to_stripe(&Customer::new("cus_none"));
    t.known_to_stripe(&Customer::new("cus_eur").currency("eur"));
    t.known_to_stripe(&Customer::new("cus_sub").currency("usd"));
    let mut subscription = t.subscription("cus_sub").render(Generation::Endive, false);
    subscription["currency"] = json!("eur");
    t.fake()
        .with_books(|books| books.subscriptions.put(subscription));
    for (stripe, expected) in [
        ("cus_none", "currency_unset"),
        ("cus_eur", "currency_mismatch"),
        ("cus_sub", "currency_mismatch"),
        ("cus_unknown", "customer_unknown"),
    ] {
        let customer = t.linked(stripe, stripe).await;
        let id = t.give(&customer, 100).await;
        assert_eq!(reason(t, &id).await, expected, "{stripe}");
    }
    assert_eq!(t.posts(), 0);
}

async fn a_customer_who_is_mended_gets_their_credit(t: &Bench) {
    t.delivering(json!({})).await;
    t.known_to_stripe(&Customer::new("cus_a"));
    let customer = t.linked("a", "cus_a").await;
    let id = t.give(&customer, 100).await;
    assert_eq!(reason(t, &id).await, "currency_unset");
    let mended = Customer::new("cus_a").currency("usd");
    t.known_to_stripe(&mended);
    t.accept(&t.event("customer.updated", &mended)).await;
    t.delivery(&id, "delivered").await;
    // Deleted between the look at the customer and the call.
    let other = t.payer("b", "cus_b").await;
    let gone = Injection::new(Fault::Status(404)).method("POST");
    t.fake().inject(gone.path_ending("/balance_transactions"));
    let deleted = json!({"id": "cus_b", "object": "customer", "deleted": true});
    let id = t.give(&other, 100).await;
    assert_eq!(reason(t, &id).await, "customer_unknown");
    t.fake().with_books(|books| books.customers.put(deleted));
    let path = format!("referrals/credits/{id}/retry");
    t.key.post(&path, json!({"reason": "again"})).await.ok();
    for _ in 0..1_200 {
        if reason(t, &id).await == "customer_deleted" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{:#}", t.credit(&id).await);
}

async fn another_customer_is_taken_when_linked_anew(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.linked("a", "cus_wrong").await;
    let id = t.give(&customer, 100).await;
    assert_eq!(reason(t, &id).await, "customer_unknown");
    t.known_to_stripe(&Customer::new("cus_right").currency("usd"));
    t.link(&customer, json!("cus_right")).await;
    let credit = t.delivery(&id, "delivered").await;
    assert_eq!(credit["delivery"]["stripeCustomerId"], "cus_right");
    assert_eq!(t.amounts("cus_right"), [-100]);
}

async fn queue(t: &Bench) -> Value {
    let status = t.owner.get(&t.home.path("stripe/status")).await.ok();
    status["queue"].clone()
}

/// Waits until the queue is paused, and tells why.
async fn paused(t: &Bench) -> Value {
    for _ in 0..1_200 {
        let queue = queue(t).await;
        if queue["paused"] == true {
            return queue;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("never paused");
}

async fn a_key_that_does_not_do_pauses_the_team(t: &Bench) {
    t.delivering(json!({})).await;
    assert_eq!(queue(t).await["paused"], false);
    t.fake().accept_only(&["sk_test_2"]);
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let customer = t.payer(name, &format!("cus_{name}")).await;
        ids.push(t.give(&customer, 100).await);
    }
    let queue = paused(t).await;
    assert_eq!(
        (&queue["reason"], &queue["pending"]),
        (&json!("stripe_key_invalid"), &json!(3))
    );
    assert!(queue["oldest"].is_string());
    for id in &ids {
        let credit = t.credit(id).await;
        assert_eq!(credit["delivery"]["state"], "queued");
        assert_eq!(credit["delivery"]["attempts"], 0);
    }
    let body = json!({"secretKey": "sk_test_2", "webhookSecret": SECRET});
    t.connect_with(body).await;
    for (id, name) in ids.iter().zip(["a", "b", "c"]) {
        t.delivery(id, "delivered").await;
        assert_eq!(t.amounts(&format!("cus_{name}")), [-100]);
    }
    let empty = json!({
        "paused": false, "reason": null, "missingPermission": null, "pending": 0, "oldest": null,
    });
    assert_eq!(super::causes::queue(t).await, empty);
}

async fn a_missing_permission_is_named(t: &Bench) {
    t.delivering(json!({})).await;
    let lacks = Injection::missing_permission("rak_customer_write").method("POST");
    t.fake()
        .inject(lacks.path_ending("/balance_transactions").times(2));
    let customer = t.payer("a", "cus_a").await;
    let id = t.give(&customer, 100).await;
    let queue = paused(t).await;
    assert_eq!(queue["reason"], "stripe_permission_missing");
    assert_eq!(queue["missingPermission"], "rak_customer_write");
    let page = t.page(&format!("/p/{}/credits/{id}", t.home.project)).await;
    let said = "waits, as all of the team do: the secret key of the team lacks the permission rak_customer_write";
    assert!(
        page.contains(said) && !page.contains("nobody need do anything"),
        "{page}"
    );
    // The team gives the key the permission: it is tried again by itself.
    t.fake().clear_faults();
    t.advance(15 * MINUTE);
    t.delivery(&id, "delivered").await;
    assert_eq!(super::causes::queue(t).await["paused"], false);
    assert_eq!(t.amounts("cus_a"), [-100]);
}

async fn a_team_that_is_disconnected_loses_nothing(t: &Bench) {
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    let path = t.home.path("stripe/disconnect");
    t.owner.post(&path, json!({})).await.ok();
    let id = t.give(&customer, 100).await;
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    assert_eq!(t.credit(&id).await["delivery"]["state"], "queued");
    t.connect_key().await;
    t.delivery(&id, "delivered").await;
}
