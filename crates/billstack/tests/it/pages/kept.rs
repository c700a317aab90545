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
    what_nothing_was_typed_into_comes_back_open_and_is_not_sent,
    where_a_form_came_back_is_a_page,
    pages_speak_of_signing_in,
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
    let back = send(
        &grace,
        "/account/sessions",
        &[("kept", &hidden(&page, "kept"))],
    )
    .await;
    assert_eq!(back.status, 200, "{back:?}");
    assert!(back.text.contains("Nothing was sent yet"), "{back:?}");
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

async fn what_nothing_was_typed_into_comes_back_open_and_is_not_sent(t: &Bench) {
    let team = format!("/t/{}", t.home.team);
    let keys = t.owner.get(&t.home.path("api-keys")).await.ok();
    let key = keys["keys"][0]["id"].as_str().expect("a key").to_owned();
    let customer = t.customer("ann").await;
    let project = format!("{team}/p/{}", t.home.project);
    let before = t.dump().await;
    let once = "ab".repeat(16);
    for (path, fields, open) in [
        (
            format!("{team}/keys/revoke"),
            vec![("id", key.as_str())],
            "<details class=\"confirm\" open><summary>Revoke<span class=\"hidden\"> ".to_owned(),
        ),
        (
            format!("{team}/members/remove"),
            vec![("id", t.home.owner_id.as_str())],
            "<details class=\"confirm\" open><summary>Change".to_owned(),
        ),
        (
            format!("{team}/leave"),
            vec![],
            "<details class=\"confirm\" open><summary>Leave the team".to_owned(),
        ),
        (
            format!("{project}/customers/{customer}/portal"),
            vec![],
            String::new(),
        ),
        (
            format!("{project}/portal/end-sessions"),
            vec![],
            String::new(),
        ),
    ] {
        let fields = [vec![("once", once.as_str())], fields].concat();
        let late = send_late(t, &path, &fields).await;
        assert_eq!(late.status, 401, "{path}: {late:?}");
        let back = send(&t.owner, &path, &[("kept", &hidden(&late, "kept"))]).await;
        assert_eq!(back.status, 200, "{path}: {back:?}");
        for part in ["Nothing was sent yet", &open] {
            assert!(back.text.contains(part), "{path}, {part}: {back:?}");
        }
    }
    assert_eq!(t.dump().await, before);
}

/// The browser is left at the address of the form: to load that again shows the page that holds it.
async fn where_a_form_came_back_is_a_page(t: &Bench) {
    let team = format!("/t/{}", t.home.team);
    for (path, above) in [
        (format!("{team}/keys/revoke"), format!("{team}/keys")),
        (format!("{team}/leave"), team.clone()),
        ("/account/password".to_owned(), "/account".to_owned()),
    ] {
        assert_eq!(led(&look(&t.owner, &path).send().await), above);
        assert_eq!(look(&t.owner, &above).send().await.status, 200);
    }
}

async fn pages_speak_of_signing_in(t: &Bench) {
    let call = t.nobody.call(Method::POST, "/account/sessions");
    let call = call.header("accept", "text/html");
    let page = call.form(&[]).send().await;
    assert_eq!(page.status, 401);
    assert!(!page.text.contains("API key"), "{page:?}");
    assert!(page.text.contains("your session has ended"), "{page:?}");
}
