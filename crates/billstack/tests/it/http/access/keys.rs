//! What an API key reads outside of its project.

use billstack_core::access::Scope;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Caller, KeyClient};
use crate::support::fixture::{pluck, text};

on_both_engines! {
    a_key_tells_what_it_is_good_for,
    a_key_finds_what_it_may_read,
    a_key_of_a_project_finds_nothing_of_another,
    a_key_lists_the_projects_that_it_is_good_for,
    a_key_sees_events_of_stripe_without_their_bodies,
    a_long_list_of_others_ends_for_a_key_of_one_project,
}

async fn a_key_tells_what_it_is_good_for(t: &Bench) {
    let until = t.now().plus(1_000_000);
    let project = t.home.project.as_str();
    let (id, key) = t
        .key(Some(project), &[Scope::ReferralsRead], Some(until))
        .await;
    let caller = key.get("/api/billstack/caller").await.ok()["caller"].take();
    assert_eq!(caller["kind"], "api_key");
    assert_eq!(caller["id"], id);
    assert_eq!(caller["teamId"], t.home.team);
    assert_eq!(caller["projectId"], project);
    assert_eq!(caller["scopes"], json!(["referrals:read"]));
    assert!(caller["expiresAt"].is_string(), "{caller}");
    let whole = t.key.get("/api/billstack/caller").await.ok();
    assert_eq!(whole["caller"]["projectId"], Value::Null);
    assert_eq!(
        whole["caller"]["scopes"].as_array().map(Vec::len),
        Some(Scope::ALL.len())
    );
    let person = t.owner.get("/api/billstack/caller").await.ok();
    assert_eq!(person["caller"]["kind"], "user");
    assert_eq!(person["caller"]["id"], t.home.owner_id);
    assert_eq!(person["caller"]["teamId"], Value::Null);
}

async fn found(key: &KeyClient, text: &str) -> Vec<String> {
    let answer = key.get(&format!("/api/billstack/find?q={text}")).await;
    pluck(&answer.ok()["hits"], "kind")
}

async fn a_key_finds_what_it_may_read(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let credit = text(&t.credits().await[0]["id"]);
    let story = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    let (logged, request) = (
        text(&story["events"][0]["id"]),
        text(&story["events"][0]["requestId"]),
    );
    let (own, key) = t.key(None, &[], None).await;
    let (_, customers) = t.key(None, &[Scope::CustomersRead], None).await;
    let (_, referrals) = t.key(None, &[Scope::ReferralsWrite], None).await;
    let (_, webhooks) = t.key(None, &[Scope::WebhooksRead], None).await;
    let stripe_event = text(&event["id"]);
    for (asked, kind, of_customers, of_referrals) in [
        (&pair.stripe, "customer", true, false),
        (&pair.referee, "customer", true, false),
        (&pair.code, "code", false, true),
        (&referral, "referral", false, true),
        (&credit, "credit", false, true),
        (&logged, "event", false, true),
        (&stripe_event, "stripe_event", false, true),
    ] {
        let some = |is_seen: bool| match is_seen {
            true => vec![kind.to_owned()],
            false => Vec::new(),
        };
        assert_eq!(found(&key, asked).await, some(true), "{asked}");
        assert_eq!(
            found(&customers, asked).await,
            some(of_customers),
            "{asked}"
        );
        assert_eq!(
            found(&referrals, asked).await,
            some(of_referrals),
            "{asked}"
        );
        assert_eq!(found(&webhooks, asked).await, some(false), "{asked}");
    }
    // People, keys and requests are for those who administer the team.
    for asked in [&t.home.owner_id, &own, &request] {
        assert_eq!(found(&key, asked).await, Vec::<String>::new(), "{asked}");
    }
    let place = key
        .get(&format!("/api/billstack/find/{referral}"))
        .await
        .ok();
    assert_eq!(place["found"]["projectId"], t.home.project);
    let unseen = customers.get(&format!("/api/billstack/find/{referral}"));
    unseen.await.refused("not_found");
}

async fn a_key_of_a_project_finds_nothing_of_another(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let credit = text(&t.credits().await[0]["id"]);
    let story = t
        .key
        .get(&format!("referrals/{referral}/events"))
        .await
        .ok();
    let logged = text(&story["events"][0]["id"]);
    let subscription = text(&event["data"]["object"]["id"]);
    let stripe_event = text(&event["id"]);
    let (other, _) = t.project("other").await;
    let (_, of_other) = t.key(Some(&other), &[], None).await;
    let (_, of_home) = t.key(Some(&t.home.project), &[], None).await;
    for asked in [
        &pair.stripe,
        &pair.referee,
        &pair.code,
        &referral,
        &credit,
        &logged,
        &subscription,
        &stripe_event,
        &t.home.project,
    ] {
        assert_eq!(found(&of_home, asked).await.len(), 1, "{asked}");
        assert_eq!(
            found(&of_other, asked).await,
            Vec::<String>::new(),
            "{asked}"
        );
    }
    assert_eq!(found(&of_other, &other).await, ["project"]);
}

async fn a_key_lists_the_projects_that_it_is_good_for(t: &Bench) {
    t.advance(1_000);
    let (other, _) = t.project("other").await;
    let path = format!("/api/billstack/teams/{}/projects", t.home.team);
    let all = t.key.get(&path).await.ok();
    assert_eq!(
        pluck(&all["projects"], "id"),
        [other.clone(), t.home.project.clone()]
    );
    let (_, key) = t.key(Some(&other), &[Scope::CustomersRead], None).await;
    let own = key.get(&path).await.ok();
    assert_eq!(pluck(&own["projects"], "id"), [other]);
    let none = key.get(&format!("{path}?offset=1")).await.ok();
    assert_eq!(none["projects"], json!([]));
}

async fn a_key_sees_events_of_stripe_without_their_bodies(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    t.accept(&t.created("cus_unheard_of")).await;
    let path = format!("/api/billstack/teams/{}/stripe/events", t.home.team);
    let one = format!("{path}/{}", text(&event["id"]));
    let (other, _) = t.project("other").await;
    let (_, of_home) = t
        .key(Some(&t.home.project), &[Scope::ReferralsRead], None)
        .await;
    let (_, of_other) = t.key(Some(&other), &[], None).await;
    let (_, lacking) = t.key(None, &[Scope::CustomersWrite], None).await;
    let listed = |answer: Value| pluck(&answer["events"], "outcome");
    assert_eq!(
        listed(t.key.get(&path).await.ok()),
        ["no_customer", "converted"]
    );
    assert_eq!(listed(of_home.get(&path).await.ok()), ["converted"]);
    assert_eq!(listed(of_other.get(&path).await.ok()), Vec::<String>::new());
    lacking.get(&path).await.refused("insufficient_scope");
    lacking.get(&one).await.refused("insufficient_scope");

    let person = t.owner.get(&one).await.ok();
    assert!(person["event"]["payload"].is_object(), "{person}");
    for key in [&t.key, &of_home] {
        let seen = key.get(&one).await.ok();
        assert_eq!(seen["event"]["payload"], Value::Null);
        assert_eq!(seen["event"]["outcome"], "converted");
    }
    of_other.get(&one).await.refused("event_not_found");
    let replay = format!("{one}/replay");
    t.key
        .post(&replay, json!({}))
        .await
        .refused("session_required");
}

/// Each page reads a bounded part of what is another's, and the next one goes on behind it.
async fn a_long_list_of_others_ends_for_a_key_of_one_project(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    for number in 0..25 {
        t.advance(1_000);
        t.accept(&t.created(&format!("cus_other{number}"))).await;
    }
    let (_, key) = t.key(Some(&t.home.project), &[], None).await;
    let base = format!("/api/billstack/teams/{}/stripe/events?limit=2", t.home.team);
    let (mut path, mut seen, mut pages) = (base.clone(), Vec::new(), 0);
    loop {
        let page = key.get(&path).await.ok();
        seen.extend(pluck(&page["events"], "outcome"));
        pages += 1;
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("{base}&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["converted"]);
    assert!((2..=3).contains(&pages), "{pages}");
}
