//! Customers that are created in Stripe while the connection to PostgreSQL breaks at its commits.

use std::sync::OnceLock;

use billstack::settings::SettingsArgs;
use billstack_core::time::MINUTE;
use reqwest::Method;
use scratch_postgres::{Cluster, Proxy};
use serde_json::{Value, json};

use super::stripe::connect;
use crate::support::bench::{self, Bench, Setup};
use crate::support::client::Caller;
use crate::support::database::Engine;
use crate::support::fixture::text;

/// The way of this test to the server.
fn proxy() -> &'static Proxy {
    static PROXY: OnceLock<Proxy> = OnceLock::new();
    PROXY.get_or_init(|| Proxy::to(Cluster::shared().port()).expect("a proxy"))
}

fn by_way_of_it(args: &mut SettingsArgs) {
    let (direct, ours) = (Cluster::shared().port(), proxy().port());
    let url = args.database_url.take().expect("an address");
    args.database_url = Some(url.replace(&format!(":{direct}/"), &format!(":{ours}/")));
}

#[test]
fn a_customer_whose_creation_broke_off_is_made_once_here_and_in_stripe() {
    let setup = Setup {
        stripe: true,
        settings: by_way_of_it,
        ..Setup::default()
    };
    bench::run(Engine::Postgres, setup, of_broken_creations);
}

async fn of_broken_creations(t: &Bench) {
    connect(t).await;
    let mut unknown = 0;
    for number in 1..=12 {
        let email = format!("{number}@example.com");
        let (customer, refused) = create(t, &email, number).await;
        unknown += refused;
        proxy().cut_commits(0);
        let made = t.fake().with_books(|books| books.customers.len());
        assert_eq!(made, number as usize, "after {email}");
        assert!(text(&customer["stripeCustomerId"]).starts_with("cus_"));
        let found = t.key.get(&format!("customers?email={email}")).await.ok();
        assert_eq!(found["customers"].as_array().map(Vec::len), Some(1));
    }
    assert!(unknown > 0);
}

/// Repeats the call under one key until it is done, and tells how often its outcome was unknown.
async fn create(t: &Bench, email: &str, number: u64) -> (Value, usize) {
    let mut unknown = 0;
    for time in 0..50 {
        // Another commit breaks each time, and in another way: if it was always the last one, the call would never be
        // done.
        proxy().cut_commits(2 + (number + time) % 3);
        let call = t.key.call(Method::POST, "customers");
        let call = call.header("idempotency-key", email);
        let answer = call.json(&json!({"email": email})).send().await;
        match answer.status {
            201 => return (answer.created()["customer"].take(), unknown),
            // What was begun is somebody's until their lease is over.
            409 => {
                let reason = answer.reason();
                let waits = ["idempotency_key_in_use", "customer_being_created"];
                assert!(waits.contains(&&*reason), "{reason}");
                t.advance(MINUTE);
            }
            _ => {
                let reason = answer.reason();
                let broken = ["outcome_unknown", "database_unavailable"];
                assert!(broken.contains(&&*reason), "{reason}");
                unknown += usize::from(reason == "outcome_unknown");
            }
        }
    }
    panic!("{email} is never made");
}
