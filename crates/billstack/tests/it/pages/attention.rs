//! `…/attention`.

use billstack_core::access::Role;
use billstack_store::upkeep::{self, Kind, Run};
use fake_stripe::{EventOptions, thin_event};

use super::{hidden, led, look, path, send};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;

on_both_engines! {
    nothing_needs_you,
    a_line_says_what_it_means_and_leads_to_its_cure,
    dismissing_is_one_change,
    a_viewer_reads_and_dismisses_nothing,
    what_is_wrong_with_the_server_is_shown_to_admins,
}

async fn page(client: &impl Caller, path: &str) -> Answer {
    let answer = look(client, path).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// An event that cannot be read to its end; returns its id.
async fn failed(t: &Bench, object: &str) -> String {
    t.connect().await;
    let options = EventOptions::at(t.seconds());
    let event = thin_event("customer.subscription.created", object, None, &options);
    t.accept(&event).await;
    text(&event["id"])
}

async fn nothing_needs_you(t: &Bench) {
    let shown = page(&t.owner, &path(t, "/attention")).await.text;
    assert!(shown.contains("Nothing needs you. Looked <time"), "{shown}");
    assert!(shown.contains(">Attention</a>"), "{shown}");
}

async fn a_line_says_what_it_means_and_leads_to_its_cure(t: &Bench) {
    let event = failed(t, "sub_1").await;
    let shown = page(&t.owner, &path(t, "/attention")).await.text;
    let told = t.key.get("attention").await.ok();
    let line = &told["attention"]["lines"][0];
    let cure = format!("href=\"/t/{}/stripe/events/{event}\"", t.home.team);
    for part in [&*text(&line["message"]), &text(&line["cure"]), &cure] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // The count stands on every page of the project.
    for rest in ["", "/referrals", "/customers", "/attention"] {
        let shown = page(&t.owner, &path(t, rest)).await.text;
        assert!(shown.contains(">Attention <b>1</b></a>"), "{rest}: {shown}");
    }
}

async fn dismissing_is_one_change(t: &Bench) {
    let event = failed(t, "sub_1").await;
    let place = path(t, "/attention");
    let form = page(&t.owner, &place).await;
    let once = hidden(&form, "once");
    let line = hidden(&form, "line");
    assert_eq!(line, format!("stripe_events_failed.{event}"));
    let fields = [("once", once.as_str()), ("line", line.as_str())];
    assert_eq!(
        led(&send(&t.owner, &place, &fields).await),
        format!("{place}?done=dismissed")
    );
    let again = send(&t.owner, &place, &fields).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
    let shown = page(&t.owner, &place).await.text;
    assert!(shown.contains("Nothing needs you.") && shown.contains("1 dismissed"));
    assert!(shown.contains(">Attention</a>"), "{shown}");
    let log = t.home.path("activity?type=attention.dismissed");
    let log = t.owner.get(&log).await.ok();
    assert_eq!(log["activity"].as_array().map(Vec::len), Some(1), "{log}");
    let fields = [
        ("once", &*"0".repeat(32)),
        ("line", "budget_low.\"><img src=x>"),
    ];
    let wrong = send(&t.owner, &place, &fields).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.is_page() && !wrong.text.contains("<img src=x"));
}

async fn a_viewer_reads_and_dismisses_nothing(t: &Bench) {
    failed(t, "sub_1").await;
    let viewer = t.member(Role::Viewer).await;
    let form = page(&viewer, &path(t, "/attention")).await;
    let (before, shut) = form
        .text
        .split_once("<fieldset class=\"shut\" disabled>")
        .expect("a shut form");
    assert!(shut.contains("Dismiss for 7 days</button>"), "{shut}");
    assert!(before.contains("You are a viewer."), "{before}");
    let fields = [
        ("once", &*hidden(&form, "once")),
        ("line", &*hidden(&form, "line")),
    ];
    let answer = send(&viewer, &path(t, "/attention"), &fields).await;
    assert_eq!(answer.status, 403);
}

async fn what_is_wrong_with_the_server_is_shown_to_admins(t: &Bench) {
    let began_at = t.now();
    let run = move || Run {
        began_at,
        ended_at: began_at,
        result: 3,
        version: "0.1.0".to_owned(),
    };
    t.write(move |tx, _| Ok(upkeep::note(tx, Kind::Verify, &run())?))
        .await;
    let place = path(t, "/attention");
    let shown = page(&t.owner, &place).await.text;
    for part in [
        "Rules of the books are broken",
        "found 3 rules broken.",
        "run <code>billstack verify</code>: it names",
        ">Attention <b>1</b></a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let member = t.member(Role::Member).await;
    let shown = page(&member, &place).await.text;
    assert!(shown.contains("Nothing needs you."), "{shown}");
    let fields = [("once", &*"0".repeat(32)), ("line", "books_broken.3")];
    assert_eq!(send(&member, &place, &fields).await.status, 400);
    let shown = page(&t.owner, &place).await.text;
    assert!(shown.contains("found 3 rules broken."), "{shown}");
}
