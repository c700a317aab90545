//! `/find` and `/go/{id}`.

use billstack_core::access::Role;

use super::{led, look};
use crate::support::bench::{Bench, Setup};
use crate::support::client::Caller;
use crate::support::fixture::text;
use serde_json::json;

on_both_engines! {
    each_kind_of_id_leads_to_its_page with inner,
    the_unknown_and_the_foreign_look_alike with inner,
    one_hit_is_shown_itself_and_several_are_listed,
    those_who_share_an_id_of_stripe_are_listed,
    whoever_may_not_look_is_not_led_there,
}

/// Webhooks may go to this machine, where nothing listens.
fn inner() -> Setup {
    Setup {
        settings: |args| args.webhook_allowed_networks = Some("127.0.0.0/8".to_owned()),
        ..Setup::default()
    }
}

/// What is asked for, and the end of the page that it leads to.
async fn ways(t: &Bench) -> Vec<(String, String)> {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    let subscription = text(&event["data"]["object"]["id"]);
    t.accept(&event).await;
    let credit = text(&t.credits().await[0]["id"]);
    let story = format!("referrals/{referral}/events");
    let story = t.key.get(&story).await.ok();
    let logged = text(&story["events"][0]["id"]);
    let request = text(&story["events"][0]["requestId"]);
    let (key, _) = t.key(None, &[], None).await;
    let body = json!({"url": "http://127.0.0.1:9/hook", "types": ["referral.applied"]});
    let endpoint = t.owner.post("webhook-endpoints", body).await.created();
    let endpoint = text(&endpoint["endpoint"]["id"]);
    let stripe_event = text(&event["id"]);
    let team = format!("/t/{}", t.home.team);
    let project = format!("{team}/p/{}", t.home.project);
    let of = |path: &str, id: &str| format!("{project}/{path}/{id}");
    vec![
        (t.home.team.clone(), team.clone()),
        (t.home.project.clone(), project.clone()),
        (t.home.owner_id.clone(), "/account".to_owned()),
        (key.clone(), format!("{team}/keys#{key}")),
        (pair.referee.clone(), of("customers", &pair.referee)),
        (pair.stripe.clone(), of("customers", &pair.referee)),
        (referral.clone(), of("referrals", &referral)),
        (subscription, of("referrals", &referral)),
        (credit.clone(), of("credits", &credit)),
        (
            logged.clone(),
            format!("{}#{logged}", of("referrals", &referral)),
        ),
        (
            stripe_event.clone(),
            format!("{team}/stripe/events/{stripe_event}"),
        ),
        (pair.code.to_lowercase(), of("codes", &pair.code)),
        (endpoint.clone(), of("webhooks", &endpoint)),
        (
            request.clone(),
            format!("{team}/activity?requestId={request}"),
        ),
    ]
}

async fn each_kind_of_id_leads_to_its_page(t: &Bench) {
    for (id, page) in ways(t).await {
        let answer = look(&t.owner, &format!("/go/{id}")).send().await;
        assert_eq!(led(&answer), page, "{id}");
        let found = look(&t.owner, &format!("/find?q=+{id}+")).send().await;
        assert_eq!(led(&found), page, "{id}");
        // As somebody typed it. What is of Stripe differs by its case.
        let typed =
            match page.contains("/stripe/") || id.starts_with("cus_") || id.starts_with("sub_") {
                true => id.clone(),
                false => id.to_uppercase(),
            };
        let request = page.contains("?requestId=");
        let typed = look(&t.owner, &format!("/go/%20{typed}%20")).send().await;
        match request {
            true => assert_eq!(typed.status, 404, "{id}"),
            false => assert_eq!(led(&typed), page, "{id}"),
        }
    }
    // What happens to a customer is no part of a story.
    let log = t.home.path("activity?type=customer.created");
    let log = t.owner.get(&log).await.ok();
    let id = text(&log["activity"][0]["id"]);
    let answer = look(&t.owner, &format!("/go/{id}")).send().await;
    let place = led(&answer);
    assert!(
        place.contains("/activity?from=") && place.ends_with(&format!("#{id}")),
        "{place}"
    );
}

async fn the_unknown_and_the_foreign_look_alike(t: &Bench) {
    let foreign: Vec<_> = ways(t).await.into_iter().map(|(id, _)| id).collect();
    let stranger = t.tenant("stranger").await;
    let mut pages = Vec::new();
    let unknown = [
        "ref_unknown",
        "team_x",
        "evt_1P",
        "AB2CD3EF",
        "whd_x",
        "%00",
        "x",
    ];
    for id in foreign.iter().map(String::as_str).chain(unknown) {
        let answer = look(&stranger.owner, &format!("/go/{id}")).send().await;
        assert_eq!(answer.status, 404, "{id}: {answer:?}");
        let request = answer.header("x-request-id").expect("an id");
        pages.push(answer.text.replace(request, "it"));
        let found = look(&stranger.owner, &format!("/find?q={id}")).send().await;
        assert!(
            !id.contains('_') || found.text.contains("Nothing in your teams"),
            "{id}"
        );
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
}

async fn one_hit_is_shown_itself_and_several_are_listed(t: &Bench) {
    let canary = "\"><img src=x onerror=alert(1)>";
    let body = json!({"email": "grace@example.com", "name": canary});
    let here = text(&t.customer_with(body).await["id"]);
    let found = look(&t.owner, "/find?q=Grace@example.com").send().await;
    assert!(led(&found).ends_with(&here));
    let (_, second) = t.project("Second").await;
    let body = json!({"email": "grace@example.com", "name": "Grace"});
    let there = second.post("customers", body).await.created();
    let there = text(&there["customer"]["id"]);
    let page = look(&t.owner, "/find?q=grace@example.com").send().await;
    assert_eq!(page.status, 200, "{page:?}");
    for part in [&here, &there, "home / Second", "&lt;img src=x"] {
        assert!(page.text.contains(part), "{part}: {page:?}");
    }
    assert!(!page.text.contains("<img src=x"));
    let empty = look(&t.owner, "/find").send().await;
    assert!(
        empty.text.contains("Looked for in all your teams"),
        "{empty:?}"
    );
    let long = "x".repeat(256);
    let long = look(&t.owner, &format!("/find?q={long}")).send().await;
    assert_eq!(long.status, 400);
}

async fn those_who_share_an_id_of_stripe_are_listed(t: &Bench) {
    let mut ids = Vec::new();
    for name in ["ann", "bob"] {
        let body =
            json!({"email": format!("{name}@example.com"), "stripeCustomerId": "cus_Shared"});
        ids.push(text(&t.customer_with(body).await["id"]));
    }
    let answer = look(&t.owner, "/go/cus_Shared").send().await;
    assert_eq!(led(&answer), "/find?q=cus_Shared");
    let page = look(&t.owner, led(&answer)).send().await;
    assert_eq!(page.status, 200, "{page:?}");
    for id in &ids {
        assert!(
            page.text.contains(&format!("/customers/{id}\"")),
            "{page:?}"
        );
    }
}

async fn whoever_may_not_look_is_not_led_there(t: &Bench) {
    let (key, _) = t.key(None, &[], None).await;
    let viewer = t.member(Role::Viewer).await;
    let ways = [(&key, 404), (&t.home.owner_id, 404), (&t.home.project, 303)];
    for (id, status) in ways {
        let answer = look(&viewer, &format!("/go/{id}")).send().await;
        assert_eq!(answer.status, status, "{id}");
    }
}
