//! A form whose session ended while it was filled in.

use reqwest::Method;

use super::sign_in::grace;
use super::{hidden, led, look, send, session};
use crate::support::bench::Bench;
use crate::support::client::{Anonymous, Answer, Caller};

on_both_engines! {
    a_form_comes_back_as_typed_and_is_not_sent,
    what_is_kept_is_of_one_page_and_holds_no_secret,
    a_form_of_another_site_is_not_kept,
}

const EMAIL: &str = "grace@example.com";
const PASSWORD: &str = "kelp-Onion-77";

/// Sends a form of our own page without a session.
async fn send_late(t: &Bench, path: &str, fields: &[(&str, &str)]) -> Answer {
    let nobody = Anonymous::new(t.nobody.wire());
    let call = nobody.call(Method::POST, path);
    let call = call.header("sec-fetch-site", "same-origin");
    call.form(fields).send().await
}

async fn a_form_comes_back_as_typed_and_is_not_sent(t: &Bench) {
    grace(t).await;
    let teams = t.count("teams").await;
    let once = "ab".repeat(16);
    let fields = [
        ("once", once.as_str()),
        ("team", "Acme & Co"),
        ("project", "App"),
    ];
    let page = send_late(t, "/t", &fields).await;
    assert_eq!(page.status, 401, "{page:?}");
    assert!(!page.text.contains("Acme"), "{page:?}");
    let kept = hidden(&page, "kept");
    let next = hidden(&page, "next");
    assert_eq!(next, "/t");
    // A slip at the password loses nothing.
    let typed = |password| {
        [
            ("email", EMAIL),
            ("password", password),
            ("next", "/t"),
            ("kept", kept.as_str()),
        ]
    };
    let slip = send_late(t, "/sign-in", &typed("wrong-Onion-77")).await;
    assert_eq!((slip.status, hidden(&slip, "kept")), (400, kept.clone()));
    let signed = send_late(t, "/sign-in", &typed(PASSWORD)).await;
    assert_eq!(signed.status, 307, "{signed:?}");
    assert_eq!(signed.header("location"), Some("/t"));
    // The browser sends the same form on.
    let grace = session(t, &signed);
    let back = send(&grace, "/t", &typed(PASSWORD)).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert!(back.text.contains("value=\"Acme &amp; Co\""));
    assert!(back.text.contains("value=\"App\""));
    assert!(back.text.contains("Nothing was sent yet"));
    assert!(!back.text.contains(PASSWORD));
    assert_eq!(t.count("teams").await, teams);
    let once = hidden(&back, "once");
    let fields = [
        ("once", once.as_str()),
        ("team", "Acme & Co"),
        ("project", "App"),
    ];
    assert!(led(&send(&grace, "/t", &fields).await).starts_with("/t/team_"));
    assert_eq!(t.count("teams").await, teams + 1);
}

async fn what_is_kept_is_of_one_page_and_holds_no_secret(t: &Bench) {
    let grace = grace(t).await;
    let secret = "tulip-Anchor-88";
    let fields = [
        ("currentPassword", PASSWORD),
        ("newPassword", secret),
        ("username", EMAIL),
    ];
    let page = send_late(t, "/account/password", &fields).await;
    let kept = hidden(&page, "kept");
    let opened = t.app().cipher.open(&kept, "form /account/password");
    assert_eq!(
        opened.as_deref(),
        Ok("[[\"username\",\"grace@example.com\"]]")
    );
    let elsewhere = send(&grace, "/t", &[("kept", &kept)]).await;
    assert_eq!(elsewhere.status, 200, "{elsewhere:?}");
    assert!(!elsewhere.text.contains("value=\"grace@example.com\""));
    // What only asks for something to be done is not done later.
    let page = send_late(t, "/account/sessions", &[]).await;
    assert_eq!(page.status, 401);
    assert!(!page.text.contains("name=\"kept\""));
    let page = send_late(t, "/account/theme", &[("theme", "dark")]).await;
    let kept = hidden(&page, "kept");
    let back = send(&grace, "/account/theme", &[("kept", &kept)]).await;
    assert_eq!(led(&back), "/account");
    assert!(back.header("set-cookie").is_none());
    assert_eq!(look(&grace, "/account").send().await.status, 200);
}

async fn a_form_of_another_site_is_not_kept(t: &Bench) {
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let call = t.nobody.call(Method::POST, "/t").header(name, value);
        let page = call.form(&[("team", "Evil")]).send().await;
        assert_eq!(page.status, 401, "{page:?}");
        assert!(!page.text.contains("name=\"kept\""), "{page:?}");
    }
    let long = "x".repeat(20_000);
    let page = send_late(t, "/t", &[("team", &long)]).await;
    assert_eq!(page.status, 401);
    assert!(!page.text.contains("name=\"kept\""));
}
