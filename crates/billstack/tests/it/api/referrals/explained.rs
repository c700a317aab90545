//! `explanation` of `GET …/referrals/{id}`.

use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{apply_body, text};

on_both_engines! {
    what_must_happen_is_told_step_by_step,
    a_conversion_tells_of_its_credits,
    what_was_withheld_is_told,
    what_is_closed_tells_why_and_names_nobody,
}

async fn what_must_happen_is_told_step_by_step(t: &Bench) {
    t.program(1000, 500).await;
    let (ada, grace) = (t.customer("ada").await, t.customer("grace").await);
    let code = t.code(&ada).await;
    let body = apply_body(&code, &grace);
    let answer = t.key.post("referrals/apply", body).await.created();
    let id = text(&answer["referral"]["id"]);
    let (why, next) = t.explained(&id).await;
    assert!(
        why.ends_with("No event of Stripe has told of a subscription of the friend since."),
        "{why}"
    );
    let [connect, link, subscribe] = next.as_slice() else {
        panic!("{next:?}");
    };
    assert!(connect.contains("connect Stripe"), "{connect}");
    assert!(
        link.contains("which customer of Stripe the friend is"),
        "{link}"
    );
    assert_eq!(
        subscribe,
        "Stripe must tell of a subscription that began on 2026-03-29 12:00 UTC or later."
    );

    t.connect().await;
    t.link(&grace, json!("cus_grace")).await;
    assert_eq!(
        t.explained(&id).await.1.as_slice(),
        std::slice::from_ref(subscribe)
    );

    let subscription = t.subscription("cus_grace").status("incomplete");
    t.accept(&t.event("customer.subscription.created", &subscription))
        .await;
    let (why, next) = t.explained(&id).await;
    assert!(why.contains("(customer.subscription.created)"), "{why}");
    assert!(
        why.ends_with("its subscription waits for its first payment."),
        "{why}"
    );
    let [pay] = next.as_slice() else {
        panic!("{next:?}");
    };
    assert!(
        pay.starts_with("The first payment of that subscription must succeed"),
        "{pay}"
    );
    assert!(
        pay.ends_with("a subscription that began on 2026-03-29 12:00 UTC or later."),
        "{pay}"
    );

    let path = format!("referrals/codes/{code}");
    t.key.delete(&path).await.ok();
    t.put_program(&t.key, false, 1000, 500).await;
    let (why, _) = t.explained(&id).await;
    let said = "The code has been deactivated since, and the program is switched off: that changes nothing for whoever \
                applied before.";
    assert!(why.ends_with(said), "{why}");
}

async fn a_conversion_tells_of_its_credits(t: &Bench) {
    t.program(1000, 500).await;
    let program = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "holdDays": 30,
    });
    t.key.put("referrals/config", program).await.ok();
    t.connect().await;
    let (ada, grace) = (
        t.customer("ada").await,
        t.linked("grace", "cus_grace").await,
    );
    let body = apply_body(&t.code(&ada).await, &grace);
    let answer = t.key.post("referrals/apply", body).await.created();
    let id = text(&answer["referral"]["id"]);
    t.accept(&t.created("cus_grace")).await;
    let (why, next) = t.explained(&id).await;
    assert!(
        why.ends_with(
            "Stripe told that the friend subscribed. The referrer got 10.00 USD, which is held. The friend got \
             5.00 USD, which is held."
        ),
        "{why}"
    );
    assert_eq!(next.len(), 2);
    assert!(
        next[0].starts_with("The credit of the referrer is held until 2026-04-29 12:"),
        "{next:?}"
    );
    for credit in t.credits().await {
        let path = format!("referrals/credits/{}/release", text(&credit["id"]));
        t.key
            .post(&path, json!({"reason": "they are known"}))
            .await
            .ok();
    }
    let (why, next) = t.explained(&id).await;
    assert!(
        why.ends_with("The referrer got 10.00 USD. The friend got 5.00 USD."),
        "{why}"
    );
    assert_eq!(next, Vec::<String>::new());
}

async fn what_was_withheld_is_told(t: &Bench) {
    let (pair, id) = t.pending("a").await;
    let program = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500,
        "maxConversionsPerReferrer": {"total": 0},
    });
    t.key.put("referrals/config", program).await.ok();
    t.subscribe(&pair).await;
    let (why, _) = t.explained(&id).await;
    let said = "The referrer got no credit: the program pays 0 conversions of one referrer in all, and that many had been \
                paid. The friend got 5.00 USD.";
    assert!(why.ends_with(said), "{why}");
}

async fn what_is_closed_tells_why_and_names_nobody(t: &Bench) {
    let (pair, id) = t.pending("a").await;
    t.erase(&pair.referee).await;
    let (why, next) = t.explained(&id).await;
    let said = "It was closed without a conversion on 2026-03-30 12:00 UTC, and nothing can convert it any more: the \
                friend or the referrer was erased.";
    assert_eq!(why, said);
    assert_eq!(next, Vec::<String>::new());
    let (other, pending) = t.pending("b").await;
    for id in [id, pending] {
        let answer = t.key.get(&format!("referrals/{id}")).await.ok();
        let said = answer["referral"]["explanation"].to_string();
        for secret in [
            &pair.referrer,
            &pair.referee,
            &other.referrer,
            &other.referee,
            &other.stripe,
        ] {
            assert!(!said.contains(secret.as_str()), "{said}");
        }
        assert!(
            !said.contains('@') && answer["referral"]["explanation"]["why"] != Value::Null,
            "{said}"
        );
    }
}
