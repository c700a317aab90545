//! `GET …/status` of a team, and its page.

use billstack_core::access::Role;
use serde_json::json;

use crate::support::bench::Bench;
use crate::support::client::Caller;

on_both_engines! {
    it_tells_version_and_what_waits,
    it_is_for_those_who_administer,
}

async fn it_tells_version_and_what_waits(t: &Bench) {
    let answer = t.owner.get(&t.home.path("status")).await.ok();
    let status = &answer["status"];
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&status["ready"], &status["notReadyBecause"]),
        (&json!(true), &json!(null))
    );
    let none = json!({"waiting": 0, "oldest": null});
    assert_eq!((&status["credits"], &status["webhooks"]), (&none, &none));
    let engine = status["engine"].as_str().expect("a word");
    let page = t.owner.get(&format!("/t/{}/status", t.home.team)).await;
    assert_eq!(page.status, 200);
    for part in [
        env!("CARGO_PKG_VERSION"),
        ">Yes</span>",
        "none",
        "billstack verify",
    ] {
        assert!(page.text.contains(part), "{part}: {page:?}");
    }
    let named = page.text.contains("PostgreSQL");
    assert_eq!(named, engine == "postgresql", "{engine}: {page:?}");
}

async fn it_is_for_those_who_administer(t: &Bench) {
    for (role, status) in [(Role::Viewer, 403), (Role::Member, 403), (Role::Admin, 200)] {
        let member = t.member(role).await;
        for path in [t.home.path("status"), format!("/t/{}/status", t.home.team)] {
            assert_eq!(member.get(&path).await.status, status, "{role} {path}");
        }
    }
}
