//! Many customers who wait, while few calls are allowed.

use std::time::Duration;

use super::*;

on_both_engines! {
    a_team_waits_for_no_other with slow,
}

/// More than are served at once.
const CROWD: usize = 40;

/// A call a second for each team.
fn slow() -> Setup {
    Setup {
        stripe: true,
        settings: |args| args.stripe_rate = Some("1".to_owned()),
        ..Setup::default()
    }
}

/// How many lines were written with this secret key of Stripe.
fn written_with(t: &Bench, key: &str) -> usize {
    let requests = t.fake().requests();
    let is_line = |one: &&fake_stripe::Received| {
        one.method == "POST"
            && one.path.ends_with("/balance_transactions")
            && one.api_key.as_deref() == Some(key)
    };
    requests.iter().filter(is_line).count()
}

async fn a_team_waits_for_no_other(t: &Bench) {
    t.delivering(json!({})).await;
    for n in 0..CROWD {
        let customer = t.payer(&format!("u{n}"), &format!("cus_{n}")).await;
        t.give(&customer, 100).await;
    }
    let other = t.tenant("other").await;
    let secrets = json!({"secretKey": "sk_test_other", "webhookSecret": SECRET});
    let path = other.path("stripe/connect");
    other.owner.post(&path, secrets).await.ok();
    let config = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
        "creditDelivery": "stripe_balance",
    });
    other.key.put("referrals/config", config).await.ok();
    t.known_to_stripe(&Customer::new("cus_other").currency("usd"));
    let body = json!({"email": "z@example.com", "stripeCustomerId": "cus_other"});
    let made = other.key.post("customers", body).await.created();
    let customer = text(&made["customer"]["id"]);
    let body =
        json!({"customerId": customer, "amount": 100, "currency": "usd", "reason": "Contest"});
    other.key.post("referrals/credits", body).await.created();
    for _ in 0..1_200 {
        if written_with(t, "sk_test_other") == 1 {
            let before = written_with(t, "sk_test_1");
            assert!(before < CROWD / 2, "{before} of another team came first");
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came: {} others did", written_with(t, "sk_test_1"));
}
