//! `…/portal`.

use billstack_core::access::Role;
use serde_json::{Value, json};

use super::{holds, led, look, send};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;

on_both_engines! {
    it_previews_the_frame_with_its_sample,
    what_is_set_up_is_what_the_call_sets_up,
    what_is_wrong_is_told,
    all_sessions_are_ended_once,
    only_admins_set_it_up,
    nothing_of_a_text_is_markup,
}

fn path(t: &Bench, rest: &str) -> String {
    super::path(t, &format!("/portal{rest}"))
}

async fn page(t: &Bench, rest: &str) -> Answer {
    let answer = look(&t.owner, &path(t, rest)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn filled<'f>(other: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let usual = [
        ("once", "00000000000000000000000000000001"),
        ("allowedOrigins", ""),
        ("names", "initial"),
        ("accent", ""),
        ("radius", ""),
        ("font", "system"),
    ];
    let kept = usual.into_iter();
    let kept = kept.filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    kept.chain(other.iter().copied()).collect()
}

async fn settings(t: &Bench) -> Value {
    t.key.get("portal/settings").await.ok()["settings"].take()
}

async fn it_previews_the_frame_with_its_sample(t: &Bench) {
    let shown = page(t, "?theme=dark&locale=de").await;
    let frame = format!(
        "/embed/{}/{}?sample=1&amp;theme=dark&amp;locale=de\"",
        t.home.team, t.home.project
    );
    holds(
        &shown,
        &[
            &frame,
            "class=\"preview phone\"",
            "aria-current=\"true\">dark</a>",
            "a contrast of <strong>",
            "&lt;billstack-referrals project=",
            "No origin is allowed yet",
        ],
    );
    let frame = format!(
        "/embed/{}/{}?sample=1&theme=dark&locale=de",
        t.home.team, t.home.project
    );
    let sample = look(&t.nobody, &frame).send().await;
    holds(
        &sample,
        &[
            "data-theme=\"dark\"",
            "lang=\"de\"",
            "class=\"sample\"",
            "EXAMPLE",
        ],
    );
    let empty = look(&t.nobody, frame.split('?').next().expect("a path"))
        .send()
        .await;
    assert!(
        !empty.text.contains("EXAMPLE") && !empty.text.contains("data-theme"),
        "{empty:?}"
    );
    holds(
        &page(t, "?width=desktop&theme=x").await,
        &["class=\"preview\"", "theme=light"],
    );
}

async fn what_is_set_up_is_what_the_call_sets_up(t: &Bench) {
    let fields = filled(&[
        (
            "allowedOrigins",
            "https://app.example.com\r\n\r\nhttp://localhost:*",
        ),
        ("names", "first"),
        ("accent", "#fc0"),
        ("radius", "4"),
        ("allowVanity", "yes"),
        ("de.offer", "Gib {amount}."),
    ]);
    let saved = send(&t.owner, &path(t, ""), &fields).await;
    assert_eq!(led(&saved), path(t, "?done=saved"));
    let set = settings(t).await;
    assert_eq!(
        set["allowedOrigins"],
        json!(["https://app.example.com", "http://localhost:*"])
    );
    assert_eq!(
        (&set["names"], &set["allowVanity"], &set["offerName"]),
        (&json!("first"), &json!(true), &json!(false))
    );
    assert_eq!(
        (&set["theme"]["accent"], &set["theme"]["radius"]),
        (&json!("#ffcc00"), &json!(4))
    );
    assert_eq!(set["texts"], json!({"de": {"offer": "Gib {amount}."}}));
    let shown = page(t, "?done=saved").await;
    let ratio = format!(
        "a contrast of <strong>{}</strong>",
        set["theme"]["contrast"]
    );
    holds(
        &shown,
        &[
            &ratio,
            "with black text",
            "Gib {amount}.</textarea>",
            "Saved.",
        ],
    );
    holds(
        &send(&t.owner, &path(t, ""), &fields).await,
        &["Already done"],
    );
}

async fn what_is_wrong_is_told(t: &Bench) {
    let before = settings(t).await;
    let long = "x".repeat(501);
    for (name, value, said) in [
        (
            "allowedOrigins",
            "app.example.com",
            "id=\"allowedOrigins-error\"",
        ),
        (
            "allowedOrigins",
            "https://app.example.com\r\n\r\nhttps://b.example/",
            "Number 2 is none.",
        ),
        ("names", "all", "id=\"names-error\""),
        ("accent", "blue", "id=\"accent-error\""),
        ("radius", "25", "id=\"radius-error\""),
        ("font", "a;b", "id=\"font-error\""),
        ("en.title", &long, "role=\"alert\""),
    ] {
        let answer = send(&t.owner, &path(t, ""), &filled(&[(name, value)])).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        holds(&answer, &[said]);
    }
    assert_eq!(settings(t).await, before);
}

async fn all_sessions_are_ended_once(t: &Bench) {
    let ann = t.customer("ann").await;
    let session = async || {
        let made = t
            .key
            .post(&format!("customers/{ann}/portal-sessions"), json!({}));
        text(&made.await.created()["portalSession"]["token"])
    };
    let works = async |token: &str| {
        let call = t.nobody.call(reqwest::Method::GET, "/api/portal/me");
        call.header("authorization", &format!("Bearer {token}"))
            .send()
            .await
            .status
    };
    let token = session().await;
    assert_eq!(works(&token).await, 200);
    let once = [("once", "00000000000000000000000000000001")];
    let end = path(t, "/end-sessions");
    let ended = send(&t.owner, &end, &once).await;
    assert_eq!(led(&ended), path(t, "?done=ended"));
    assert_eq!(works(&token).await, 401);
    let later = session().await;
    holds(&send(&t.owner, &end, &once).await, &["Already done"]);
    assert_eq!(works(&later).await, 200);
}

async fn only_admins_set_it_up(t: &Bench) {
    let member = t.member(Role::Member).await;
    let seen = look(&member, &path(t, "")).send().await;
    holds(
        &seen,
        &[
            "<fieldset class=\"shut\" disabled>",
            "This is for owners and admins of the team. You are a member.",
        ],
    );
    assert_eq!(send(&member, &path(t, ""), &filled(&[])).await.status, 403);
    assert_eq!(
        send(&member, &path(t, "/end-sessions"), &filled(&[]))
            .await
            .status,
        403
    );
    let admin = t.member(Role::Admin).await;
    led(&send(&admin, &path(t, ""), &filled(&[])).await);
}

async fn nothing_of_a_text_is_markup(t: &Bench) {
    let canary = "\"></textarea><img src=x onerror=alert(1)>";
    led(&send(
        &t.owner,
        &path(t, ""),
        &filled(&[("en.title", canary), ("en.terms", canary)]),
    )
    .await);
    let seen = page(t, "").await;
    assert!(
        !seen.text.contains("<img src=x") && seen.text.contains("&lt;img src=x"),
        "{seen:?}"
    );
    let frame = format!("/embed/{}/{}?sample=1", t.home.team, t.home.project);
    let sample = look(&t.nobody, &frame).send().await;
    assert!(!sample.text.contains("<img src=x") && sample.text.contains("&lt;img src=x"));
}
