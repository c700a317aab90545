//! `…/webhooks`, an endpoint, a delivery.

use billstack_core::access::Role;
use billstack_core::time::HOUR;
use serde_json::{Value, json};

use super::{hidden_fields, holds, led, look, send};
use crate::api::webhook_endpoints::{URL, endpoint, inner, shown};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller, CookieClient};
use crate::support::fixture::text;
use crate::support::receiver::{Behaviour, Receiver, eventually};

on_both_engines! {
    an_endpoint_is_added_and_its_secret_shown_until_it_is_kept with inner,
    what_is_wrong_is_told_at_its_field with inner,
    an_endpoint_is_changed_and_taken_away with inner,
    a_test_shows_what_came_of_it with inner,
    a_new_secret_is_shown_once with inner,
    what_was_missed_is_counted_and_offered with inner,
    what_failed_before_is_offered_too with inner,
    an_endpoint_that_fails_shows_what_is_tried_again_and_why with inner,
    a_range_is_counted_before_it_is_sent with inner,
    the_log_is_narrowed_down with inner,
    a_delivery_shows_all_of_it with inner,
    whoever_may_not_change_them_is_told_so with inner,
    nothing_of_a_text_is_markup with inner,
    a_form_undoes_nothing_that_others_changed with inner,
}

fn path(t: &Bench, rest: &str) -> String {
    super::path(t, &format!("/webhooks{rest}"))
}

async fn page(t: &Bench, rest: &str) -> Answer {
    let answer = look(&t.owner, &path(t, rest)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The hidden field of a form, which makes it one of its kind.
fn once(number: u8) -> String {
    format!("{number:032x}")
}

/// Sends a form of an endpoint.
async fn act(t: &Bench, rest: &str, fields: &[(&str, &str)]) -> Answer {
    send(&t.owner, &path(t, rest), fields).await
}

/// The owner with the cookie that an answer has set.
fn with_cookie(t: &Bench, answer: &Answer) -> CookieClient {
    let cookie = answer.header("set-cookie").expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    CookieClient::new(t.owner.wire(), &format!("{}; {cookie}", t.owner.cookie))
}

/// Waits until a delivery of this type is known to be taken.
async fn taken(t: &Bench, id: &str, kind: &str) {
    let path = format!("webhook-endpoints/{id}/deliveries?status=delivered&type={kind}");
    let is_taken = || async {
        let list = t.key.get(&path).await.ok();
        (!list["deliveries"].as_array()?.is_empty()).then_some(())
    };
    eventually("what was sent to be taken", is_taken).await;
}

async fn an_endpoint_is_added_and_its_secret_shown_until_it_is_kept(t: &Bench) {
    let none = page(t, "").await;
    holds(
        &none,
        &[
            "No endpoint yet.",
            "aria-current=\"true\">referral.converted</a>",
            "&quot;subscriptionId&quot;",
        ],
    );
    holds(
        &page(t, "?sample=code.renamed").await,
        &["&quot;type&quot;: &quot;code.renamed&quot;"],
    );
    let once = once(1);
    let fields = [
        ("once", &*once),
        ("url", URL),
        ("description", "The CRM"),
        ("told", "every"),
    ];
    let made = act(t, "", &fields).await;
    let one = led(&made).to_owned();
    let id = one.rsplit('/').next().expect("an id").to_owned();
    assert_eq!(shown(&t.key, &id).await["types"], json!(["*"]));
    let first = look(&with_cookie(t, &made), &one).send().await;
    holds(
        &first,
        &[
            "The secret of the endpoint",
            "<code>whsec_",
            "I have kept it",
            "all types, those to come included",
            "<h1>The CRM</h1>",
        ],
    );
    // Without the cookie, of somebody else, and at another endpoint, there is none.
    assert!(!page(t, &format!("/{id}")).await.text.contains("whsec_"));
    let other = endpoint(&t.key, json!(["ping"])).await;
    let elsewhere = look(&with_cookie(t, &made), &path(t, &format!("/{other}")))
        .send()
        .await;
    assert!(!elsewhere.text.contains("whsec_"));
    let kept = send(&with_cookie(t, &made), &format!("{one}/kept"), &[]).await;
    assert!(
        kept.header("set-cookie")
            .expect("a cookie")
            .contains("Max-Age=0")
    );
    let again = act(t, "", &fields).await;
    holds(&again, &["Already done", &one]);
    assert_eq!(t.count("webhook_endpoints").await, 2);
}

async fn what_is_wrong_is_told_at_its_field(t: &Bench) {
    for (url, told, field) in [
        ("http://example.com/", "every", "url"),
        ("x", "every", "url"),
        ("", "every", "url"),
        (URL, "some", "types"),
    ] {
        let once = once(1);
        let fields = [
            ("once", &*once),
            ("url", url),
            ("description", "kept"),
            ("told", told),
        ];
        let answer = act(t, "", &fields).await;
        assert_eq!(answer.status, 400, "{url}: {answer:?}");
        holds(
            &answer,
            &[&format!("id=\"{field}-error\""), "value=\"kept\""],
        );
    }
    assert_eq!(t.count("webhook_endpoints").await, 0);
    let absent = look(&t.owner, &path(t, "/whe_x")).send().await;
    assert_eq!(absent.status, 404);
}

async fn an_endpoint_is_changed_and_taken_away(t: &Bench) {
    let id = endpoint(&t.key, json!(["ping"])).await;
    let one = format!("/{id}");
    let (first, second) = (once(1), once(2));
    let fields = [
        ("once", &*first),
        ("url", URL),
        ("told", "some"),
        ("types", "ping"),
        ("types", "code.created"),
        ("description", "New"),
    ];
    led(&act(t, &one, &fields).await);
    let changed = shown(&t.key, &id).await;
    assert_eq!(
        (&changed["types"], &changed["description"]),
        (&json!(["code.created", "ping"]), &json!("New"))
    );
    holds(
        &page(t, &format!("{one}?done=saved")).await,
        &["The endpoint is saved.", "code.created, ping"],
    );
    let wrong = [
        ("once", &*second),
        ("url", "ftp://x"),
        ("told", "some"),
        ("types", "ping"),
        ("description", "typed"),
    ];
    let wrong = act(t, &one, &wrong).await;
    assert_eq!(wrong.status, 400);
    holds(
        &wrong,
        &["id=\"url-error\"", "value=\"typed\"", "value=\"ftp://x\""],
    );
    let gone = act(t, &format!("{one}/delete"), &[("once", &*second)]).await;
    assert_eq!(led(&gone), path(t, "?done=deleted"));
    assert_eq!(
        t.key.get(&format!("webhook-endpoints/{id}")).await.status,
        404
    );
}

async fn a_test_shows_what_came_of_it(t: &Bench) {
    let receiver = Receiver::start().await;
    let made = t
        .key
        .post("webhook-endpoints", json!({"url": receiver.url()}))
        .await
        .created();
    let (id, secret) = (text(&made["endpoint"]["id"]), text(&made["secret"]));
    let (first, second, third) = (once(1), once(2), once(3));
    let fields = [("once", &*first), ("kind", "credit.granted")];
    let tested = act(t, &format!("/{id}/test"), &fields).await;
    assert_eq!(tested.status, 200);
    holds(
        &tested,
        &[
            "What came of the test",
            ">Delivered 204</span>",
            "<dd>204</dd>",
            "curl -sS -X POST",
            "webhook-signature: v1,",
        ],
    );
    let seen = receiver.wait_for(1).await;
    assert_eq!(seen[0].kind(), "credit.granted");
    assert!(seen[0].is_signed_with(&secret));
    // The page loaded again calls nobody.
    let again = act(t, &format!("/{id}/test"), &fields).await;
    holds(&again, &["Already done"]);
    assert_eq!(receiver.seen().len(), 1);
    let unknown = [("once", &*second), ("kind", "x")];
    let unknown = act(t, &format!("/{id}/test"), &unknown).await;
    assert_eq!(unknown.status, 400);
    let nobody = endpoint(&t.key, json!(["*"])).await;
    let ping = [("once", &*third), ("kind", "ping")];
    let failed = act(t, &format!("/{nobody}/test"), &ping).await;
    holds(
        &failed,
        &[">Failed</span>", "No connection came about", "no answer"],
    );
}

async fn a_new_secret_is_shown_once(t: &Bench) {
    let id = endpoint(&t.key, json!(["*"])).await;
    let once = once(1);
    let fields = [("once", &*once), ("oldValidHours", "0")];
    let rotated = act(t, &format!("/{id}/rotate"), &fields).await;
    let shown = look(&with_cookie(t, &rotated), led(&rotated)).send().await;
    holds(&shown, &["<code>whsec_"]);
    holds(
        &act(t, &format!("/{id}/rotate"), &fields).await,
        &["Already done"],
    );
    let wrong = act(
        t,
        &format!("/{id}/rotate"),
        &[("once", &once), ("oldValidHours", "x")],
    )
    .await;
    assert_eq!(wrong.status, 400);
    holds(&wrong, &["whole number from 0 to 168"]);
}

async fn what_was_missed_is_counted_and_offered(t: &Bench) {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url(), "types": ["customer.created"]});
    let made = t.key.post("webhook-endpoints", body).await.created();
    let id = text(&made["endpoint"]["id"]);
    let off = once(1);
    led(&act(t, &format!("/{id}/disable"), &[("once", &*off)]).await);
    t.advance(HOUR);
    t.customer("missed").await;
    t.customer("missed-too").await;
    t.advance(HOUR);
    holds(
        &page(t, &format!("/{id}")).await,
        &["Somebody switched it off.", "Enable it"],
    );
    let on = once(2);
    let enabled = act(t, &format!("/{id}/enable"), &[("once", &*on)]).await;
    let offered = look(&t.owner, led(&enabled)).send().await;
    holds(
        &offered,
        &[
            "it is told of what happens from now on",
            "2 events are in this range",
            "Send them",
        ],
    );
    let sent = send(
        &t.owner,
        &path(t, &format!("/{id}/replay")),
        &hidden_fields(&offered),
    )
    .await;
    assert!(led(&sent).ends_with("?done=replay"));
    receiver.wait_for(1).await;
    // Twenty in a second, by a clock that stands still.
    t.advance(1_000_000);
    let seen = receiver.wait_for(2).await;
    assert!(seen.iter().all(|one| one.kind() == "customer.created"));
}

async fn a_range_is_counted_before_it_is_sent(t: &Bench) {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url(), "types": ["customer.created"]});
    let made = t.key.post("webhook-endpoints", body).await.created();
    let id = text(&made["endpoint"]["id"]);
    t.customer("ann").await;
    receiver.wait_for(1).await;
    t.advance(HOUR);
    let range = [
        ("since", "2020-01-01T00:00"),
        ("until", ""),
        ("status", ""),
        ("only", "customer.created"),
    ];
    let counted = act(t, &format!("/{id}/replay"), &range).await;
    let counted = look(&t.owner, led(&counted)).send().await;
    holds(&counted, &["One event is in this range", "Send them"]);
    assert_eq!(receiver.seen().len(), 1);
    led(&act(t, &format!("/{id}/replay"), &hidden_fields(&counted)).await);
    let seen = receiver.wait_for(2).await;
    assert_eq!(seen[0].id(), seen[1].id());
    let none = [("since", "2020-01-01T00:00"), ("until", "2020-01-02T00:00")];
    let none = act(t, &format!("/{id}/replay"), &none).await;
    holds(
        &look(&t.owner, led(&none)).send().await,
        &["No event is in this range"],
    );
    for (since, until) in [("x", ""), ("2030-01-01T00:00", "2020-01-01T00:00")] {
        let wrong = act(
            t,
            &format!("/{id}/replay"),
            &[("since", since), ("until", until)],
        )
        .await;
        assert_eq!(wrong.status, 400);
    }
}

async fn the_log_is_narrowed_down(t: &Bench) {
    let receiver = Receiver::start().await;
    let made = t
        .key
        .post("webhook-endpoints", json!({"url": receiver.url()}))
        .await
        .created();
    let id = text(&made["endpoint"]["id"]);
    holds(
        &page(t, &format!("/{id}")).await,
        &["Nothing was sent yet."],
    );
    let pair = t.pair("ann").await;
    t.apply(&pair).await;
    for kind in ["customer.created", "referral.applied"] {
        taken(t, &id, kind).await;
    }
    let all = page(t, &format!("/{id}")).await;
    holds(
        &all,
        &[
            ">referral.applied</a>",
            ">customer.created</a>",
            "1 of 10",
            ">Delivered 204</span>",
            "delivered</a>",
        ],
    );
    let some = page(
        t,
        &format!("/{id}?status=delivered&type=referral.applied&from=&to="),
    )
    .await;
    holds(
        &some,
        &[
            ">referral.applied</a>",
            "Clear filters",
            "value=\"delivered\" selected",
        ],
    );
    assert!(!some.text.contains(">customer.created</a>"));
    holds(
        &page(t, &format!("/{id}?status=failed")).await,
        &["No delivery matches the filters."],
    );
    let wrong = look(&t.owner, &path(t, &format!("/{id}?status=x")))
        .send()
        .await;
    assert_eq!(wrong.status, 400);
    holds(
        &page(t, "").await,
        &["delivered</a>", "all types, those to come included"],
    );
}

async fn a_delivery_shows_all_of_it(t: &Bench) {
    let receiver = Receiver::start().await;
    let body = json!({"url": receiver.url(), "types": ["customer.created"]});
    let made = t.key.post("webhook-endpoints", body).await.created();
    let (id, secret) = (text(&made["endpoint"]["id"]), text(&made["secret"]));
    let customer = t.customer("ann").await;
    let seen = receiver.wait_for(1).await;
    taken(t, &id, "customer.created").await;
    let list = t
        .key
        .get(&format!("webhook-endpoints/{id}/deliveries"))
        .await
        .ok();
    let delivery: &Value = &list["deliveries"][0];
    let one = format!("/{id}/deliveries/{}", text(&delivery["id"]));
    let told = page(t, &one).await;
    holds(
        &told,
        &[
            &format!("/go/{}", text(&delivery["eventId"])),
            "1 of 10",
            ">Delivered 204</span>",
            "<dt>webhook-id</dt>",
            &customer,
            "curl -sS",
            "v1,",
            "<td data-label=\"Status\">204</td>",
        ],
    );
    let viewer = t.member(Role::Viewer).await;
    let unsigned = look(&viewer, &path(t, &one)).send().await;
    holds(&unsigned, &["shown to owners and admins", &customer]);
    assert!(!unsigned.text.contains("v1,") && !unsigned.text.contains("curl"));
    let again = once(1);
    let sent = act(t, &one, &[("once", &*again)]).await;
    assert!(led(&sent).ends_with("?done=replay") && !led(&sent).contains(&one));
    let both = receiver.wait_for(2).await;
    assert_eq!(both[1].id(), seen[0].id());
    assert!(both[1].is_signed_with(&secret));
    holds(&act(t, &one, &[("once", &*again)]).await, &["Already done"]);
    assert_eq!(act(t, &one, &[]).await.status, 400);
}

async fn whoever_may_not_change_them_is_told_so(t: &Bench) {
    let id = endpoint(&t.key, json!(["*"])).await;
    let member = t.member(Role::Member).await;
    for rest in [String::new(), format!("/{id}")] {
        let seen = look(&member, &path(t, &rest)).send().await;
        assert_eq!(seen.status, 200);
        holds(
            &seen,
            &[
                "<fieldset class=\"shut\" disabled>",
                "This is for owners and admins of the team. You are a member.",
            ],
        );
    }
    let once = once(1);
    for act in [
        "", "/test", "/rotate", "/enable", "/disable", "/replay", "/delete", "/kept",
    ] {
        let sent = send(
            &member,
            &path(t, &format!("/{id}{act}")),
            &[("once", &*once)],
        )
        .await;
        assert_eq!(sent.status, 403, "{act}");
    }
    assert_eq!(shown(&t.key, &id).await["state"], "active");
}

async fn nothing_of_a_text_is_markup(t: &Bench) {
    let canary = "\"><img src=x onerror=alert(1)>";
    let body = json!({"url": URL, "description": canary});
    let id = text(&t.key.post("webhook-endpoints", body).await.created()["endpoint"]["id"]);
    for rest in [String::new(), format!("/{id}")] {
        let seen = page(t, &rest).await;
        assert!(
            !seen.text.contains("<img src=x") && seen.text.contains("&lt;img src=x"),
            "{seen:?}"
        );
    }
}

async fn a_form_undoes_nothing_that_others_changed(t: &Bench) {
    let id = endpoint(&t.key, json!(["*"])).await;
    let opened = page(t, &format!("/{id}")).await;
    let theirs = json!({"types": ["ping"]});
    t.key
        .patch(&format!("webhook-endpoints/{id}"), theirs)
        .await
        .ok();
    let mine = [("url", URL), ("description", "CRM"), ("told", "every")];
    let mut fields = hidden_fields(&opened);
    fields.extend(mine);
    led(&act(t, &format!("/{id}"), &fields).await);
    let now = shown(&t.key, &id).await;
    assert_eq!(
        (&now["types"], &now["description"]),
        (&json!(["ping"]), &json!("CRM"))
    );
}

/// An endpoint that takes nothing, its receiver, and an event that is on its way there.
async fn refusing(t: &Bench) -> (String, Receiver) {
    let receiver = Receiver::with(Behaviour::Answer(500, "")).await;
    let body = json!({"url": receiver.url(), "types": ["customer.created"]});
    let made = t.key.post("webhook-endpoints", body).await.created();
    t.customer("first").await;
    let id = text(&made["endpoint"]["id"]);
    tried(t, &id, 1).await;
    (id, receiver)
}

/// Waits until the delivery was tried so often.
async fn tried(t: &Bench, id: &str, times: usize) {
    let path = format!("webhook-endpoints/{id}/deliveries");
    let is_tried = || async {
        let list = t.key.get(&path).await.ok();
        let attempts = list["deliveries"][0]["attempts"].as_array().map(Vec::len);
        (attempts >= Some(times)).then_some(())
    };
    eventually("an attempt", is_tried).await;
}

async fn an_endpoint_that_fails_shows_what_is_tried_again_and_why(t: &Bench) {
    let (id, _receiver) = refusing(t).await;
    for rest in [String::new(), format!("/{id}")] {
        holds(
            &page(t, &rest).await,
            &[
                "0 delivered, 0 failed, <a href=",
                "?status=waiting\">1 tried again</a>",
                "Answer 500. The answer was none of 2xx.",
            ],
        );
    }
}

async fn what_failed_before_is_offered_too(t: &Bench) {
    let (id, receiver) = refusing(t).await;
    let began = "value=\"2026-03-30T12:00\"";
    // In the end it has failed for good, and the endpoint is switched off for it.
    for times in 2..=10 {
        t.later(31 * HOUR).await;
        tried(t, &id, times).await;
    }
    let shown = page(t, &format!("/{id}")).await;
    holds(
        &shown,
        &[
            "done nothing but fail for five days",
            "not while it is disabled",
            began,
            "<option value=\"failed\" selected>",
        ],
    );
    receiver.behave(Behaviour::Answer(204, ""));
    t.later(HOUR).await;
    let on = once(2);
    let enabled = act(t, &format!("/{id}/enable"), &[("once", &*on)]).await;
    let offered = look(&t.owner, led(&enabled)).send().await;
    holds(&offered, &["One event is in this range", "Send them"]);
    let replay = path(t, &format!("/{id}/replay"));
    let sent = send(&t.owner, &replay, &hidden_fields(&offered)).await;
    assert!(led(&sent).ends_with("?done=replay"));
    t.advance(HOUR);
    receiver.wait_for(11).await;
    // What was sent again is proposed no more.
    let is_another = || async {
        let shown = page(t, &format!("/{id}")).await;
        (!shown.text.contains(began)).then_some(())
    };
    eventually("another proposal", is_another).await;
}
