//! `/sign-in` and `/sign-out`.

use super::{led, look, send, session};
use crate::api::auth::invite;
use crate::support::bench::Bench;
use crate::support::client::{Caller, CookieClient};
use serde_json::json;

on_both_engines! {
    signing_in_leads_on,
    nobody_learns_which_address_is_known,
    guessing_is_told_to_wait,
    signing_out_ends_the_session,
}

const EMAIL: &str = "grace@example.com";
const PASSWORD: &str = "kelp-Onion-77";

/// Somebody in the usual team with a password.
pub(super) async fn grace(t: &Bench) -> CookieClient {
    let token = invite(t, EMAIL, "member").await;
    let body = json!({"name": "Grace", "email": EMAIL, "password": PASSWORD, "token": token});
    let answer = t.nobody.post("/api/auth/sign-up/email", body).await;
    session(t, &answer)
}

async fn signing_in_leads_on(t: &Bench) {
    grace(t).await;
    let page = look(&t.nobody, "/sign-in?next=/account%3Fa%3Db")
        .send()
        .await;
    assert!(page.text.contains("name=\"next\" value=\"/account?a=b\""));
    for (next, place) in [
        ("/account?a=b", "/account?a=b"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\r\nset-cookie: a=b", "/"),
    ] {
        let fields = [
            ("email", " Grace@Example.com"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let answer = send(&t.nobody, "/sign-in", &fields).await;
        assert_eq!(led(&answer), place, "{next}");
        let session = session(t, &answer);
        assert_eq!(look(&session, "/account").send().await.status, 200);
        let again = look(&session, "/sign-in?next=/t").send().await;
        assert_eq!(led(&again), "/t");
    }
}

async fn nobody_learns_which_address_is_known(t: &Bench) {
    grace(t).await;
    let mut told = Vec::new();
    for email in [EMAIL, "nobody@example.com"] {
        let fields = [("email", email), ("password", "wrong-Onion-77")];
        let page = send(&t.nobody, "/sign-in", &fields).await;
        assert_eq!(page.status, 400);
        assert!(!page.text.contains("wrong-Onion-77"));
        let id = page.header("x-request-id").expect("an id").to_owned();
        told.push(page.text.replace(email, "it").replace(&id, "id"));
    }
    assert_eq!(told[0], told[1]);
    assert!(told[0].contains("value=\"it\""));
}

async fn guessing_is_told_to_wait(t: &Bench) {
    grace(t).await;
    let fields = [("email", EMAIL), ("password", "wrong-Onion-77")];
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(send(&t.nobody, "/sign-in", &fields).await);
    }
    let last = answers.pop().expect("an answer");
    assert_eq!(last.status, 429);
    assert!(last.is_page() && last.text.contains("Wait "), "{last:?}");
    let wait = last
        .header("retry-after")
        .and_then(|wait| wait.parse().ok());
    assert!(wait.is_some_and(|wait: u64| wait > 0), "{last:?}");
}

async fn signing_out_ends_the_session(t: &Bench) {
    let grace = grace(t).await;
    let out = send(&grace, "/sign-out", &[]).await;
    assert_eq!(led(&out), "/sign-in");
    assert_eq!(out.header("clear-site-data"), Some("\"cache\""));
    assert!(led(&look(&grace, "/account").send().await).starts_with("/sign-in"));
}
