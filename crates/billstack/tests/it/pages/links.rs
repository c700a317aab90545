//! `…/links`.

use billstack_core::access::Role;
use serde_json::{Value, json};

use super::{hidden_fields, holds, led, look, send};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};

on_both_engines! {
    a_form_undoes_nothing_that_others_changed,
    links_are_off_from_the_start,
    what_is_set_up_is_what_the_call_sets_up,
    a_link_is_tried_as_visitors_follow_it,
    what_is_wrong_is_told,
    only_admins_set_links_up,
    nothing_of_a_text_is_markup,
}

fn path(t: &Bench, rest: &str) -> String {
    super::path(t, &format!("/links{rest}"))
}

async fn page(t: &Bench, rest: &str) -> Answer {
    let answer = look(&t.owner, &path(t, rest)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn filled<'f>(other: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let usual = [
        ("once", "00000000000000000000000000000001"),
        ("enabled", "on"),
        ("landingUrl", "https://example.com/welcome"),
        ("redirectHosts", ""),
        ("windowDays", "60"),
        ("codeParameter", "ref"),
        ("clickParameter", "ref_click"),
        ("cardTitle", ""),
        ("cardText", ""),
        ("cardImageUrl", ""),
    ];
    let kept = usual.into_iter();
    let kept = kept.filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    kept.chain(other.iter().copied()).collect()
}

async fn settings(t: &Bench) -> Value {
    t.key.get("links/settings").await.ok()["settings"].take()
}

async fn links_are_off_from_the_start(t: &Bench) {
    let off = page(t, "").await;
    holds(
        &off,
        &[
            ">Off</span>",
            "Whoever types a code at your sign-up is still referred.",
            "nowhere yet",
            "<summary>Express</summary>",
            "aria-current=\"page\">Links</a>",
        ],
    );
    let tried = page(t, "?code=ABC").await;
    holds(
        &tried,
        &[
            "<td data-label=\"Status\">404</td>",
            "no landing page is set",
        ],
    );
}

async fn what_is_set_up_is_what_the_call_sets_up(t: &Bench) {
    let fields = filled(&[
        ("redirectHosts", "docs.example.com\r\nshop.example.com"),
        ("windowDays", "30"),
        ("codeParameter", "via"),
        ("clickParameter", "via_click"),
        ("cardTitle", "5 USD for you"),
        ("cardText", "Try it"),
    ]);
    let saved = send(&t.owner, &path(t, ""), &fields).await;
    assert_eq!(led(&saved), path(t, "?done=saved"));
    let set = settings(t).await;
    assert_eq!(
        set["redirectHosts"],
        json!(["docs.example.com", "shop.example.com"])
    );
    assert_eq!(
        (&set["enabled"], &set["windowDays"]),
        (&json!(true), &json!(30))
    );
    assert_eq!(
        set["card"],
        json!({"title": "5 USD for you", "text": "Try it", "imageUrl": null})
    );
    let shown = page(t, "?done=saved").await;
    holds(
        &shown,
        &[
            ">On</span>",
            "A click counts for 30 days.",
            "Links are set up like this now.",
            "<strong>5 USD for you</strong>",
            "searchParams.get(&quot;via_click&quot;)",
            "docs.example.com\nshop.example.com</textarea>",
        ],
    );
    let events = t.count("events").await;
    holds(
        &send(&t.owner, &path(t, ""), &fields).await,
        &["Already done"],
    );
    assert_eq!(t.count("events").await, events);
}

async fn a_link_is_tried_as_visitors_follow_it(t: &Bench) {
    t.program(1_000, 500).await;
    led(&send(
        &t.owner,
        &path(t, ""),
        &filled(&[("cardTitle", "5 USD for you")]),
    )
    .await);
    let pair = t.pair("ann").await;
    let tried = page(t, &format!("?code={}", pair.code)).await;
    holds(
        &tried,
        &[
            &format!(
                "https://example.com/welcome?ref={}&amp;ref_click=ct_",
                pair.code
            ),
            &format!("Sent on with the code {} and a click token.", pair.code),
            "<td data-label=\"Status\">200</td>",
            "The card: title, text and picture as set up here.",
            "<code>https://example.com/welcome</code>",
            "Sent on without a code",
        ],
    );
    // What visitors get is what was shown, and nothing was counted.
    let clicks = t
        .key
        .get(&format!("referrals/codes/{}/clicks", pair.code))
        .await
        .ok();
    assert_eq!(clicks["clicks"]["total"], 0);
    // Switched off, links bring no code; what visitors get may be three seconds old.
    let bob = t.pair("bob").await;
    led(&send(
        &t.owner,
        &path(t, ""),
        &filled(&[
            ("enabled", "off"),
            ("once", "00000000000000000000000000000002"),
        ]),
    )
    .await);
    let off = page(t, &format!("?code={}", bob.code)).await;
    assert!(!off.text.contains("Sent on with the code"), "{off:?}");
    holds(
        &off,
        &[">Off</span>", "<code>https://example.com/welcome</code>"],
    );
}

async fn what_is_wrong_is_told(t: &Bench) {
    let before = settings(t).await;
    for (name, value, said) in [
        (
            "landingUrl",
            "http://example.com/",
            "id=\"landingUrl-error\"",
        ),
        ("landingUrl", "", "id=\"landingUrl-error\""),
        ("redirectHosts", "https://x/y", "id=\"redirectHosts-error\""),
        ("windowDays", "0", "id=\"windowDays-error\""),
        ("codeParameter", "utm_x", "id=\"codeParameter-error\""),
        ("clickParameter", "ref", "id=\"clickParameter-error\""),
        ("cardText", "no title", "role=\"alert\""),
    ] {
        let answer = send(&t.owner, &path(t, ""), &filled(&[(name, value)])).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        holds(&answer, &[said]);
    }
    assert_eq!(settings(t).await, before);
}

async fn only_admins_set_links_up(t: &Bench) {
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
    let admin = t.member(Role::Admin).await;
    led(&send(&admin, &path(t, ""), &filled(&[])).await);
}

async fn nothing_of_a_text_is_markup(t: &Bench) {
    let canary = "\"><img src=x onerror=alert(1)>";
    led(&send(
        &t.owner,
        &path(t, ""),
        &filled(&[("cardTitle", canary), ("cardText", canary)]),
    )
    .await);
    for rest in ["", "?code=%22%3E%3Cimg%20src%3Dx%3E"] {
        let seen = page(t, rest).await;
        assert!(
            !seen.text.contains("<img src=x") && seen.text.contains("&lt;img src=x"),
            "{seen:?}"
        );
    }
}

async fn a_form_undoes_nothing_that_others_changed(t: &Bench) {
    let opened = page(t, "").await;
    let theirs = json!({"enabled": true, "landingUrl": "https://example.com/theirs"});
    t.owner.put("links/settings", theirs).await.ok();
    let mine = filled(&[("landingUrl", ""), ("enabled", "off"), ("windowDays", "30")]);
    let fields = [hidden_fields(&opened), mine].concat();
    led(&send(&t.owner, &path(t, ""), &fields).await);
    let set = settings(t).await;
    assert_eq!(
        (&set["enabled"], &set["landingUrl"], &set["windowDays"]),
        (
            &json!(true),
            &json!("https://example.com/theirs"),
            &json!(30)
        )
    );
}
