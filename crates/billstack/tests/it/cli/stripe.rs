//! Setting up with a secret key of Stripe.

use fake_stripe::FakeStripe;
use serde_json::Value;

use super::{PASSWORD, Place, Ran};

const GIVEN: [&str; 8] = [
    "init",
    "--email",
    "ada@example.com",
    "--password-stdin",
    "--team",
    "Acme",
    "--project",
    "Rockets",
];

fn init(place: &Place, fake: &FakeStripe, more: &[&str]) -> Ran {
    let base = fake.base_url();
    let mut args = GIVEN.to_vec();
    args.extend(["--stripe-api-base", base.as_str()]);
    args.extend(more);
    place.run_with(&args, PASSWORD)
}

#[test]
fn the_endpoint_is_made_with_the_key() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fake = runtime.block_on(FakeStripe::start());
    let place = Place::new();
    let out = init(&place, &fake, &["--stripe-key", "rk_test_canary", "--json"]).ok();
    let answer: Value = serde_json::from_str(&out).expect("one JSON object");
    assert_eq!(answer["stripe"]["connected"], true);
    assert_eq!(answer["stripe"]["webhookCreated"], true);
    let (endpoint, secret) = fake.with_books(|books| {
        let endpoint = books.webhook_endpoints.newest_first()[0].clone();
        let id = endpoint["id"].as_str().expect("an id").to_owned();
        (endpoint, books.webhook_secrets[&id].clone())
    });
    assert_eq!(endpoint["url"], answer["webhookUrl"]);
    assert_eq!(endpoint["metadata"]["billstack_team_id"], answer["teamId"]);
    assert!(!out.contains(&secret) && !out.contains("canary"));
    assert!(place.run(&["verify"]).ok().contains("rules hold"));
}

#[test]
fn without_the_permission_the_team_is_connected_and_told() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fake = runtime.block_on(FakeStripe::start());
    fake.restrict("rk_test_1", &["rak_customer_write"]);
    let place = Place::new();
    let out = init(&place, &fake, &["--stripe-key", "rk_test_1"]).ok();
    assert!(out.contains("Connected to Stripe, without a webhook endpoint"));
    assert!(out.contains("rak_webhook_write"));
    assert!(place.run(&["verify"]).ok().contains("rules hold"));
}

#[test]
fn a_key_that_is_no_use_creates_nothing() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let fake = runtime.block_on(FakeStripe::start());
    let place = Place::new();
    let wrong = init(&place, &fake, &["--stripe-key", "pk_test_1"]);
    assert!(wrong.refused(2).contains("--stripe-key"));
    let both = ["--stripe-key", "sk_test_1", "--webhook-secret", "whsec_1"];
    assert_eq!(init(&place, &fake, &both).code(), Some(2));
    fake.accept_only(&["sk_test_good"]);
    let refused = init(&place, &fake, &["--stripe-key", "sk_test_bad"]);
    assert!(refused.refused(1).contains("does not take this key"));
    fake.set_down(true);
    let silent = init(&place, &fake, &["--stripe-key", "sk_test_good"]);
    assert!(silent.refused(1).contains("cannot be reached"));
    fake.set_down(false);
    init(&place, &fake, &["--stripe-key", "sk_test_good"]).ok();
}
