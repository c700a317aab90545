//! A node of this version beside one of a newer version, which writes words that are unknown here: they are
//! shown as they are, and nothing is done by them.

use billstack_store::{Tx, params};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    unknown_words_are_shown_as_they_are,
    unknown_words_change_nothing,
    an_unknown_role_or_scope_allows_nothing,
}

/// What a newer version may have written, and how this one would have.
const WORDS: [(&str, &str, &str, &str); 6] = [
    ("referrals", "status", "paused", "converted"),
    ("credits", "status", "escheated", "granted"),
    ("credits", "currency", "zzz", "usd"),
    ("credits", "kind", "bonus", "referral"),
    ("stripe_events", "outcome", "recorded", "converted"),
    ("stripe_events", "source", "reconciled", "event"),
];

/// Which version has written last.
#[derive(Clone, Copy)]
enum Version {
    This,
    Newer,
}

/// Writes the words of a version in place of those of the other.
async fn write(t: &Bench, version: Version) {
    t.write(move |tx: &mut dyn Tx, _| {
        for (table, column, new, old) in WORDS {
            let (from, to) = match version {
                Version::Newer => (old, new),
                Version::This => (new, old),
            };
            let sql = format!("UPDATE {table} SET {column} = $2 WHERE {column} = $1");
            assert_ne!(tx.execute(&sql, params![from, to])?, 0, "{sql}");
        }
        Ok(())
    })
    .await;
}

async fn read(caller: &impl Caller, path: &str) -> Value {
    let call = caller.call(Method::GET, path);
    call.send_beside_a_newer_version().await.ok()
}

async fn unknown_words_are_shown_as_they_are(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    write(t, Version::Newer).await;

    let path = format!("referrals/{referral}");
    assert_eq!(read(&t.key, &path).await["referral"]["status"], "paused");
    let list = read(&t.key, "referrals").await;
    assert_eq!(list["referrals"][0]["status"], "paused");
    let history = read(&t.key, &format!("referrals/codes/{}", pair.code)).await;
    assert_eq!(history["referrals"][0]["status"], "paused");
    let credits = read(&t.key, "referrals/credits").await;
    for credit in credits["credits"].as_array().expect("a list") {
        assert_eq!(credit["status"], "escheated");
        assert_eq!(credit["currency"], "zzz");
        let path = format!("referrals/credits/{}", text(&credit["id"]));
        assert_eq!(read(&t.key, &path).await["credit"], *credit);
    }
    let path = format!("customers/{}/credit-balance", pair.referrer);
    let balances = read(&t.key, &path).await;
    assert_eq!(balances["balances"][0]["currency"], "zzz");
    assert_eq!(balances["balances"][0]["amount"], 1000);
    let stats = read(&t.key, "referrals/stats").await;
    // Statistics are those of the log, whose events are told as they were.
    assert_eq!(stats["stats"]["referrals"]["total"], 1);
    let path = format!("stripe/events/{}", text(&event["id"]));
    let shown = read(&t.owner, &t.home.path(&path)).await;
    assert_eq!(shown["event"]["outcome"], "recorded");
    write(t, Version::This).await;
}

async fn unknown_words_change_nothing(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    write(t, Version::Newer).await;
    let before = t.dump().await;

    // A repetition decides nothing anew, nor does a link of its Stripe customer to somebody else.
    t.accept(&event).await;
    assert_eq!(t.dump().await, before);
    t.linked("b", &pair.stripe).await;
    let path = format!("stripe/events/{}", text(&event["id"]));
    let shown = read(&t.owner, &t.home.path(&path)).await;
    assert_eq!(shown["event"]["outcome"], "recorded");
    // Another subscription of the same customer finds a referral that is not its to move.
    t.subscribe(&pair).await;
    let list = read(&t.key, "referrals").await;
    assert_eq!(list["referrals"][0]["status"], "paused");
    assert_eq!(
        read(&t.key, "referrals/credits").await["credits"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    write(t, Version::This).await;
}

async fn an_unknown_role_or_scope_allows_nothing(t: &Bench) {
    let set = async |sql: &'static str| {
        t.write(move |tx: &mut dyn Tx, _| Ok(tx.execute(sql, &[])?))
            .await;
    };
    set("UPDATE members SET role = 'auditor'").await;
    set("UPDATE api_keys SET scopes = 'webhooks:read'").await;
    let members = t.home.path("members");
    t.owner.get(&members).await.refused("forbidden");
    t.owner.get("referrals").await.ok();
    let code = json!({"customerId": "pc_x"});
    t.owner
        .post("referrals/codes", code.clone())
        .await
        .refused("forbidden");
    t.key.get("referrals").await.refused("insufficient_scope");
    t.key
        .post("referrals/codes", code)
        .await
        .refused("insufficient_scope");
    set("UPDATE members SET role = 'owner'").await;
    set("UPDATE api_keys SET scopes = ''").await;
}
