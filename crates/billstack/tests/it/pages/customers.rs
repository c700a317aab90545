//! `…/customers` and `…/customers/{id}`.

use serde_json::json;

use super::look;
use crate::support::bench::Bench;
use crate::support::fixture::text;

on_both_engines! {
    whoever_is_sought_is_found_by_anything_that_names_them,
    a_customer_shows_whom_they_brought_and_what_they_have,
}

async fn page(t: &Bench, rest: &str) -> String {
    let path = format!("/t/{}/p/{}/customers{rest}", t.home.team, t.home.project);
    let answer = look(&t.owner, &path).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

async fn whoever_is_sought_is_found_by_anything_that_names_them(t: &Bench) {
    assert!(page(t, "").await.contains("No customer yet."));
    let body = json!({
        "email": "grace@example.com", "name": "Grace", "externalId": "user 7", "stripeCustomerId": "cus_grace",
    });
    let grace = text(&t.customer_with(body).await["id"]);
    t.customer("other").await;
    let everybody = page(t, "").await;
    assert!(everybody.contains(">Grace</a>") && everybody.contains(">other</a>"));
    for q in [
        "Grace%40Example.com",
        "user+7",
        "cus_grace",
        &grace,
        &format!("+{grace}+"),
    ] {
        let found = page(t, &format!("?q={q}")).await;
        assert!(
            found.contains(">Grace</a>") && !found.contains(">other</a>"),
            "{q}: {found}"
        );
    }
    let nobody = page(t, "?q=grace").await;
    assert!(nobody.contains("Nobody has this address or id"));
    assert!(nobody.contains("value=\"grace\""));
}

async fn a_customer_shows_whom_they_brought_and_what_they_have(t: &Bench) {
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    t.subscribe(&pair).await;
    let referrer = page(t, &format!("/{}", pair.referrer)).await;
    for part in [
        ">10.00 USD</span>",
        ">ann-referee@example.com</a>",
        "not linked",
        "referred somebody",
        "aria-current=\"page\">Customers</a>",
    ] {
        assert!(referrer.contains(part), "{part}: {referrer}");
    }
    let referee = page(t, &format!("/{}", pair.referee)).await;
    assert!(referee.contains("was referred") && referee.contains("<code>cus_ann</code>"));
    let other = page(t, &format!("/{}", t.customer("zoe").await)).await;
    assert!(other.contains("none yet") && other.contains("They have brought nobody"));
}
