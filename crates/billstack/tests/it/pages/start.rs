//! `…/start`: steps that are ticked by facts.

use billstack_core::access::Role;
use fake_stripe::sign;
use reqwest::Method;

use super::{hidden, led, look, send};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller, CookieClient};
use crate::support::stripe::SECRET;

/// The secret that follows.
const NEW_SECRET: &str = "whsec_5ac9e1bdc3f04f22a1d2f7e0b8c6a9d6";

on_both_engines! {
    ticks_follow_facts,
    what_stripe_cannot_reach_is_told,
    what_stripe_may_reach_is_its_address with behind_a_name,
    wrong_signatures_are_told_and_older_events_do_not_count,
    a_key_is_put_into_the_commands,
    a_step_is_skipped_and_comes_back,
    whoever_may_not_is_told_why,
    it_leaves_the_menu_when_a_referral_has_converted,
}

fn path(t: &Bench, rest: &str) -> String {
    super::path(t, &format!("/start{rest}"))
}

async fn page(t: &Bench) -> Answer {
    look(&t.owner, &path(t, "")).send().await
}

/// The part of the page that is a step.
fn step<'p>(page: &'p Answer, name: &str) -> &'p str {
    let (_, rest) = page
        .text
        .split_once(&format!("id=\"{name}\""))
        .expect("the step");
    rest.split("<li class")
        .next()
        .unwrap_or(rest)
        .split("<li id")
        .next()
        .unwrap_or(rest)
}

fn done(page: &Answer) -> Vec<&'static str> {
    let all = [
        "project",
        "stripe",
        "event",
        "program",
        "key",
        "try",
        "conversion",
        "share",
    ];
    let is_done = |name: &&str| step(page, name).contains(">Done</span>");
    all.into_iter().filter(is_done).collect()
}

/// Runs the block that sends what Stripe would send, at the time of the server.
async fn convert_by_hand(t: &Bench, conversion: &str) {
    let (_, block) = conversion.split_once("<pre").expect("the block");
    let (_, block) = block.split_once("<code>").expect("the text");
    let (block, _) = block.split_once("</code>").expect("its end");
    let block = block.replace("&quot;", "\"").replace("&amp;", "&");
    let script = block.replace("$(date +%s)", &t.seconds().to_string());
    let run = tokio::task::spawn_blocking(move || {
        let mut bash = std::process::Command::new("bash");
        bash.args(["-euo", "pipefail", "-c", &script]);
        bash.env("STRIPE_WEBHOOK_SECRET", SECRET);
        bash.env_remove("http_proxy").output()
    });
    let output = run.await.expect("no panic").expect("bash");
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("\"received\":true"), "{text}{error}");
}

/// Pastes a signing secret into the list.
async fn paste(t: &Bench, secret: &str) -> Answer {
    let once = hidden(&page(t).await, "once");
    let fields = [("once", once.as_str()), ("webhookSecret", secret)];
    send(&t.owner, &path(t, "/stripe"), &fields).await
}

async fn ticks_follow_facts(t: &Bench) {
    // The bench has a key.
    let first = page(t).await;
    assert_eq!(done(&first), ["project", "key"]);
    assert!(step(&first, "stripe").contains(&format!("/api/webhooks/stripe/{}", t.home.team)));
    assert!(step(&first, "stripe").contains("checkout.session.completed"));
    assert!(!first.text.contains("data-state"));
    let wrong = paste(t, "sk_test_1").await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    assert!(wrong.text.contains("id=\"webhookSecret-error\"") && !wrong.text.contains("sk_test_1"));
    assert_eq!(led(&paste(t, SECRET).await), path(t, ""));
    let connected = page(t).await;
    assert_eq!(done(&connected), ["project", "stripe", "key"]);
    assert!(
        connected.text.contains("data-state=\"none.0."),
        "{connected:?}"
    );
    let event = t.created("cus_nobody");
    t.accept(&event).await;
    let seen = page(t).await;
    assert_eq!(done(&seen), ["project", "stripe", "event", "key"]);
    for part in ["Nobody here is its customer, so far.", "Link the customer"] {
        assert!(step(&seen, "event").contains(part), "{part}: {seen:?}");
    }
    let pair = t.pair("ann").await;
    assert!(done(&page(t).await).contains(&"program"));
    t.apply(&pair).await;
    let tried = page(t).await;
    assert!(done(&tried).contains(&"try") && !done(&tried).contains(&"conversion"));
    // The commands stay, and the way ends without an account of Stripe.
    assert!(
        step(&tried, "try").contains("1. Two customers"),
        "{tried:?}"
    );
    let conversion = step(&tried, "conversion");
    let copied = format!("data-copy=\"{}\"", pair.referee);
    assert!(conversion.contains(&copied), "{conversion}");
    convert_by_hand(t, conversion).await;
    assert!(done(&page(t).await).contains(&"conversion"));
}

fn behind_a_name() -> Setup {
    Setup {
        settings: |args| args.base_url = Some("http://referrals.example:8000".to_owned()),
        ..Setup::default()
    }
}

async fn what_stripe_cannot_reach_is_told(t: &Bench) {
    let first = page(t).await;
    let stripe = step(&first, "stripe");
    for part in [
        "Stripe cannot reach this machine",
        "stripe listen --events ",
        "BILLSTACK_BASE_URL",
    ] {
        assert!(stripe.contains(part), "{part}: {stripe}");
    }
    assert_eq!(led(&paste(t, SECRET).await), path(t, ""));
    let connected = page(t).await;
    let event = step(&connected, "event");
    assert!(
        event.contains("stripe listen --forward-to http://127.0.0.1:"),
        "{event}"
    );
    assert!(!event.contains("From outside"), "{event}");
}

async fn what_stripe_may_reach_is_its_address(t: &Bench) {
    t.connect().await;
    let shown = page(t).await;
    let event = step(&shown, "event");
    let asked = "From outside, is <code>http://referrals.example:8000/api/webhooks/stripe/";
    assert!(event.contains(asked), "{event}");
    assert!(!shown.text.contains("stripe listen"), "{shown:?}");
}

async fn wrong_signatures_are_told_and_older_events_do_not_count(t: &Bench) {
    paste(t, SECRET).await;
    let body = b"{}".to_vec();
    for _ in 0..2 {
        let signature = sign(&body, "whsec_other", t.seconds());
        let call = t.nobody.call(Method::POST, &t.webhook());
        let call = call.header("stripe-signature", &signature);
        call.body("application/json", body.clone())
            .send()
            .await
            .refused("invalid_signature");
    }
    let told = page(t).await;
    let event = step(&told, "event");
    for part in [
        "2 calls within the last hour",
        "signed with another secret",
        "<time",
    ] {
        assert!(event.contains(part), "{part}: {event}");
    }
    t.accept(&t.created("cus_nobody")).await;
    assert!(done(&page(t).await).contains(&"event"));
    t.advance(1_000_000);
    let roll = serde_json::json!({"webhookSecret": NEW_SECRET});
    t.owner
        .post(&t.home.path("stripe/roll-webhook-secret"), roll)
        .await
        .ok();
    let waits = page(t).await;
    assert!(!done(&waits).contains(&"event"), "{waits:?}");
    // The one before still signs for a day, which proves nothing of the new one.
    t.accept(&t.created("cus_nobody")).await;
    assert_eq!(t.count("stripe_events").await, 2);
    let waits = page(t).await;
    assert!(!done(&waits).contains(&"event"), "{waits:?}");
    // What was refused before says nothing of the new secret.
    assert!(
        step(&waits, "event").contains("No event has reached this server"),
        "{waits:?}"
    );
    let body = t.created("cus_nobody").to_string().into_bytes();
    let signature = sign(&body, NEW_SECRET, t.seconds());
    let call = t.nobody.call(Method::POST, &t.webhook());
    let call = call.header("stripe-signature", &signature);
    call.body("application/json", body).send().await.ok();
    assert!(done(&page(t).await).contains(&"event"));
    // It stays done, whatever the old one signs afterwards.
    t.advance(1_000_000);
    t.accept(&t.created("cus_nobody")).await;
    assert!(done(&page(t).await).contains(&"event"));
}

async fn a_key_is_put_into_the_commands(t: &Bench) {
    let keys = t.owner.get(&t.home.path("api-keys")).await.ok();
    for key in keys["keys"].as_array().expect("a list") {
        let id = key["id"].as_str().expect("an id");
        t.owner
            .delete(&t.home.path(&format!("api-keys/{id}")))
            .await
            .ok();
    }
    let before = page(t).await;
    assert!(
        step(&before, "try").contains("$BILLSTACK_KEY"),
        "{before:?}"
    );
    let once = "ab".repeat(16);
    let fields = [
        ("once", once.as_str()),
        ("name", "Shop"),
        ("projectId", &t.home.project),
    ];
    let made = send(&t.owner, &path(t, "/key"), &fields).await;
    assert_eq!(led(&made), path(t, ""));
    let cookie = made.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    let both = CookieClient::new(t.owner.wire(), &format!("{}; {cookie}", t.owner.cookie));
    let with_key = look(&both, &path(t, "")).send().await;
    let (_, key) = step(&with_key, "key")
        .split_once("data-copy=\"")
        .expect("the key");
    let key = key.split('"').next().expect("its end");
    assert!(key.starts_with("bs_"));
    assert!(step(&with_key, "try").contains(&format!("Bearer {key}")));
    assert!(!page(t).await.text.contains(key));
    assert_eq!(led(&send(&both, &path(t, "/kept"), &[]).await), path(t, ""));
    let unnamed = send(
        &t.owner,
        &path(t, "/key"),
        &[("once", &"cd".repeat(16)), ("name", "")],
    )
    .await;
    assert_eq!(unnamed.status, 400);
}

async fn a_step_is_skipped_and_comes_back(t: &Bench) {
    let skipped = send(&t.owner, &path(t, "/skip"), &[("step", "share")]).await;
    assert_eq!(led(&skipped), path(t, ""));
    let cookie = skipped.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair").to_owned();
    let both = CookieClient::new(t.owner.wire(), &format!("{}; {cookie}", t.owner.cookie));
    let shown = look(&both, &path(t, "")).send().await;
    assert!(
        step(&shown, "share").contains(">Skipped</span>"),
        "{shown:?}"
    );
    assert!(step(&shown, "share").contains("Bring back"));
    let back = send(&both, &path(t, "/skip"), &[("step", "share")]).await;
    assert!(
        back.header("set-cookie")
            .expect("a cookie")
            .starts_with("billstack_skipped=;")
    );
    assert!(step(&page(t).await, "share").contains(">To do</span>"));
}

async fn whoever_may_not_is_told_why(t: &Bench) {
    let member = t.member(Role::Member).await;
    let shown = look(&member, &path(t, "")).send().await;
    assert!(
        shown
            .text
            .contains("This is for owners and admins of the team. You are a member."),
        "{shown:?}"
    );
    assert!(shown.text.contains("<fieldset class=\"shut\" disabled>"));
    for rest in ["/stripe", "/key"] {
        let fields = [
            ("once", "ab".repeat(16)),
            ("webhookSecret", SECRET.to_owned()),
        ];
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        assert_eq!(send(&member, &path(t, rest), &fields).await.status, 403);
    }
}

async fn it_leaves_the_menu_when_a_referral_has_converted(t: &Bench) {
    let overview = format!("/t/{}/p/{}", t.home.team, t.home.project);
    let link = format!("href=\"{}\"", path(t, ""));
    assert!(look(&t.owner, &overview).send().await.text.contains(&link));
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    assert!(look(&t.owner, &overview).send().await.text.contains(&link));
    t.subscribe(&pair).await;
    assert!(!look(&t.owner, &overview).send().await.text.contains(&link));
    assert_eq!(page(t).await.status, 200);
}
