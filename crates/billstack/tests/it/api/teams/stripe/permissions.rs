//! What the state of a connection tells of its key and its endpoint.

use billstack_core::stripe_access::{EVENTS, PERMISSIONS};
use billstack_core::time::DAY;
use fake_stripe::{Fault, Injection};
use serde_json::{Value, json};

use super::{status, stripe};
use crate::support::bench::Bench;
use crate::support::stripe::SECRET;

on_both_engines! {
    a_secret_key_may_do_everything with stripe,
    each_permission_is_found_out with stripe,
    what_is_found_out_is_found_out_again with stripe,
    a_stripe_that_does_not_tell_is_asked_later with stripe,
    an_endpoint_made_by_hand_is_looked_at with stripe,
    without_a_key_nothing_is_known,
}

fn both(key: &str) -> Value {
    json!({"secretKey": key, "webhookSecret": SECRET})
}

async fn a_secret_key_may_do_everything(t: &Bench) {
    t.connect_with(json!({"secretKey": "sk_test_1"})).await;
    let connected = status(t).await;
    for name in PERMISSIONS {
        assert_eq!(connected["permissions"][name], true, "{name}");
    }
    let webhook = &connected["webhook"];
    assert!(webhook["id"].as_str().expect("an id").starts_with("we_"));
    assert_eq!(webhook["apiVersion"], "2026-10-28.endive");
    assert_eq!(webhook["missingEvents"], json!([]));
    assert_eq!(webhook["linkable"], true);
}

async fn each_permission_is_found_out(t: &Bench) {
    for name in PERMISSIONS {
        t.fake().restrict("rk_test_1", &[name]);
        t.connect_with(both("rk_test_1")).await;
        let permissions = status(t).await["permissions"].clone();
        let permissions = permissions.as_object().expect("an object");
        assert_eq!(permissions.len(), PERMISSIONS.len());
        let granted = permissions.iter().filter(|(_, has)| **has == true);
        let granted: Vec<&str> = granted.map(|(name, _)| name.as_str()).collect();
        assert_eq!(granted, [name]);
    }
    // To read customers is not enough to give them credits, and nothing was changed to find that out.
    t.fake().restrict("rk_test_1", &["rak_customer_read"]);
    t.connect_with(both("rk_test_1")).await;
    let permissions = &status(t).await["permissions"];
    assert_eq!(permissions["rak_customer_write"], false);
    assert!(t.fake().with_books(|books| books.customers.is_empty()));
}

/// Waits until the queue has found out about a permission.
async fn becomes(t: &Bench, name: &str, expected: &Value) {
    for _ in 0..400 {
        if status(t).await["permissions"][name] == *expected {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{}", status(t).await);
}

async fn what_is_found_out_is_found_out_again(t: &Bench) {
    t.fake().restrict("rk_test_1", &["rak_event_read"]);
    t.connect_with(both("rk_test_1")).await;
    becomes(t, "rak_event_read", &json!(true)).await;
    t.fake().restrict("rk_test_1", &["rak_invoice_read"]);
    // The state itself asks for nothing but whether the key is valid.
    t.fake().clear_requests();
    becomes(t, "rak_event_read", &json!(true)).await;
    let asked = t.fake().requests();
    assert!(asked.iter().all(|one| one.path == "/v1/account"));
    t.later(DAY).await;
    becomes(t, "rak_event_read", &json!(false)).await;
    becomes(t, "rak_invoice_read", &json!(true)).await;
}

async fn a_stripe_that_does_not_tell_is_asked_later(t: &Bench) {
    let fault = Injection::new(Fault::Status(503)).path("/v1/webhook_endpoints");
    t.fake().inject(fault.method("GET"));
    t.connect_with(both("sk_test_1")).await;
    becomes(t, "rak_event_read", &json!(true)).await;
}

async fn an_endpoint_made_by_hand_is_looked_at(t: &Bench) {
    let url = format!("{}{}", t.nodes[0].origin, t.webhook());
    let endpoint = |id: &str, version: Value, status: &str| {
        json!({
            "id": id, "object": "webhook_endpoint", "api_version": version, "url": url,
            "created": 1, "enabled_events": EVENTS[..24], "metadata": {}, "status": status,
        })
    };
    for (version, linkable) in [
        (json!("2025-04-30.basil"), json!(false)),
        (json!("2020-08-27"), json!(true)),
        (Value::Null, Value::Null),
    ] {
        t.fake().with_books(|books| {
            let off = endpoint("we_off", json!("2026-10-28.endive"), "disabled");
            books.webhook_endpoints.put(off);
            let on = endpoint("we_on", version.clone(), "enabled");
            books.webhook_endpoints.put(on);
        });
        t.connect_with(both("sk_test_1")).await;
        let webhook = status(t).await["webhook"].clone();
        let expected = json!({
            "id": "we_on", "apiVersion": version, "missingEvents": [EVENTS[24]],
            "linkable": linkable,
        });
        assert_eq!(webhook, expected);
    }
}

async fn without_a_key_nothing_is_known(t: &Bench) {
    t.connect().await;
    let connected = status(t).await;
    assert_eq!(connected["permissions"], Value::Null);
    assert_eq!(connected["webhook"], Value::Null);
}

fn page() -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let page = format!("{root}/docs/integrators/webhooks.md");
    std::fs::read_to_string(page).expect("the page on webhooks")
}

/// What the tables of the page name in their first columns, below a heading.
fn named(heading: &str) -> Vec<String> {
    let page = page();
    let section = page.split(heading).nth(1).expect("the heading");
    let section = section.split("\n#").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.split('|').nth(1));
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let mut names: Vec<_> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

#[test]
fn the_page_on_webhooks_names_every_event_and_permission() {
    let sorted = |names: &[&'static str]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    assert_eq!(named("\n### Events to send\n"), sorted(&EVENTS));
    let in_one_step = named("\n### In one step\n");
    let permissions = in_one_step.iter().filter(|name| name.starts_with("rak_"));
    assert!(permissions.eq(sorted(&PERMISSIONS)));
}

#[test]
fn the_link_that_makes_a_key_asks_for_every_permission() {
    let page = page();
    let asked: Vec<&str> = page
        .split("permissions[]=")
        .skip(1)
        .map(|rest| rest.split(['&', ')']).next().unwrap_or_default())
        .collect();
    assert_eq!(asked, PERMISSIONS);
}
