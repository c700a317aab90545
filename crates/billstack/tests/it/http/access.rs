//! Who may call. Most of it is generated from the one table of routes, so that a route added later
//! is held to the same rules.

mod csrf;
mod foreign;
mod keys;

use billstack::http::access::Right;
use billstack::http::route::Route;
use billstack::routes::calls;
use billstack_core::access::{Role, Scope};
use billstack_core::time::HOUR;
use billstack_store::{api_keys, projects};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::Tenant;

on_both_engines! {
    without_credentials_every_guarded_route_is_401,
    a_foreign_key_or_session_is_403,
    a_key_of_another_project_is_403,
    a_project_that_is_not_there_is_told_to_nobody_else,
    each_scope_opens_its_own_routes,
    a_key_is_nothing_on_routes_of_sessions,
    revoked_and_expired_keys_are_401_at_once,
    a_key_that_ended_is_told_so_whatever_else_is_wrong,
    each_role_opens_its_own_routes,
    malformed_credentials_are_401,
    sessions_end,
}

/// Every call that is not open to everybody, in the home of this tenant.
fn guarded(tenant: &Tenant) -> Vec<(Route, String)> {
    let calls = calls().into_iter().filter(|route| route.right.is_some());
    let filled = calls.map(|route| {
        let path = route.path.replace("{teamId}", &tenant.team);
        let path = path.replace("{projectId}", &tenant.project);
        let parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { "x" } else { part });
        let path = parts.collect::<Vec<_>>().join("/");
        (route, path)
    });
    filled.collect()
}

fn has_place(route: &Route) -> bool {
    route.path.contains("{teamId}")
}

/// Calls it with a body that nothing can be done with.
async fn knock(client: &impl Caller, route: &Route, path: &str) -> Answer {
    let call = client.call(route.method.clone(), path);
    if route.method == Method::GET {
        call.send().await
    } else if path.ends_with("/portal-sessions") {
        // A session that may change something needs more; its own test has that.
        call.json(&json!({"readOnly": true})).send().await
    } else {
        call.json(&json!({})).send().await
    }
}

async fn without_credentials_every_guarded_route_is_401(t: &Bench) {
    let before = t.dump().await;
    let routes = guarded(&t.home);
    assert!(routes.len() >= 15);
    for (route, path) in routes {
        let answer = knock(&t.nobody, &route, &path).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
        answer.refused("unauthenticated");
    }
    assert_eq!(t.dump().await, before);
}

async fn a_foreign_key_or_session_is_403(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let before = t.dump().await;
    for (route, path) in guarded(&t.home) {
        if !has_place(&route) {
            continue;
        }
        let by_key = knock(&stranger.key, &route, &path).await;
        assert_eq!(by_key.status, 403, "{by_key:?}");
        let by_session = knock(&stranger.owner, &route, &path).await;
        assert_eq!(by_session.status, 403, "{by_session:?}");
        by_session.refused("forbidden");
    }
    assert_eq!(t.dump().await, before);
}

async fn a_key_of_another_project_is_403(t: &Bench) {
    let (other, _) = t.project("other").await;
    let (_, key) = t.key(Some(&other), &[], None).await;
    for (route, path) in guarded(&t.home) {
        if route.right.and_then(Right::scope).is_some() {
            knock(&key, &route, &path).await.refused("forbidden");
        }
    }
    let path = t
        .key
        .wire()
        .path("referrals")
        .replace(&t.home.project, &other);
    key.get(&path).await.ok();
}

async fn a_project_that_is_not_there_is_told_to_nobody_else(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let mut absent = t.home.clone();
    absent.project = "proj_unknown".to_owned();
    for (route, path) in guarded(&absent) {
        if route.right.and_then(Right::scope).is_none() {
            continue;
        }
        knock(&stranger.key, &route, &path)
            .await
            .refused("forbidden");
        knock(&stranger.owner, &route, &path)
            .await
            .refused("forbidden");
        knock(&t.key, &route, &path).await.refused("not_found");
        knock(&t.owner, &route, &path).await.refused("not_found");
    }
    // A key that is known here is known nowhere else.
    let mut misplaced = stranger.clone();
    misplaced.project = t.home.project.clone();
    t.key.get("customers").await.ok();
    for (route, path) in guarded(&misplaced) {
        if route.right.and_then(Right::scope).is_some() {
            knock(&t.key, &route, &path).await.refused("forbidden");
        }
    }
    absent.team = "team_unknown".to_owned();
    for (route, path) in guarded(&absent) {
        if has_place(&route) {
            assert_eq!(knock(&t.key, &route, &path).await.status, 403);
            assert_eq!(knock(&t.owner, &route, &path).await.status, 403);
        }
    }
}

/// Why a caller has no right. That a live project has no clock to move is told to those who have.
fn shut_out(answer: &Answer) -> Option<String> {
    let reason = (answer.status == 403).then(|| answer.reason());
    reason.filter(|reason| reason != "not_a_test_project")
}

async fn each_scope_opens_its_own_routes(t: &Bench) {
    for held in Scope::ALL.iter().copied() {
        let (_, key) = t.key(None, &[held], None).await;
        for (route, path) in guarded(&t.home) {
            if matches!(route.right, Some(Right::Known | Right::TeamKnown)) {
                let answer = knock(&key, &route, &path).await;
                assert_eq!(shut_out(&answer), None, "{held:?}: {answer:?}");
                continue;
            }
            let Some(needed) = route.right.and_then(Right::scope_of_keys) else {
                continue;
            };
            // No single scope is every scope.
            let needs_all = matches!(route.right, Some(Right::ProjectAdmin(_)));
            let answer = knock(&key, &route, &path).await;
            if needed.implied_by(held) && !needs_all {
                assert_eq!(shut_out(&answer), None, "{held:?}: {answer:?}");
            } else {
                answer.refused("insufficient_scope");
            }
        }
    }
}

async fn a_key_is_nothing_on_routes_of_sessions(t: &Bench) {
    let before = t.dump().await;
    for (route, path) in guarded(&t.home) {
        if !route.right.is_some_and(Right::is_for_keys) {
            knock(&t.key, &route, &path)
                .await
                .refused("session_required");
        }
    }
    assert_eq!(t.dump().await, before);
}

async fn revoked_and_expired_keys_are_401_at_once(t: &Bench) {
    let until = t.now().plus(HOUR);
    let (_, expiring) = t.key(None, &[], Some(until)).await;
    let (id, revoked) = t.key(None, &[], None).await;
    expiring.get("customers").await.ok();
    revoked.get("customers").await.ok();
    let team = t.home.team_id();
    t.write(move |tx, act| api_keys::revoke(tx, act, &team, &id))
        .await;
    t.advance(HOUR);
    for (route, path) in guarded(&t.home) {
        knock(&expiring, &route, &path)
            .await
            .refused("api_key_expired");
        knock(&revoked, &route, &path)
            .await
            .refused("api_key_revoked");
    }
}

/// Also where the handler answers before it asks the database anything.
async fn a_key_that_ended_is_told_so_whatever_else_is_wrong(t: &Bench) {
    let team = t.home.team_id();
    for (method, path, kind, body) in [
        (Method::POST, "customers", "application/json", "{bad"),
        (Method::POST, "customers", "text/plain", "{}"),
        (Method::POST, "referrals/apply", "application/json", "{}"),
        (Method::PUT, "referrals/config", "application/json", "{}"),
        (Method::PATCH, "customers/x", "application/json", "[]"),
        (Method::DELETE, "customers/x", "text/plain", "junk"),
        (Method::GET, "customers?limit=0", "text/plain", ""),
        (Method::GET, "customers?email=%00", "text/plain", ""),
        (Method::GET, "referrals/codes/zz", "text/plain", ""),
        (Method::DELETE, "referrals/codes/zz", "text/plain", ""),
    ] {
        let (id, revoked) = t.key(None, &[], None).await;
        let until = t.now().plus(HOUR);
        let (_, expiring) = t.key(None, &[], Some(until)).await;
        for key in [&revoked, &expiring] {
            key.get("customers").await.ok();
            let call = key.call(method.clone(), path).body(kind, body);
            assert!(matches!(call.send().await.status, 400 | 404 | 415));
        }
        let team = team.clone();
        t.write(move |tx, act| api_keys::revoke(tx, act, &team, &id))
            .await;
        t.advance(HOUR);
        for (key, reason) in [(revoked, "api_key_revoked"), (expiring, "api_key_expired")] {
            let call = key.call(method.clone(), path).body(kind, body);
            call.send().await.refused(reason);
        }
    }
}

async fn each_role_opens_its_own_routes(t: &Bench) {
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        let member = t.member(role).await;
        for (route, path) in guarded(&t.home) {
            // Leaving a team is everybody's right, removing others is not.
            if path.contains("sign-out") || path.ends_with("/members/x") {
                continue;
            }
            let allowed = match route.right {
                None => true,
                Some(Right::SignedIn | Right::Known | Right::TeamMember | Right::TeamKnown) => true,
                Some(Right::TeamAdmin | Right::ProjectAdmin(_)) => role.can_administer(),
                Some(Right::TeamWriter | Right::TeamReader(_)) => role.can_write(),
                Some(Right::Project(
                    Scope::CustomersRead | Scope::ReferralsRead | Scope::WebhooksRead,
                )) => true,
                Some(Right::Project(Scope::WebhooksWrite)) => role.can_administer(),
                Some(Right::Project(_)) => role.can_write(),
            };
            let answer = knock(&member, &route, &path).await;
            if allowed {
                assert_eq!(shut_out(&answer), None, "{role:?}: {answer:?}");
            } else {
                answer.refused("forbidden");
            }
        }
    }
}

async fn malformed_credentials_are_401(t: &Bench) {
    let key = &t.key.key;
    let upper = key.to_uppercase();
    let changed = format!(
        "{}{}",
        &key[..50],
        if key.ends_with('0') { "1" } else { "0" }
    );
    let unknown = billstack_core::access::format_api_key([7; 20]);
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        key.clone(),
        format!("Basic {key}"),
        format!("Bearer {upper}"),
        format!("Bearer {changed}"),
        format!("Bearer {unknown}"),
        format!("Bearer {key}x"),
        format!("Bearer {key} {key}"),
        format!("Bearer {}", "x".repeat(5000)),
    ] {
        let call = t
            .nobody
            .call(Method::GET, "customers")
            .header("authorization", &header);
        let answer = call.send().await;
        assert_eq!(answer.status, 401, "{header:.80}: {answer:?}");
    }
    let call = t.nobody.call(Method::GET, "customers");
    call.header("authorization", &format!("bearer {key}"))
        .send()
        .await
        .ok();
    // A key in the address is no key.
    t.nobody
        .get(&format!("customers?apiKey={key}"))
        .await
        .refused("unauthenticated");
    for cookie in [
        "billstack_session=",
        "billstack_session=unknown",
        "session=x",
    ] {
        let call = t
            .nobody
            .call(Method::GET, "customers")
            .header("cookie", cookie);
        assert_eq!(call.send().await.status, 401, "{cookie}");
    }
    let twice = format!("{}; {}", t.owner.cookie, t.owner.cookie);
    let call = t
        .nobody
        .call(Method::GET, "customers")
        .header("cookie", &twice);
    assert_eq!(call.send().await.status, 401);
}

async fn sessions_end(t: &Bench) {
    t.owner.get("customers").await.ok();
    t.advance(11 * HOUR);
    t.owner.get("customers").await.ok();
    t.advance(11 * HOUR);
    t.owner.get("customers").await.ok();
    t.advance(12 * HOUR + 1);
    t.owner.get("customers").await.refused("session_expired");
    // However much it is used, two weeks are the end.
    let other = t.tenant("other").await;
    for _ in 0..14 * 24 / 8 {
        other.owner.get("customers").await.ok();
        t.advance(8 * HOUR);
    }
    other
        .owner
        .get("customers")
        .await
        .refused("session_expired");
    let rows: Value = json!(t.count("sessions").await);
    assert!(rows.as_u64().is_some_and(|rows| rows <= 2));
    let team = t.home.team_id();
    t.write(move |tx, act| projects::create(tx, act, &team, "still there"))
        .await;
}
