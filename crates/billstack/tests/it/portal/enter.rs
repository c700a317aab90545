//! `GET /portal/enter/{ticket}`.

use billstack_core::time::SECOND;
use reqwest::Method;
use serde_json::json;

use super::session;
use crate::links::{BROWSER, Followed, send};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Caller, http};
use crate::support::fixture::text;

on_both_engines! {
    a_ticket_lets_in_once,
    who_only_looks_uses_nothing_up,
    a_ticket_lasts_a_minute_and_ends_with_its_session,
    over_https_the_cookie_is_of_the_host with over_https,
}

fn over_https() -> Setup {
    Setup {
        settings: |args| args.base_url = Some("https://referrals.example.com".to_owned()),
        ..Setup::default()
    }
}

/// A ticket of a new session of a customer, as a path.
pub(super) async fn ticket(t: &Bench, customer: &str) -> String {
    let url = text(&session(t, customer, json!({})).await["url"]);
    let at = url.find("/portal/enter/").expect("a way in");
    url[at..].to_owned()
}

async fn enter(t: &Bench, path: &str) -> Followed {
    send(t, Method::GET, path, &[("user-agent", BROWSER)]).await
}

/// The cookie that an answer sets, as it is sent back.
pub(super) fn cookie(entered: &Followed) -> String {
    let set = entered.headers.get("set-cookie").expect("a cookie");
    let set = set.to_str().expect("text");
    set.split(';').next().expect("a pair").to_owned()
}

#[track_caller]
fn assert_refused(answer: &Followed) {
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(!answer.headers.contains_key("set-cookie"));
}

async fn a_ticket_lets_in_once(t: &Bench) {
    let ada = t.customer("ada").await;
    let path = ticket(t, &ada).await;
    let entered = enter(t, &path).await;
    assert_eq!(entered.status, 303, "{entered:?}");
    assert_eq!(entered.headers["location"], "/portal");
    let set = entered.headers["set-cookie"].to_str().expect("text");
    assert!(set.starts_with("billstack_portal=bp_"), "{set}");
    let seconds = set
        .split("Max-Age=")
        .nth(1)
        .and_then(|rest| rest.split(';').next());
    let seconds: u32 = seconds.expect("an age").parse().expect("a number");
    assert!((890..=900).contains(&seconds), "{set}");
    assert!(set.ends_with("; HttpOnly; SameSite=Lax"), "{set}");
    assert_eq!(entered.headers["cache-control"], "no-store");
    assert_eq!(entered.headers["referrer-policy"], "no-referrer");
    assert_refused(&enter(t, &path).await);
    let path = ticket(t, &ada).await;
    let (origin, path) = (t.nodes[0].origin.clone(), &path);
    let calls = (0..8).map(|_| {
        let http = http().redirect(reqwest::redirect::Policy::none());
        let request = http
            .build()
            .expect("a client")
            .get(format!("{origin}{path}"));
        async move { request.send().await.expect("an answer").status().as_u16() }
    });
    let mut statuses = Bench::at_once(calls).await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 303);
    assert!(
        statuses[1..].iter().all(|status| *status == 401),
        "{statuses:?}"
    );
    let unknown = format!("{}0", &path[..path.len() - 1]);
    let other = format!("/portal/enter/{}.{}", t.home.team, "0".repeat(64));
    for bad in [&unknown, &other, "/portal/enter/x", "/portal/enter/%00.x"] {
        assert_refused(&enter(t, bad).await);
        // A person is told in words, and keeps the session that they may have.
        let call = t.nobody.call(Method::GET, bad);
        let call = call.header("user-agent", BROWSER);
        let call = call.header("accept", "text/html,*/*;q=0.8");
        // Customers' pages have a frame of their own.
        let page = call.send_beside_a_newer_version().await;
        assert_eq!(page.status, 401, "{page:?}");
        assert!(page.text.contains("<h1>"), "{page:?}");
        assert_eq!(page.header("set-cookie"), None);
    }
}

async fn who_only_looks_uses_nothing_up(t: &Bench) {
    let ada = t.customer("ada").await;
    let path = ticket(t, &ada).await;
    let agent = ("user-agent", BROWSER);
    for (method, headers) in [
        (Method::HEAD, vec![agent]),
        (
            Method::GET,
            vec![agent, ("sec-purpose", "prefetch;prerender")],
        ),
        (Method::GET, vec![agent, ("purpose", "preview")]),
        (Method::GET, vec![agent, ("x-moz", "prefetch")]),
        (Method::GET, vec![("user-agent", "WhatsApp/2.23.20.0 A")]),
        (
            Method::GET,
            vec![("user-agent", "Slackbot-LinkExpanding 1.0")],
        ),
    ] {
        let looked = send(t, method, &path, &headers).await;
        assert_eq!(looked.status, 204, "{headers:?}");
        assert!(!looked.headers.contains_key("set-cookie"));
    }
    assert_eq!(enter(t, &path).await.status, 303);
}

async fn a_ticket_lasts_a_minute_and_ends_with_its_session(t: &Bench) {
    let ada = t.customer("ada").await;
    let path = ticket(t, &ada).await;
    t.advance(61 * SECOND);
    assert_refused(&enter(t, &path).await);
    let path = ticket(t, &ada).await;
    t.key.post("portal/end-sessions", json!({})).await.ok();
    assert_refused(&enter(t, &path).await);
    let path = ticket(t, &ada).await;
    t.erase(&ada).await;
    assert_refused(&enter(t, &path).await);
    assert_eq!(t.count("portal_tickets").await, 0);
}

async fn over_https_the_cookie_is_of_the_host(t: &Bench) {
    let ada = t.customer("ada").await;
    let entered = enter(t, &ticket(t, &ada).await).await;
    assert!(cookie(&entered).starts_with("__Host-billstack_portal=bp_"));
    let set = entered.headers["set-cookie"].to_str().expect("text");
    assert!(
        set.contains("; Path=/;") && set.ends_with("; Secure"),
        "{set}"
    );
    assert!(!set.contains("Domain"), "{set}");
}
