//! A write with a cookie must come from our own pages.

use reqwest::Method;
use serde_json::json;

use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;

on_both_engines! {
    a_write_from_elsewhere_is_refused,
    without_fetch_metadata_the_origin_decides,
    with_a_base_url_only_that_origin_will_do with behind_a_name,
    reads_and_keys_need_no_origin,
}

const EMAIL: &str = "ada@example.com";

/// The status of a write by the owner with these headers.
async fn write(t: &Bench, headers: &[(&str, &str)]) -> u16 {
    let body = json!({"enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1});
    let mut call = t.owner.bare(Method::PUT, "referrals/config");
    for (name, value) in headers {
        call = call.header(name, value);
    }
    let answer = call.json(&body).send().await;
    if answer.status == 403 {
        assert_eq!(answer.reason(), "cross_site_request");
    }
    answer.status
}

async fn a_write_from_elsewhere_is_refused(t: &Bench) {
    let own = t.nodes[0].origin.clone();
    let before = t.dump().await;
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "SAME-ORIGIN")],
        vec![("sec-fetch-site", "")],
        vec![("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        vec![
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        vec![("origin", "null")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "http://127.0.0.1")],
        vec![("origin", "")],
        vec![("referer", own.as_str())],
    ] {
        assert_eq!(write(t, &headers).await, 403, "{headers:?}");
    }
    assert_eq!(t.dump().await, before);
    for site in ["same-origin", "none"] {
        assert_eq!(write(t, &[("sec-fetch-site", site)]).await, 200);
    }
}

async fn without_fetch_metadata_the_origin_decides(t: &Bench) {
    let own = t.nodes[0].origin.clone();
    assert_eq!(write(t, &[("origin", &own)]).await, 200);
    let with_path = format!("{own}/");
    assert_eq!(write(t, &[("origin", &with_path)]).await, 403);
    let longer = format!("{own}.evil.example");
    assert_eq!(write(t, &[("origin", &longer)]).await, 403);
}

fn behind_a_name() -> Setup {
    Setup {
        settings: |args| args.base_url = Some("http://referrals.example:8000".to_owned()),
        ..Setup::default()
    }
}

async fn with_a_base_url_only_that_origin_will_do(t: &Bench) {
    let own = t.nodes[0].origin.clone();
    assert_eq!(write(t, &[("origin", &own)]).await, 403);
    assert_eq!(
        write(t, &[("origin", "http://referrals.example:8000")]).await,
        200
    );
    for other in ["https://referrals.example:8000", "http://referrals.example"] {
        assert_eq!(write(t, &[("origin", other)]).await, 403);
    }
}

async fn reads_and_keys_need_no_origin(t: &Bench) {
    let evil = ("sec-fetch-site", "cross-site");
    let call = t
        .owner
        .bare(Method::GET, "customers")
        .header(evil.0, evil.1);
    call.send().await.ok();
    let call = t.key.call(Method::POST, "customers").header(evil.0, evil.1);
    call.json(&json!({"email": EMAIL})).send().await.created();
    // A cookie beside a key is not looked at.
    let call = t
        .owner
        .bare(Method::POST, "customers")
        .header(evil.0, evil.1);
    let call = call.header("authorization", &format!("Bearer {}", t.key.key));
    call.json(&json!({"email": EMAIL}))
        .send()
        .await
        .refused("customer_exists");
}
