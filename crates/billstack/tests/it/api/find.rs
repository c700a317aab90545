//! `GET /api/billstack/find` and `GET /api/billstack/find/{id}`.

use billstack_core::access::{Role, Scope};
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, CookieClient};
use crate::support::fixture::text;

on_both_engines! {
    every_kind_of_id_is_found,
    a_subscription_leads_to_whoever_waits_for_its_payment,
    a_subscription_leads_to_whoever_waits_for_an_invoice,
    people_and_codes_are_found_by_their_names,
    the_unknown_and_the_foreign_look_alike,
    a_role_finds_what_it_may_read,
    it_is_asked_for_strictly,
}

async fn hits(client: &CookieClient, query: &str) -> Vec<(String, String)> {
    let query = query.replace('+', "%2B");
    let answer = client
        .get(&format!("/api/billstack/find?q={query}"))
        .await
        .ok();
    let hits = answer["hits"].as_array().expect("a list").iter();
    hits.map(|hit| (text(&hit["kind"]), text(&hit["id"])))
        .collect()
}

/// What one id leads to.
async fn found(client: &CookieClient, id: &str) -> Value {
    let answer = client.get(&format!("/api/billstack/find/{id}")).await;
    answer.ok()["found"].take()
}

async fn every_kind_of_id_is_found(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    let subscription = text(&event["data"]["object"]["id"]);
    t.accept(&event).await;
    let credit = text(&t.credits().await[0]["id"]);
    let story = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    let logged = text(&story["events"][0]["id"]);
    let request = text(&story["events"][0]["requestId"]);
    let (key, _) = t.key(None, &[], None).await;
    let (project, stripe_event) = (t.home.project.clone(), text(&event["id"]));
    let own = Some(project.as_str());
    let event = json!({
        "kind": "event", "id": logged, "teamId": t.home.team, "projectId": project, "of": referral,
    });
    assert_eq!(found(&t.owner, &logged).await, event);
    for (asked, kind, id, of_project) in [
        (&t.home.team, "team", &t.home.team, None),
        (&project, "project", &project, own),
        (&t.home.owner_id, "user", &t.home.owner_id, None),
        (&key, "api_key", &key, None),
        (&pair.referee, "customer", &pair.referee, own),
        (&referral, "referral", &referral, own),
        (&credit, "credit", &credit, own),
        (&stripe_event, "stripe_event", &stripe_event, None),
        (&pair.stripe, "customer", &pair.referee, own),
        (&subscription, "referral", &referral, own),
        (&pair.code, "code", &pair.code, own),
        (&pair.code.to_lowercase(), "code", &pair.code, own),
        (&request, "request", &request, None),
    ] {
        let expected = json!({
            "kind": kind, "id": id, "teamId": t.home.team, "projectId": of_project, "of": null,
        });
        assert_eq!(found(&t.owner, asked).await, expected, "{asked}");
        assert_eq!(
            hits(&t.owner, asked).await,
            [(kind.to_owned(), id.clone())],
            "{asked}"
        );
    }
}

async fn a_subscription_leads_to_whoever_waits_for_its_payment(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let subscription = t.subscription(&pair.stripe).status("incomplete");
    let subscription = subscription.metadata("billstackCustomerId", &pair.referee);
    let event = t.event("customer.subscription.created", &subscription);
    let id = text(&event["data"]["object"]["id"]);
    assert_eq!(hits(&t.owner, &id).await, []);
    t.accept(&event).await;
    // By whichever names it is known, it is one referral.
    let one = [("referral".to_owned(), referral.clone())];
    assert_eq!(hits(&t.owner, &id).await, one);
    let expected = json!({
        "kind": "referral", "id": referral, "teamId": t.home.team, "projectId": t.home.project, "of": null,
    });
    assert_eq!(found(&t.owner, &id).await, expected);
    // Whoever may not read referrals, or is in another team, finds none.
    let (_, key) = t.key(None, &[Scope::CustomersRead], None).await;
    let asked = format!("/api/billstack/find?q={id}");
    assert_eq!(key.get(&asked).await.ok()["hits"], json!([]));
    let stranger = t.tenant("stranger").await;
    assert_eq!(hits(&stranger.owner, &id).await, []);
    // Once it has paid, the referral is the one that it has converted.
    t.accept(&t.event(
        "customer.subscription.updated",
        &subscription.status("active"),
    ))
    .await;
    assert_eq!(t.status(&referral).await, "converted");
    assert_eq!(hits(&t.owner, &id).await, one);
    // One of somebody whom nobody brought leads to nothing.
    t.customer_with(json!({"email": "eve@example.com", "stripeCustomerId": "cus_eve"}))
        .await;
    let of_eve = t.created("cus_eve");
    t.accept(&of_eve).await;
    let of_eve = text(&of_eve["data"]["object"]["id"]);
    assert_eq!(hits(&t.owner, &of_eve).await, []);
}

async fn a_subscription_leads_to_whoever_waits_for_an_invoice(t: &Bench) {
    let program = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "currency": "usd",
        "conversionTrigger": "first_paid_invoice",
    });
    t.key.put("referrals/config", program).await.ok();
    let pair = t.pair("a").await;
    let event = t.created(&pair.stripe);
    let id = text(&event["data"]["object"]["id"]);
    // Also where Stripe told of it before the code was applied.
    t.accept(&event).await;
    assert_eq!(hits(&t.owner, &id).await, []);
    let referral = text(&t.apply(&pair).await["id"]);
    assert_eq!(t.status(&referral).await, "pending");
    assert_eq!(
        hits(&t.owner, &id).await,
        [("referral".to_owned(), referral)]
    );
}

async fn people_and_codes_are_found_by_their_names(t: &Bench) {
    let body = json!({"email": "grace@example.com", "externalId": "user-4711"});
    let grace = text(&t.customer_with(body).await["id"]);
    let code = t.code(&grace).await;
    let path = format!("referrals/codes/{code}");
    t.key.patch(&path, json!({"vanity": "GRACE-H"})).await.ok();
    let customer = vec![("customer".to_owned(), grace.clone())];
    for query in ["grace@example.com", "%20Grace@Example.com", "user-4711"] {
        assert_eq!(hits(&t.owner, query).await, customer, "{query}");
    }
    assert_eq!(
        hits(&t.owner, "graceh").await,
        [("code".to_owned(), code.clone())]
    );
    assert_eq!(found(&t.owner, "grace-h").await["id"], code.as_str());
    assert_eq!(hits(&t.owner, "nobody").await, []);
    let address = t.owner.get("/api/billstack/find/grace@example.com").await;
    address.refused("not_found");
}

async fn the_unknown_and_the_foreign_look_alike(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let stranger = t.tenant("stranger").await;
    let mut bodies = Vec::new();
    for id in [
        referral.as_str(),
        &pair.code,
        &pair.stripe,
        &t.home.team,
        "ref_unknown",
        "%00",
    ] {
        let answer = stranger
            .owner
            .get(&format!("/api/billstack/find/{id}"))
            .await;
        assert_eq!(answer.status, 404, "{answer:?}");
        bodies.push(answer.text.clone());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert_eq!(hits(&stranger.owner, &pair.code).await, []);
    assert_eq!(hits(&stranger.owner, "a-referee@example.com").await, []);
}

async fn a_role_finds_what_it_may_read(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let (key, _) = t.key(None, &[], None).await;
    let viewer = t.member(Role::Viewer).await;
    assert_eq!(hits(&viewer, &pair.code).await.len(), 1);
    let stripe_event = text(&event["id"]);
    for id in [&key, &t.home.owner_id, &stripe_event] {
        assert_eq!(hits(&viewer, id).await, [], "{id}");
        assert_eq!(hits(&t.owner, id).await.len(), 1, "{id}");
    }
}

async fn it_is_asked_for_strictly(t: &Bench) {
    for query in ["", "?q=", "?q=%20"] {
        let answer = t.owner.get(&format!("/api/billstack/find{query}")).await;
        answer.invalid("q");
    }
    t.nobody
        .get("/api/billstack/find?q=x")
        .await
        .refused("unauthenticated");
}
