//! What a server tells of itself while its database is ill.

use billstack::secrets::Cipher;
use billstack_core::time::SECOND;
use billstack_store::stripe_connection::{self, NewConnection};
use reqwest::Method;
use serde_json::json;

use crate::support::bench::{self, Bench, Setup};
use crate::support::client::Caller;
use crate::support::database::Engine;

on_both_engines! {
    a_node_with_another_key_is_not_ready,
    metrics_are_not_for_those_behind_a_proxy,
}

async fn a_node_with_another_key_is_not_ready(t: &Bench) {
    t.nobody.get("/readyz").await.ok();
    t.connect().await;
    t.advance(60 * SECOND);
    t.nobody.get("/readyz").await.ok();
    let team = t.home.team_id();
    let foreign = t.write(move |tx, act| {
        // As a node with another key would have sealed it.
        let new = NewConnection {
            secret_key: None,
            publishable_key: None,
            webhook_secret: Some(Cipher::new([7; 32]).seal("whsec_1", "anything")),
            livemode: None,
            account_id: None,
            account_name: None,
            endpoint_id: None,
            probe: None,
        };
        stripe_connection::connect(tx, act, &team, &new)
    });
    foreign.await;
    t.advance(60 * SECOND);
    let answer = t.nobody.get("/readyz").await;
    assert_eq!(answer.status, 503);
    answer.refused("wrong_secret_key");
    // Connecting again mends it.
    t.connect().await;
    t.advance(60 * SECOND);
    t.nobody.get("/readyz").await.ok();
}

async fn metrics_are_not_for_those_behind_a_proxy(t: &Bench) {
    assert_eq!(t.nobody.get("/metrics").await.status, 200);
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let call = t.nobody.call(Method::GET, "/metrics");
        let answer = call.header(name, "192.0.2.1").send().await;
        answer.refused("forbidden");
    }
}

#[test]
fn a_node_whose_postgresql_became_read_only_is_ready_when_it_takes_writes_again() {
    bench::run(Engine::Postgres, Setup::default(), of_a_read_only_database);
}

async fn of_a_read_only_database(t: &Bench) {
    let customer = |name: &str| json!({"email": format!("{name}@example.com")});
    t.key.post("customers", customer("a")).await.created();
    assert_eq!(t.nobody.get("/readyz").await.status, 200);

    let_read_only(t, "on").await;
    let answer = t.key.post("customers", customer("b")).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    for _ in 0..2 {
        let answer = t.nobody.get("/readyz").await;
        assert_eq!(answer.status, 503, "{}", answer.text);
    }

    let_read_only(t, "off").await;
    assert_eq!(t.nobody.get("/readyz").await.status, 200);
    t.key.post("customers", customer("b")).await.created();
}

/// Makes every new session of the database so, as on a primary that was demoted, and ends the others.
async fn let_read_only(t: &Bench, flag: &str) {
    let change = format!(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {flag}', \
         current_database()); END $$"
    );
    t.write(move |tx, _| {
        tx.execute("SET TRANSACTION READ WRITE", &[])?;
        tx.execute(&change, &[])?;
        Ok(())
    })
    .await;
    let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let ended = t.app().store.scan(move |tx| Ok(tx.exists(end, &[])?)).await;
    assert_eq!(ended, Ok(true));
}
