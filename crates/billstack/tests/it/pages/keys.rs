//! `/t/{teamId}/keys`.

use super::{hidden, led, look, send};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller, CookieClient, KeyClient};
use crate::support::fixture::text;

on_both_engines! {
    a_key_is_shown_until_somebody_has_kept_it,
    a_form_with_a_fault_comes_back_and_makes_no_key,
    a_key_of_another_tab_hides_none,
    a_key_is_revoked_once,
    a_key_shows_the_day_on_which_it_was_used,
}

fn path(t: &Bench) -> String {
    format!("/t/{}/keys", t.home.team)
}

/// The same browser, with the cookie of an answer.
fn with_cookie(client: &CookieClient, answer: &Answer) -> CookieClient {
    let cookie = answer.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    CookieClient::new(client.wire(), &format!("{}; {cookie}", client.cookie))
}

async fn a_key_is_shown_until_somebody_has_kept_it(t: &Bench) {
    let path = path(t);
    let once = hidden(&look(&t.owner, &path).send().await, "once");
    let fields = [
        ("once", once.as_str()),
        ("name", "\"><img src=x onerror=alert(1)>"),
        ("projectId", t.home.project.as_str()),
        ("scopes", "customers:write"),
        ("scopes", "referrals:read"),
        ("expiresAt", "2026-12-24"),
    ];
    let made = send(&t.owner, &path, &fields).await;
    assert_eq!(led(&made), path);
    let browser = with_cookie(&t.owner, &made);
    let page = look(&browser, &path).send().await;
    let calls = format!(
        "/api/billstack/teams/{}/projects/{}\"",
        t.home.team, t.home.project
    );
    assert!(page.text.contains(&calls), "{page:?}");
    let (_, secret) = page.text.split_once("data-copy=\"bs_").expect("the key");
    let secret = format!("bs_{}", &secret[..48]);
    assert!(!page.text.contains("<img src=x"), "{page:?}");
    for part in ["customers:write, referrals:read", "24 Dec 2026", "home: "] {
        assert!(page.text.contains(part), "{part}: {page:?}");
    }
    let key = KeyClient::new(t.key.wire(), &secret);
    key.get("customers").await.ok();
    key.get("webhook-endpoints")
        .await
        .refused("insufficient_scope");
    // Another look shows it again; another person, or another browser, never sees it.
    assert!(look(&browser, &path).send().await.text.contains(&secret));
    assert!(!look(&t.owner, &path).send().await.text.contains(&secret));
    let admin = t.member(billstack_core::access::Role::Admin).await;
    assert!(
        !look(&with_cookie(&admin, &made), &path)
            .send()
            .await
            .text
            .contains("data-copy=\"bs_")
    );
    let mark = hidden(&page, "mark");
    let kept = send(&browser, &format!("{path}/kept"), &[("mark", &mark)]).await;
    assert_eq!(led(&kept), path);
    let ended = kept.header("set-cookie").expect("a cookie");
    assert!(
        ended.starts_with(&format!("billstack_shown_{mark}=;")) && ended.contains("Max-Age=0"),
        "{ended}"
    );
    let keys = t.count("api_keys").await;
    let again = send(&t.owner, &path, &fields).await;
    assert!(again.text.contains("Already done"), "{again:?}");
    assert!(again.header("set-cookie").is_none());
    assert_eq!(t.count("api_keys").await, keys);
}

async fn a_key_of_another_tab_hides_none(t: &Bench) {
    let path = path(t);
    let mut browser = t.owner.clone();
    for name in ["First", "Second"] {
        let once = hidden(&look(&t.owner, &path).send().await, "once");
        let made = send(&t.owner, &path, &[("once", &once), ("name", name)]).await;
        assert_eq!(led(&made), path);
        browser = with_cookie(&browser, &made);
    }
    let page = look(&browser, &path).send().await;
    let shown: Vec<_> = page.text.split("data-copy=\"bs_").skip(1).collect();
    assert_eq!(shown.len(), 2, "{page:?}");
    assert_ne!(&shown[0][..48], &shown[1][..48]);
    // Each is ended by itself.
    let first = hidden(&page, "mark");
    let kept = send(&browser, &format!("{path}/kept"), &[("mark", &first)]).await;
    let ended = kept.header("set-cookie").expect("a cookie");
    assert!(
        ended.starts_with(&format!("billstack_shown_{first}=;")),
        "{ended}"
    );
    let second = page.text.rsplit("name=\"mark\" value=\"").next();
    assert!(!second.expect("another").starts_with(&first));
    // What is no mark names no other cookie.
    let forged = [("mark", "x=1; Path=/; a")];
    let forged = send(&browser, &format!("{path}/kept"), &forged).await;
    let ended = forged.header("set-cookie").expect("a cookie");
    assert!(ended.starts_with("billstack_shown_=; Path=/t/"), "{ended}");
}

async fn a_form_with_a_fault_comes_back_and_makes_no_key(t: &Bench) {
    let path = path(t);
    let (once, keys) = ("ab".repeat(16), t.count("api_keys").await);
    for (field, fields) in [
        ("name", [("name", ""), ("projectId", "")]),
        ("expiresAt", [("name", "Mine"), ("expiresAt", "2020-01-01")]),
        ("expiresAt", [("name", "Mine"), ("expiresAt", "soon")]),
        ("scopes", [("name", "Mine"), ("scopes", "everything")]),
        ("projectId", [("name", "Mine"), ("projectId", "proj_none")]),
    ] {
        let fields = [&[("once", once.as_str())], &fields[..]].concat();
        let page = send(&t.owner, &path, &fields).await;
        assert_eq!(page.status, 400, "{field}: {page:?}");
        let is_told = page.text.contains("aria-invalid") || page.text.contains("role=\"alert\"");
        assert!(is_told, "{field}: {page:?}");
        assert!(fields[1].1.is_empty() || page.text.contains("value=\"Mine\""));
    }
    assert_eq!(t.count("api_keys").await, keys);
}

async fn a_key_is_revoked_once(t: &Bench) {
    let (id, key) = t
        .key(None, &[billstack_core::access::Scope::CustomersRead], None)
        .await;
    let page = look(&t.owner, &path(t)).send().await;
    assert!(page.text.contains(&format!("name=\"id\" value=\"{id}\"")));
    let revoke = format!("{}/revoke", path(t));
    let once = "cd".repeat(16);
    let fields = [("once", once.as_str()), ("id", id.as_str())];
    let done = send(&t.owner, &revoke, &fields).await;
    assert_eq!(led(&done), format!("{}?done=revoked", path(t)));
    let said = look(&t.owner, led(&done)).send().await;
    assert!(said.text.contains("The key is revoked"), "{said:?}");
    let again = send(&t.owner, &revoke, &fields).await;
    assert!(again.text.contains("Already done"));
    key.get("customers").await.refused("api_key_revoked");
    let page = look(&t.owner, &path(t)).send().await;
    assert!(page.text.contains(">Revoked</span>"), "{page:?}");
    let stranger = t.tenant("stranger").await;
    let other = format!("/t/{}/keys/revoke", stranger.team);
    let once = "ef".repeat(16);
    let foreign = [("once", once.as_str()), ("id", id.as_str())];
    assert_eq!(send(&stranger.owner, &other, &foreign).await.status, 400);
}

async fn a_key_shows_the_day_on_which_it_was_used(t: &Bench) {
    let (id, key) = t
        .key(None, &[billstack_core::access::Scope::CustomersRead], None)
        .await;
    let day = async || {
        let list = t.owner.get(&t.home.path("api-keys")).await.ok();
        let keys = list["keys"].as_array().expect("a list").iter();
        let mut found = keys.filter(|key| key["id"] == id.as_str());
        found.next().expect("the key")["lastUsedOn"].clone()
    };
    assert!(day().await.is_null());
    assert!(
        look(&t.owner, &path(t))
            .send()
            .await
            .text
            .contains(">never</span>")
    );
    key.get("customers").await.ok();
    assert_eq!(text(&day().await), "2026-03-30");
    t.later(billstack_core::time::DAY).await;
    assert_eq!(text(&day().await), "2026-03-30");
    key.get("customers").await.ok();
    assert_eq!(text(&day().await), "2026-03-31");
    assert!(
        look(&t.owner, &path(t))
            .send()
            .await
            .text
            .contains(">31 Mar 2026</time>")
    );
}
