//! `…/referrals/credits` and `…/customers/{id}/credit-balance`.

mod create;
pub(crate) mod delivery;
mod held;
mod moves;

use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::{pluck, text};

on_both_engines! {
    a_conversion_grants_each_side_once,
    a_side_without_an_amount_gets_no_credit,
    each_filter_narrows_the_list,
    balances_are_sums_by_currency,
    unknown_credits_and_customers_are_404,
}

async fn a_conversion_grants_each_side_once(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    assert_eq!(
        t.key.get("referrals/credits").await.ok(),
        json!({"credits": []})
    );
    t.subscribe(&pair).await;
    t.accept(&t.completed(&pair.stripe)).await;
    let credits = t.credits().await;
    assert_eq!(credits.len(), 2);
    for (side, customer, amount) in [
        ("referrer", &pair.referrer, 1000),
        ("referee", &pair.referee, 500),
    ] {
        let credit = credits.iter().find(|credit| credit["side"] == side);
        let credit = credit.expect("a credit of each side");
        let id = text(&credit["id"]);
        assert!(id.starts_with("cr_") && id.len() == 29, "{id}");
        let expected = json!({
            "id": id, "kind": "referral", "referralId": referral, "customerId": customer,
            "side": side, "amount": amount, "currency": "usd", "status": "granted",
            "amounts": {"held": 0, "available": amount, "delivered": 0, "applied": 0, "settled": 0, "reversed": 0,
                "shortfall": 0},
            "delivery": {"state": "none", "reason": null, "message": null, "stripeCustomerId": null,
                "transactionId": null, "attempts": 0, "nextAttemptAt": null},
            "heldUntil": null, "createdAt": credit["createdAt"],
        });
        assert_eq!(*credit, expected);
        let answer = t.key.get(&format!("referrals/credits/{id}")).await.ok();
        assert_eq!(answer, json!({"credit": expected}));
    }
}

async fn a_side_without_an_amount_gets_no_credit(t: &Bench) {
    let pairs = [t.pair("a").await, t.pair("b").await, t.pair("c").await];
    for (pair, (referrer, referee)) in pairs.iter().zip([(0, 7), (9, 0), (0, 0)]) {
        t.program(referrer, referee).await;
        let referral = text(&t.apply(pair).await["id"]);
        t.subscribe(pair).await;
        assert_eq!(t.status(&referral).await, "converted");
        let path = format!("referrals/credits?referralId={referral}");
        let credits = t.key.get(&path).await.ok()["credits"].take();
        let amounts: Vec<_> = credits.as_array().expect("a list").iter().collect();
        let expected: Vec<i64> = [referrer, referee].into_iter().filter(|a| *a > 0).collect();
        assert_eq!(amounts.len(), expected.len());
        for (credit, amount) in amounts.iter().zip(expected) {
            assert_eq!(credit["amount"], amount);
        }
    }
}

async fn each_filter_narrows_the_list(t: &Bench) {
    let (one, first) = t.pending("one").await;
    let (two, _) = t.pending("two").await;
    t.subscribe(&one).await;
    t.subscribe(&two).await;
    for (query, number) in [
        (format!("customerId={}", one.referrer), 1),
        (format!("referralId={first}"), 2),
        ("side=referee".to_owned(), 2),
        ("kind=referral".to_owned(), 4),
        ("kind=manual".to_owned(), 0),
        ("from=2000-01-01T00:00:00Z".to_owned(), 4),
        ("to=2000-01-01T00:00:00Z".to_owned(), 0),
        (
            "from=2000-01-01T00:00:00Z&to=9999-12-31T00:00:00Z&side=referrer".to_owned(),
            2,
        ),
        ("side=referrer&status=granted".to_owned(), 2),
        (format!("side=referee&customerId={}", one.referrer), 0),
        ("referralId=ref_unknown".to_owned(), 0),
    ] {
        let list = t.key.get(&format!("referrals/credits?{query}")).await.ok();
        assert_eq!(pluck(&list["credits"], "id").len(), number, "{query}");
    }
    for (query, field) in [
        ("side=both", "side"),
        ("status=paid", "status"),
        ("kind=gift", "kind"),
        ("from=yesterday", "from"),
        ("to=2026-13-01T00:00:00Z", "to"),
    ] {
        let answer = t.key.get(&format!("referrals/credits?{query}"));
        answer.await.invalid(field);
    }
    let page = t.key.get("referrals/credits?limit=3").await.ok();
    let cursor = text(&page["nextCursor"]);
    let rest = t
        .key
        .get(&format!("referrals/credits?limit=3&cursor={cursor}"));
    let rest = rest.await.ok();
    let mut ids = pluck(&page["credits"], "id");
    ids.extend(pluck(&rest["credits"], "id"));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

async fn balances_are_sums_by_currency(t: &Bench) {
    let pair = t.pair("a").await;
    let path = format!("customers/{}/credit-balance", pair.referrer);
    assert_eq!(t.key.get(&path).await.ok(), json!({"balances": []}));
    for (number, currency) in ["usd", "usd", "eur"].iter().enumerate() {
        let body = json!({
            "enabled": true, "referrerCreditAmount": 300, "refereeCreditAmount": 0,
            "currency": currency,
        });
        t.key.put("referrals/config", body).await.ok();
        let stripe = format!("cus_{number}");
        let referee = t.linked(&format!("r{number}"), &stripe).await;
        let pair = crate::support::fixture::Pair {
            referee,
            stripe,
            ..pair.clone()
        };
        t.apply(&pair).await;
        t.subscribe(&pair).await;
    }
    let answer = t.key.get(&path).await.ok();
    let mut balances = answer["balances"].as_array().expect("a list").clone();
    balances.sort_by_key(|balance| text(&balance["currency"]));
    assert_eq!(
        balances,
        [
            json!({"currency": "eur", "amount": 300}),
            json!({"currency": "usd", "amount": 600})
        ]
    );
}

async fn unknown_credits_and_customers_are_404(t: &Bench) {
    t.key
        .get("referrals/credits/cr_unknown")
        .await
        .refused("credit_not_found");
    let answer = t.key.get("customers/pc_unknown/credit-balance").await;
    answer.refused("customer_not_found");
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    let (_, key) = t.project("other").await;
    let id = text(&t.credits().await[0]["id"]);
    key.get(&format!("referrals/credits/{id}"))
        .await
        .refused("credit_not_found");
    let path = format!("customers/{}/credit-balance", pair.referrer);
    key.get(&path).await.refused("customer_not_found");
}
