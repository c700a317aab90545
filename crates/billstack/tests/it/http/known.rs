//! Names that no call knows, for every route.

use billstack::http::access::Right;
use billstack::http::known::Known;
use billstack::http::route::Route;
use billstack::routes::calls;
use reqwest::Method;
use serde_json::{Value, json};

use crate::portal::visitor;
use crate::support::bench::Bench;
use crate::support::client::{Call, Caller};
use crate::support::fixture::text;

on_both_engines! {
    no_route_takes_an_unknown_parameter,
    no_route_takes_an_unknown_member,
    a_resource_may_be_sent_back_as_it_was_read,
    every_list_refuses_a_deep_offset,
    an_unknown_name_is_told_only_to_those_who_may_call,
}

fn strict() -> impl Iterator<Item = Route> {
    calls().into_iter().filter(|route| !route.is_of_stripe())
}

/// A call of a route in the usual project, about nothing that exists there.
fn call(t: &Bench, route: &Route, query: &str) -> Call {
    let path = route.path.replace("{teamId}", &t.home.team);
    let path = path.replace("{projectId}", &t.home.project) + query;
    match route.right {
        Some(Right::Project(_) | Right::ProjectAdmin(_)) => t.key.call(route.method.clone(), &path),
        _ => t.owner.call(route.method.clone(), &path),
    }
}

async fn no_route_takes_an_unknown_parameter(t: &Bench) {
    let before = t.dump().await;
    for route in strict() {
        let mut call = call(t, &route, "?unheardOf=1");
        if route.method != Method::GET {
            call = call.json(&json!({}));
        }
        let body = call.send().await.refused("unknown_parameter");
        assert_eq!(
            body["field"], "unheardOf",
            "{} {}",
            route.method, route.path
        );
    }
    assert_eq!(t.dump().await, before);
}

/// Rows that are skipped are read: a few calls far down a list would hold up everybody else's.
async fn every_list_refuses_a_deep_offset(t: &Bench) {
    let takes_offset = |route: &Route| {
        let known = Known::new(route, Vec::new()).parameters;
        known.is_some_and(|known| known.contains(&"offset".to_owned()))
    };
    let lists: Vec<Route> = strict().filter(takes_offset).collect();
    assert!(lists.len() > 10, "{}", lists.len());
    for route in lists {
        for offset in ["10001", "900000", "9223372036854775807"] {
            let answer = call(t, &route, &format!("?offset={offset}")).send().await;
            let body = answer.refused("use_cursor");
            assert_eq!(body["field"], "offset", "{}", route.path);
        }
        let allowed = call(t, &route, "?offset=10000").send().await;
        // What the path names need not exist.
        assert_ne!(allowed.status, 400, "{}: {}", route.path, allowed.text);
    }
}

async fn no_route_takes_an_unknown_member(t: &Bench) {
    // Whoever shows no token of a session learns nothing of the request.
    let customer = visitor(t, &t.customer("own-page").await).await;
    let before = t.dump().await;
    for route in strict().filter(|route| route.method != Method::GET) {
        let call = match route.path.starts_with("/api/portal/") {
            true => customer.call(route.method.clone(), route.path),
            false => call(t, &route, ""),
        };
        let call = call.json(&json!({"unheardOf": 1}));
        let body = call.send().await.refused("unknown_member");
        assert_eq!(
            body["field"], "unheardOf",
            "{} {}",
            route.method, route.path
        );
    }
    assert_eq!(t.dump().await, before);
    let body = json!({"email": "ada@example.com", "stripe_customer_id": "cus_1"});
    let refused = t.key.post("customers", body).await;
    let refused = refused.refused("unknown_member");
    assert_eq!(refused["field"], "stripe_customer_id");
    assert!(
        text(&refused["error"]).contains("`stripeCustomerId`"),
        "{refused}"
    );
}

async fn a_resource_may_be_sent_back_as_it_was_read(t: &Bench) {
    let customer = t
        .customer_with(
            json!({"email": "ada@example.com", "metadata": {"any name": {"is": "fine"}}}),
        )
        .await;
    let path = format!("customers/{}", text(&customer["id"]));
    t.advance(1_000_000);
    let mut back = customer.clone();
    back["projectId"] = json!("proj_of_somebody_else");
    back["createdAt"] = json!(null);
    let mut now = t.key.patch(&path, back).await.ok()["customer"].take();
    now["updatedAt"] = customer["updatedAt"].clone();
    assert_eq!(now, customer);

    let members = t.owner.get(&t.home.path("members")).await.ok();
    let member = members["members"][0].clone();
    let path = t.home.path(&format!("members/{}", text(&member["userId"])));
    let now = t.owner.patch(&path, member.clone()).await.ok();
    assert_eq!(now["member"], member);

    let code = t.code(&text(&customer["id"])).await;
    let path = format!("referrals/codes/{code}");
    let read = t.key.get(&path).await.ok()["code"].take();
    let call = t.key.call(Method::DELETE, &path).json(&read);
    call.send().await.ok();
}

async fn an_unknown_name_is_told_only_to_those_who_may_call(t: &Bench) {
    let stranger = t.tenant("stranger").await;
    let path = t.key.wire().path("referrals?unheardOf=1");
    t.nobody.get(&path).await.refused("unauthenticated");
    stranger.key.get(&path).await.refused("forbidden");
    let path = t.key.wire().path("customers?unheardOf=1");
    let body: Value = json!({"unheardOf": 1});
    stranger.key.post(&path, body).await.refused("forbidden");
}
