//! `GET …/status` of a team, and its page.

use billstack_core::access::Role;
use billstack_core::time::Micros;
use billstack_store::upkeep::{self, Kind, Run};
use serde_json::json;

use crate::support::bench::{Bench, START};
use crate::support::client::Caller;

on_both_engines! {
    it_tells_version_and_what_waits,
    it_tells_when_the_books_were_checked,
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

async fn it_tells_when_the_books_were_checked(t: &Bench) {
    let status = t.owner.get(&t.home.path("status")).await.ok();
    let (verify, backup) = (
        &status["status"]["lastVerify"],
        &status["status"]["lastBackup"],
    );
    assert_eq!((verify, backup), (&json!(null), &json!(null)));
    let page = format!("/t/{}/status", t.home.team);
    let shown = t.owner.get(&page).await;
    assert!(
        shown
            .text
            .contains("never; <code>billstack verify</code> makes one"),
        "{shown:?}"
    );
    let run = |began_at: Micros, result: i64| Run {
        began_at,
        ended_at: began_at.plus(1_500_000),
        result,
        version: "0.1.0".to_owned(),
    };
    let command = match status["status"]["engine"] == "sqlite" {
        true => "billstack backup &quot;billstack-$(date +%Y%m%d-%H%M%S).db&quot;</code> makes one",
        false => "<code>pg_dump --format=custom --file=&quot;billstack-",
    };
    assert!(shown.text.contains(command), "{shown:?}");
    t.write(move |tx, _| {
        upkeep::note(tx, Kind::Verify, &run(START, 0))?;
        Ok(upkeep::note(tx, Kind::Backup, &run(START, 1_572_864))?)
    })
    .await;
    let status = t.owner.get(&t.home.path("status")).await.ok();
    let told = json!({
        "beganAt": "2026-03-30T12:00:00.000Z", "endedAt": "2026-03-30T12:00:01.500Z",
        "brokenRules": 0, "version": "0.1.0",
    });
    assert_eq!(status["status"]["lastVerify"], told);
    assert_eq!(status["status"]["lastBackup"]["bytes"], 1_572_864);
    let shown = t.owner.get(&page).await;
    for part in [
        "30 Mar 2026, 12:00 UTC</time>, nothing broken",
        "UTC</time>: 1.5 MiB",
    ] {
        assert!(shown.text.contains(part), "{part}: {shown:?}");
    }
    t.write(move |tx, _| Ok(upkeep::note(tx, Kind::Verify, &run(START.plus(1), 2))?))
        .await;
    let shown = t.owner.get(&page).await;
    assert!(shown.text.contains("2 rules broken"), "{shown:?}");
}

async fn it_is_for_those_who_administer(t: &Bench) {
    for (role, status) in [(Role::Viewer, 403), (Role::Member, 403), (Role::Admin, 200)] {
        let member = t.member(role).await;
        for path in [t.home.path("status"), format!("/t/{}/status", t.home.team)] {
            assert_eq!(member.get(&path).await.status, status, "{role} {path}");
        }
    }
}
