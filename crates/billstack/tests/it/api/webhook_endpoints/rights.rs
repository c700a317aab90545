//! Who may say where events are sent.

use billstack_core::access::Scope;

use super::*;

on_both_engines! {
    admins_write_and_members_read with inner,
    keys_need_their_scope with inner,
}

async fn admins_write_and_members_read(t: &Bench) {
    let id = endpoint(&t.key, json!(["*"])).await;
    let path = format!("webhook-endpoints/{id}");
    for role in [Role::Viewer, Role::Member, Role::Admin] {
        let person = t.member(role).await;
        person.get("webhook-endpoints").await.ok();
        person.get(&format!("{path}/deliveries")).await.ok();
        let written = [
            person.post("webhook-endpoints", json!({"url": URL})).await,
            person.patch(&path, json!({"description": "x"})).await,
            person
                .post(&format!("{path}/rotate-secret"), json!({}))
                .await,
        ];
        for answer in written {
            match role.can_administer() {
                true => assert!(answer.status < 300, "{answer:?}"),
                false => drop(answer.refused("forbidden")),
            }
        }
    }
}

async fn keys_need_their_scope(t: &Bench) {
    let (_, reads) = t.key(None, &[Scope::WebhooksRead], None).await;
    let (_, writes) = t.key(None, &[Scope::WebhooksWrite], None).await;
    let (_, others) = t
        .key(None, &[Scope::ReferralsWrite, Scope::CustomersWrite], None)
        .await;
    let body = json!({"url": URL});
    writes
        .post("webhook-endpoints", body.clone())
        .await
        .created();
    reads.get("webhook-endpoints").await.ok();
    reads
        .post("webhook-endpoints", body.clone())
        .await
        .refused("insufficient_scope");
    others
        .get("webhook-endpoints")
        .await
        .refused("insufficient_scope");
    others
        .post("webhook-endpoints", body)
        .await
        .refused("insufficient_scope");
}
