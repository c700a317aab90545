//! What is foreign is answered as what is not there: every route and every kind of caller, from the table.

use billstack::http::route::Route;
use billstack_core::access::Role;
use billstack_core::ids::ProjectId;
use billstack_core::time::HOUR;
use billstack_core::webhook::endpoint::Types;
use billstack_store::webhooks::{NewEndpoint, endpoints};
use billstack_store::{Place, Tx, api_keys, members, params};
use reqwest::Method;
use serde_json::{Value, json};

use super::{guarded, has_place, knock};
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::{Tenant, apply_body, text};

on_both_engines! {
    a_foreign_thing_is_answered_as_one_that_is_not_there,
    a_foreign_home_is_answered_as_one_that_is_not_there,
    a_foreign_thing_in_a_body_is_answered_as_one_that_is_not_there,
}

/// Things of the usual team, by what stands for them in a path.
struct Things {
    /// The end of the path before the parameter, the parameter, and the id.
    ids: Vec<(&'static str, &'static str, String)>,
    texts: Vec<String>,
}

/// A run that has compared the books of the usual project with Stripe's: none begins without a key.
async fn run(t: &Bench) -> String {
    const RUN: &str = "run_01kgv5r3mq7x2h9d4t8w6c0b1e";
    const INSERT: &str = "INSERT INTO reconcile_runs (team_id, id, project_id, remedy, is_whole, status, \
        stage, slots, after, looked, asked, \
        done, total, found, repaired, created_at, ended_at) \
        VALUES ($1, $2, $3, 'tell', FALSE, 'done', 'over', 0, '', 0, 0, 0, 0, 0, 0, 1, 2)";
    let (team, project) = (t.home.team_id(), ProjectId::from(t.home.project.as_str()));
    t.write(move |tx: &mut dyn Tx, _| Ok(tx.execute(INSERT, params![&team, RUN, &project])?))
        .await;
    RUN.to_owned()
}

/// An endpoint of the usual project, and what waits to be sent to it.
async fn webhook(t: &Bench) -> (String, String) {
    let (place, new) = (
        Place::new(t.home.team.as_str(), t.home.project.as_str()),
        NewEndpoint {
            url: "https://hooks.invalid/".to_owned(),
            description: None,
            types: Types::Every,
        },
    );
    let made =
        t.write(move |tx, act| endpoints::create(tx, act, &place, &new, |_| "sealed".to_owned()));
    let id = made.await.id;
    t.customer("told").await;
    let delivery = text(&t.deliveries(&id, 1).await[0]["id"]);
    (id, delivery)
}

impl Things {
    async fn of(t: &Bench) -> Things {
        let (endpoint, delivery) = webhook(t).await;
        let (pair, referral) = t.pending("theirs").await;
        let event = t.created(&pair.stripe);
        t.accept(&event).await;
        let credit = text(&t.credits().await[0]["id"]);
        let (key, _) = t.key(None, &[], None).await;
        let path = t.home.path("invitations");
        let body = json!({"email": "guest@example.com", "role": "member"});
        let invited = t.owner.post(&path, body).await.created();
        let invitation = text(&invited["invitation"]["id"]);
        let ids = vec![
            ("customers/", "{id}", pair.referee.clone()),
            ("referrals/codes/", "{code}", pair.code.clone()),
            ("referrals/credits/", "{id}", credit),
            ("find/", "{id}", referral.clone()),
            ("referrals/", "{id}", referral),
            ("members/", "{userId}", t.home.owner_id.clone()),
            ("invitations/", "{id}", invitation),
            ("api-keys/", "{keyId}", key),
            ("stripe/events/", "{id}", text(&event["id"])),
            ("referrals/reconcile/", "{runId}", run(t).await),
            (
                "attention/",
                "{id}",
                format!("webhook_endpoint_failing.{endpoint}"),
            ),
            ("webhook-endpoints/", "{endpointId}", endpoint),
            ("deliveries/", "{id}", delivery),
        ];
        let mut texts: Vec<_> = ids.iter().map(|(_, _, id)| id.clone()).collect();
        texts.extend([pair.referrer, pair.stripe, "theirs".to_owned()]);
        Things { ids, texts }
    }

    /// The path of a route in a home, with the thing that it is about.
    fn path(&self, route: &Route, home: &Tenant, id_of: fn(&str) -> String) -> String {
        let path = route.path.replace("{teamId}", &home.team);
        // A month is nobody's.
        let path = path.replace("{month}", "2026-03");
        let mut path = path.replace("{projectId}", &home.project);
        for (before, parameter, id) in &self.ids {
            path = path.replace(
                &format!("{before}{parameter}"),
                &format!("{before}{}", id_of(id)),
            );
        }
        assert!(
            !path.contains('{'),
            "a parameter that this test does not know: {path}"
        );
        path
    }

    fn assert_untold(&self, answer: &Answer) {
        for text in &self.texts {
            // What the caller asked for may be repeated to it.
            let is_asked = answer.path.contains(text.as_str());
            assert!(
                is_asked || !answer.text.contains(text.as_str()),
                "{answer:?}"
            );
        }
    }
}

/// An id of the same form that nothing has.
fn unknown(id: &str) -> String {
    let end = &id[id.len() - 4..];
    let other = if end == "2222" { "3333" } else { "2222" };
    format!("{}{other}", &id[..id.len() - 4])
}

/// Status, reason and body, without the ids that were asked for.
fn told(answer: &Answer, asked: &[String]) -> (u16, String) {
    let mut text = answer.text.clone();
    for id in asked {
        text = text.replace(id.as_str(), "it").replace(&unknown(id), "it");
    }
    (answer.status, text)
}

/// In the caller's own team: the id alone is foreign.
async fn a_foreign_thing_is_answered_as_one_that_is_not_there(t: &Bench) {
    let things = Things::of(t).await;
    let stranger = t.tenant("stranger").await;
    let asked: Vec<_> = things.ids.iter().map(|(_, _, id)| id.clone()).collect();
    let mut seen = 0;
    for (route, _) in guarded(&t.home) {
        if !has_place(&route) || !route.path.ends_with('}') && !route.path.contains("}/") {
            continue;
        }
        let foreign = things.path(&route, &stranger, str::to_owned);
        let absent = things.path(&route, &stranger, unknown);
        if foreign == absent {
            continue;
        }
        seen += 1;
        let before = of_home(t).await;
        let by_session = [
            knock(&stranger.owner, &route, &foreign).await,
            knock(&stranger.owner, &route, &absent).await,
        ];
        let by_key = [
            knock(&stranger.key, &route, &foreign).await,
            knock(&stranger.key, &route, &absent).await,
        ];
        for [left, right] in [by_session, by_key] {
            assert_eq!(told(&left, &asked), told(&right, &asked), "{left:?}");
            assert!(left.status >= 400, "{left:?}");
            things.assert_untold(&left);
        }
        assert_eq!(of_home(t).await, before, "{} {}", route.method, route.path);
    }
    assert!(seen >= 12, "{seen}");
}

/// What the owner of the usual team sees of it.
async fn of_home(t: &Bench) -> Vec<Value> {
    let mut all = Vec::new();
    for list in [
        "customers",
        "referrals",
        "referrals/codes",
        "referrals/credits",
    ] {
        all.push(t.key.get(list).await.ok());
    }
    for list in ["members", "invitations", "api-keys", "stripe/events"] {
        all.push(t.owner.get(&t.home.path(list)).await.ok());
    }
    all
}

/// Somebody else's team and project are as those that are nobody's, to whoever is not in them.
async fn a_foreign_home_is_answered_as_one_that_is_not_there(t: &Bench) {
    let things = Things::of(t).await;
    let stranger = t.tenant("stranger").await;
    let removed = t.member(Role::Admin).await;
    let (id, revoked) = t.key(None, &[], None).await;
    let (_, expiring) = t.key(None, &[], Some(t.now().plus(HOUR))).await;
    let (team, owner) = (t.home.team_id(), t.home.owner_id.clone());
    let listed = t.owner.get(&t.home.path("members")).await.ok();
    let rows = listed["members"].as_array().expect("a list").clone();
    let left = rows.iter().map(|row| text(&row["userId"]));
    let left = left.filter(|user| *user != owner).collect::<Vec<_>>();
    t.write(move |tx, act| {
        api_keys::revoke(tx, act, &team, &id)?;
        for user in &left {
            members::remove(tx, act, &team, &owner, Role::Owner, user)?;
        }
        Ok(())
    })
    .await;
    t.advance(HOUR);
    let mut nowhere = t.home.clone();
    nowhere.team = unknown(&t.home.team);
    nowhere.project = unknown(&t.home.project);
    let mut asked = vec![t.home.team.clone(), t.home.project.clone()];
    asked.extend(things.ids.iter().map(|(_, _, id)| id.clone()));
    let callers: [(&str, &dyn Knocks); 6] = [
        ("nobody", &t.nobody),
        ("a key of another team", &stranger.key),
        ("a session of another team", &stranger.owner),
        ("a removed member", &removed),
        ("a revoked key", &revoked),
        ("an expired key", &expiring),
    ];
    for (route, _) in guarded(&t.home) {
        if !has_place(&route) {
            continue;
        }
        let there = things.path(&route, &t.home, str::to_owned);
        let nobodys = things.path(&route, &nowhere, unknown);
        for (who, caller) in &callers {
            let left = caller.knocks(&route, &there).await;
            let right = caller.knocks(&route, &nobodys).await;
            assert!(matches!(left.status, 401 | 403), "{who}: {left:?}");
            assert_eq!(told(&left, &asked), told(&right, &asked), "{who}: {left:?}");
            things.assert_untold(&left);
        }
    }
}

/// A caller of any kind.
trait Knocks {
    fn knocks<'a>(
        &'a self,
        route: &'a Route,
        path: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answer> + 'a>>;
}

impl<C: Caller> Knocks for C {
    fn knocks<'a>(
        &'a self,
        route: &'a Route,
        path: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = Answer> + 'a>> {
        Box::pin(knock(self, route, path))
    }
}

async fn a_foreign_thing_in_a_body_is_answered_as_one_that_is_not_there(t: &Bench) {
    let (pair, _) = t.pending("theirs").await;
    let stranger = t.tenant("stranger").await;
    let own = stranger
        .key
        .post("customers", json!({"email": "own@example.com"}));
    let own = text(&own.await.created()["customer"]["id"]);
    let on = json!({"enabled": true, "referrerCreditAmount": 1, "refereeCreditAmount": 1});
    stranger.key.put("referrals/config", on).await.ok();
    let made = stranger
        .key
        .post("referrals/codes", json!({"customerId": own}));
    let code = text(&made.await.created()["code"]["code"]);
    let bodies = |theirs: &dyn Fn(&str) -> String| {
        [
            (
                "referrals/codes",
                json!({"customerId": theirs(&pair.referee)}),
            ),
            ("referrals/apply", apply_body(&theirs(&pair.code), &own)),
            ("referrals/apply", apply_body(&code, &theirs(&pair.referee))),
        ]
    };
    let foreign = bodies(&str::to_owned);
    let absent = bodies(&unknown);
    let asked = [pair.referee.clone(), pair.code.clone()];
    for ((path, left), (_, right)) in foreign.into_iter().zip(absent) {
        let left = stranger
            .key
            .call(Method::POST, path)
            .json(&left)
            .send()
            .await;
        let right = stranger
            .key
            .call(Method::POST, path)
            .json(&right)
            .send()
            .await;
        assert_eq!(left.status, 404, "{left:?}");
        assert_eq!(told(&left, &asked), told(&right, &asked));
    }
}
