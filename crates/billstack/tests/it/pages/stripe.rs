//! `/t/{teamId}/stripe` and `/t/{teamId}/stripe/events`.

use billstack_core::access::Role;
use billstack_core::time::DAY;
use fake_stripe::{EventOptions, thin_event};
use reqwest::Method;
use serde_json::json;

use super::{hidden, holds, led, look, send};
use crate::support::bench::{Bench, Setup};
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;
use crate::support::stripe::SECRET;

on_both_engines! {
    without_a_connection_it_says_what_a_key_buys,
    a_team_is_connected_by_hand_rolled_and_disconnected,
    with_a_key_alone_the_endpoint_is_made with stripe,
    what_stripe_refuses_stands_at_its_field with stripe,
    wrong_signatures_are_told_in_words,
    secrets_are_on_no_page,
    events_are_listed_under_the_same_filters_as_by_the_api,
    an_event_says_what_became_of_it_and_is_decided_anew,
    nothing_of_an_event_is_markup,
    who_sees_what,
}

fn stripe() -> Setup {
    Setup {
        stripe: true,
        ..Setup::default()
    }
}

fn path(t: &Bench, rest: &str) -> String {
    format!("/t/{}/stripe{rest}", t.home.team)
}

async fn page(client: &impl Caller, path: &str) -> Answer {
    let answer = look(client, path).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// Sends a form of the page with a field that is good for one change.
async fn sent(t: &Bench, rest: &str, fields: &[(&str, &str)]) -> Answer {
    let form = page(&t.owner, &path(t, "")).await;
    let once = hidden(&form, "once");
    let fields = [&[("once", once.as_str())], fields].concat();
    send(&t.owner, &path(t, rest), &fields).await
}

async fn without_a_connection_it_says_what_a_key_buys(t: &Bench) {
    let shown = page(&t.owner, &path(t, "")).await.text;
    for part in [
        ">Not connected</span>",
        "three things more",
        "The webhook endpoint is made for you",
        &format!("/api/webhooks/stripe/{}</code>", t.home.team),
        "customer.subscription.created",
        "aria-current=\"page\">Stripe</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Disconnect now"), "{shown}");
}

async fn a_team_is_connected_by_hand_rolled_and_disconnected(t: &Bench) {
    let connect = [
        ("webhookSecret", SECRET),
        ("secretKey", ""),
        ("publishableKey", ""),
    ];
    let form = page(&t.owner, &path(t, "")).await;
    let once = hidden(&form, "once");
    let fields = [&[("once", once.as_str())], &connect[..]].concat();
    let answer = send(&t.owner, &path(t, ""), &fields).await;
    assert_eq!(led(&answer), path(t, "?done=connected"));
    let again = send(&t.owner, &path(t, ""), &fields).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
    let log = t.home.path("activity?type=stripe.connected");
    let log = t.owner.get(&log).await.ok();
    assert_eq!(log["activity"].as_array().map(Vec::len), Some(1), "{log}");
    let shown = page(&t.owner, &path(t, "")).await.text;
    for part in [
        ">Connected</span>",
        "No credit waits.",
        "none yet",
        "Disconnect now",
        "since <time",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let other = "whsec_ffffffffffffffffffffffffffffffff";
    let wrong = sent(
        t,
        "/roll",
        &[("webhookSecret", "nonsense"), ("oldValidHours", "24")],
    )
    .await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.text.contains("whsec_") && !wrong.text.contains("nonsense"),
        "{}",
        wrong.text
    );
    t.later(DAY).await;
    let rolled = sent(
        t,
        "/roll",
        &[("webhookSecret", other), ("oldValidHours", "24")],
    )
    .await;
    assert_eq!(led(&rolled), path(t, "?done=rolled"));
    let shown = page(&t.owner, &path(t, "")).await.text;
    assert!(shown.contains("the one before is good until"), "{shown}");
    assert!(
        shown.contains("since <time datetime=\"2026-03-31T12:00"),
        "{shown}"
    );
    let gone = sent(t, "/disconnect", &[]).await;
    assert_eq!(led(&gone), path(t, "?done=disconnected"));
    let shown = page(&t.owner, &path(t, "")).await.text;
    assert!(shown.contains(">Not connected</span>"), "{shown}");
}

async fn with_a_key_alone_the_endpoint_is_made(t: &Bench) {
    let answer = sent(t, "", &[("secretKey", "sk_test_1")]).await;
    let shown = match answer.status {
        200 => answer.text,
        _ => page(&t.owner, led(&answer)).await.text,
    };
    let status = t.owner.get(&t.home.path("stripe/status")).await.ok();
    assert_eq!(status["connected"], true);
    // This address is not public, so a person is told to make the endpoint.
    assert!(
        shown.contains("Connected, but for the endpoint") || shown.contains(">Accepted</span>"),
        "{shown}"
    );
    let shown = page(&t.owner, &path(t, "")).await.text;
    for part in [
        ">Accepted</span>",
        "Fake Stripe Account",
        ">test</span>",
        "rak_customer_write",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

async fn what_stripe_refuses_stands_at_its_field(t: &Bench) {
    t.fake().accept_only(&["sk_test_other"]);
    for (key, error) in [
        ("nonsense", "secretKey-error"),
        ("sk_test_1", "secretKey-error"),
    ] {
        let wrong = sent(
            t,
            "",
            &[("secretKey", key), ("publishableKey", "pk_test_1")],
        )
        .await;
        assert_eq!(wrong.status, 400, "{wrong:?}");
        assert!(wrong.text.contains(error), "{key}: {}", wrong.text);
        assert!(wrong.text.contains("value=\"pk_test_1\"") && !wrong.text.contains(key));
    }
    let status = t.owner.get(&t.home.path("stripe/status")).await.ok();
    assert_eq!(status["connected"], false);
}

async fn wrong_signatures_are_told_in_words(t: &Bench) {
    t.connect().await;
    let shown = page(&t.owner, &path(t, "")).await.text;
    assert!(
        shown.contains("No call was refused within the last hour"),
        "{shown}"
    );
    let call = t.nobody.call(Method::POST, &t.webhook());
    let signature = format!("t={},v1={}", t.seconds(), "0".repeat(64));
    let call = call.header("stripe-signature", &signature);
    call.body("application/json", "{}")
        .send()
        .await
        .refused("invalid_signature");
    let shown = page(&t.owner, &path(t, "")).await.text;
    assert!(
        shown.contains("1 call within the last hour")
            && shown.contains("compare the webhook secret"),
        "{shown}"
    );
}

async fn secrets_are_on_no_page(t: &Bench) {
    t.connect().await;
    let shown = page(&t.owner, &path(t, "")).await.text;
    assert!(
        !shown.contains(SECRET) && !shown.contains(&SECRET[6..]),
        "{shown}"
    );
    let wrong = sent(t, "", &[("webhookSecret", SECRET), ("publishableKey", "x")]).await;
    assert_eq!(wrong.status, 400);
    assert!(!wrong.text.contains(SECRET), "{}", wrong.text);
}

/// Filters, and how many of the two events they leave.
const FILTERED: [(&str, usize); 9] = [
    ("", 2),
    ("?outcome=failed", 1),
    ("?type=customer.subscription.created", 2),
    ("?type=customer.subscription.created&outcome=converted", 1),
    ("?from=2026-03-31", 1),
    ("?to=2026-03-30", 1),
    ("?to=2026-03-30&outcome=failed", 0),
    ("?from=2026-03-31&type=customer.subscription.created", 1),
    ("?outcome=ambiguous", 0),
];

async fn events_are_listed_under_the_same_filters_as_by_the_api(t: &Bench) {
    t.connect().await;
    let none = page(&t.owner, &path(t, "/events")).await.text;
    assert!(
        none.contains("No event has come in yet.") && none.contains("stripe trigger"),
        "{none}"
    );
    let (pair, referral) = t.pending("ann").await;
    t.subscribe(&pair).await;
    t.later(DAY).await;
    let options = EventOptions::at(t.seconds());
    let event = thin_event("customer.subscription.created", "sub_1", None, &options);
    t.accept(&event).await;
    let all = page(&t.owner, &path(t, "/events")).await.text;
    for part in [
        ">Converted</span>",
        ">Failed</span>",
        &format!("/referrals/{referral}\""),
        &format!("/customers/{}\">", pair.referee),
        &format!("/stripe/events/{}\"", text(&event["id"])),
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let days = |query: &str| {
        let times = query.replace("from=2026-03-31", "from=2026-03-31T00:00:00Z");
        times.replace("to=2026-03-30", "to=2026-03-31T00:00:00Z")
    };
    for (query, count) in FILTERED {
        let list = page(&t.owner, &path(t, &format!("/events{query}")))
            .await
            .text;
        assert_eq!(
            list.matches("<tr>").count().saturating_sub(1),
            count,
            "{query}: {list}"
        );
        if count == 0 {
            assert!(list.contains("No event matches") && list.contains(">Clear filters</a>"));
        }
        let call = t.home.path(&format!("stripe/events{}", days(query)));
        let listed = t.owner.get(&call).await.ok();
        assert_eq!(
            listed["events"].as_array().map(Vec::len),
            Some(count),
            "{query}"
        );
    }
    let first = t
        .owner
        .get(&t.home.path("stripe/events?limit=1&to=2026-04-01T00:00:00Z"))
        .await
        .ok();
    let cursor = text(&first["nextCursor"]);
    let next = format!("stripe/events?limit=1&to=2026-04-01T00:00:00Z&cursor={cursor}");
    let next = t.owner.get(&t.home.path(&next)).await.ok();
    assert_ne!(first["events"][0]["id"], next["events"][0]["id"]);
    assert_eq!(
        look(&t.owner, &path(t, "/events?outcome=x"))
            .send()
            .await
            .status,
        400
    );
}

async fn an_event_says_what_became_of_it_and_is_decided_anew(t: &Bench) {
    t.connect().await;
    let event = t.created("cus_later");
    t.accept(&event).await;
    let place = path(t, &format!("/events/{}", text(&event["id"])));
    let shown = page(&t.owner, &place).await;
    for part in [
        ">Nobody&#39;s</span>",
        "Link the customer to the one in Stripe",
        "No body is kept",
        ">Decide anew</button>",
    ] {
        assert!(
            shown.text.contains(part) || shown.text.contains(&part.replace("&#39;", "'")),
            "{part}: {}",
            shown.text
        );
    }
    let fields = [("once", &*hidden(&shown, "once"))];
    assert_eq!(led(&send(&t.owner, &place, &fields).await), place);
    let again = send(&t.owner, &place, &fields).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
    // Without its body there is nothing to decide by, if no facts are kept.
    let absent = look(&t.owner, &path(t, "/events/evt_none")).send().await;
    assert_eq!(absent.status, 404);
}

async fn nothing_of_an_event_is_markup(t: &Bench) {
    let pair = t.pair("ann").await;
    let mut event = t.created(&pair.stripe);
    event["data"]["object"]["metadata"] = json!({"note": "\"><img src=x onerror=alert(1)>"});
    t.accept(&event).await;
    let place = path(t, &format!("/events/{}", text(&event["id"])));
    let shown = page(&t.owner, &place).await.text;
    assert!(
        !shown.contains("<img src=x") && shown.contains("&lt;img src=x"),
        "{shown}"
    );
}

async fn who_sees_what(t: &Bench) {
    t.connect().await;
    let event = t.created("cus_x");
    t.accept(&event).await;
    let one = format!("/events/{}", text(&event["id"]));
    let mut member = None;
    for (role, of_connection, of_events) in [
        (Role::Viewer, 403, 403),
        (Role::Member, 403, 200),
        (Role::Admin, 200, 200),
    ] {
        let person = t.member(role).await;
        for (rest, status) in [
            ("", of_connection),
            ("/events", of_events),
            (&*one, of_events),
        ] {
            let answer = look(&person, &path(t, rest)).send().await;
            assert_eq!(answer.status, status, "{role:?} {rest}");
        }
        let call = person.get(&t.home.path("stripe/events")).await;
        assert_eq!(call.status, of_events, "{role:?}");
        if role == Role::Member {
            member = Some(person);
        }
    }
    let member = member.expect("a member");
    let shown = page(&member, &path(t, &one)).await;
    let why = "This is for owners and admins of the team. You are a member.";
    holds(&shown, &[why, "class=\"shut\""]);
    let fields = [("once", &*hidden(&shown, "once"))];
    assert_eq!(send(&member, &path(t, &one), &fields).await.status, 403);
}
