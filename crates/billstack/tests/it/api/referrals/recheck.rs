//! `POST …/referrals/{id}/recheck`.

use billstack_core::access::{Role, Scope};
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;
use crate::support::stripe::SECRET;

on_both_engines! {
    a_kept_event_is_decided_by_what_is_known_now,
    checking_again_and_again_changes_nothing,
    a_conversion_stands,
    whoever_writes_may_check,
}

/// Connects with a key that only says the mode.
async fn connect(t: &Bench, mode: &str) {
    let key = format!("pk_{mode}_1");
    t.connect_with(json!({"publishableKey": key, "webhookSecret": SECRET}))
        .await;
}

async fn a_kept_event_is_decided_by_what_is_known_now(t: &Bench) {
    // It came while nobody knew the mode, and is of the other one when the code is applied.
    t.connect().await;
    let event = t.created("cus_a");
    t.accept(&event).await;
    let pair = t.pair("a").await;
    connect(t, "live").await;
    let referral = text(&t.apply(&pair).await["id"]);
    let path = format!("referrals/{referral}/recheck");
    let as_before = t.key.post(&path, json!({})).await.ok();
    assert_eq!(as_before["referral"]["status"], "pending");
    assert_ne!(t.outcome(&event).await, "converted");
    connect(t, "test").await;
    assert_eq!(t.status(&referral).await, "pending");
    let checked = t.key.post(&path, json!({})).await.ok();
    assert_eq!(checked["referral"]["status"], "converted", "{checked}");
    assert!(!text(&checked["referral"]["explanation"]["why"]).is_empty());
    assert_eq!(t.outcome(&event).await, "converted");
    assert_eq!(t.credits().await.len(), 2);
}

async fn checking_again_and_again_changes_nothing(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    // A subscription from long before the apply converts nothing, and says so once.
    let old = t
        .subscription(&pair.stripe)
        .created(t.seconds() - 90 * 86_400);
    let event = t.event("customer.subscription.created", &old);
    t.accept(&event).await;
    let path = format!("referrals/{referral}/recheck");
    t.key.post(&path, json!({})).await.ok();
    let before = t.dump().await;
    for _ in 0..3 {
        let checked = t.key.post(&path, json!({})).await.ok();
        assert_eq!(checked["referral"]["status"], "pending");
    }
    assert_eq!(t.dump().await, before);
}

async fn a_conversion_stands(t: &Bench) {
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let before = t.dump().await;
    let path = format!("referrals/{referral}/recheck");
    let checked = t.key.post(&path, json!({})).await.ok();
    assert_eq!(checked["referral"]["status"], "converted");
    assert_eq!(t.dump().await, before);
}

async fn whoever_writes_may_check(t: &Bench) {
    let (_, referral) = t.pending("a").await;
    let path = format!("referrals/{referral}/recheck");
    for role in [Role::Viewer, Role::Member] {
        let member = t.member(role).await;
        let answer = member.post(&path, json!({})).await;
        match role.can_write() {
            true => drop(answer.ok()),
            false => drop(answer.refused("forbidden")),
        }
    }
    let (_, reads) = t.key(None, &[Scope::ReferralsRead], None).await;
    reads
        .post(&path, json!({}))
        .await
        .refused("insufficient_scope");
    let none = t.key.post("referrals/ref_none/recheck", json!({})).await;
    none.refused("referral_not_found");
}
