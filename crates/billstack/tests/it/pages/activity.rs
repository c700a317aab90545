//! `/t/{teamId}/activity`.

use billstack_core::access::Role;

use super::look;
use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::text;
use serde_json::json;

on_both_engines! {
    it_tells_who_did_what_and_what_it_was_before,
    filters_keep_what_they_say,
    a_full_page_holds_its_budget,
    it_is_for_those_who_administer,
}

async fn page(t: &Bench, query: &str) -> Answer {
    let path = format!("/t/{}/activity{query}", t.home.team);
    look(&t.owner, &path).send().await
}

async fn it_tells_who_did_what_and_what_it_was_before(t: &Bench) {
    t.program(1_000, 500).await;
    t.program(1_500, 500).await;
    let shown = page(t, "?type=program.updated").await;
    assert_eq!(shown.status, 200, "{shown:?}");
    let change =
        "<del><span class=\"money\">10.00 USD</span></del> → <span class=\"money\">15.00 USD";
    assert!(shown.text.contains(change), "{shown:?}");
    assert!(!shown.text.contains("<del><span class=\"money\">5.00"));
    // What a deed was done to is a link that leads to its page.
    let program = super::path(t, "/program");
    assert!(
        shown
            .text
            .contains(&format!("<a href=\"{program}\"><code>")),
        "{shown:?}"
    );
    assert!(shown.text.contains(">everything</a>"));
    let canary = "\"><img src=x onerror=alert(1)>";
    let body = json!({"name": canary});
    let key = t.owner.post(&t.home.path("api-keys"), body).await.created();
    let key = text(&key["key"]["id"]);
    let shown = page(t, &format!("?subject={key}")).await;
    assert!(
        shown.text.contains(&format!("href=\"/go/{key}\"")),
        "{shown:?}"
    );
    assert!(shown.text.contains(&format!(
        "href=\"/go/{}\">Owner of home</a>",
        t.home.owner_id
    )));
    assert!(!shown.text.contains("<img src=x"));
}

async fn filters_keep_what_they_say(t: &Bench) {
    t.program(1_000, 500).await;
    t.customer("grace").await;
    let all = page(t, "").await;
    let cell = |said: &str| format!("\">{said}</td>");
    let (customer, program) = ("A customer was created", "The program was changed");
    assert!(all.text.contains(&cell(customer)) && all.text.contains(&cell(program)));
    let some = page(
        t,
        "?type=program.updated&actor=&from=2026-03-30&to=2026-03-30",
    )
    .await;
    assert!(some.text.contains(&cell(program)) && !some.text.contains(&cell(customer)));
    assert!(some.text.contains("value=\"2026-03-30\""));
    let (_, request) = some.text.split_once("?requestId=").expect("a request");
    let request = request.split('"').next().expect("its end");
    let of_request = page(t, &format!("?requestId={request}")).await;
    assert!(of_request.text.contains(&cell(program)));
    assert!(!of_request.text.contains(&cell(customer)));
    let none = page(t, "?from=2027-01-01").await;
    assert!(
        none.text.contains("Nothing matches the filters."),
        "{none:?}"
    );
    assert!(none.text.contains(">Clear filters</a>"));
    for wrong in ["?type=nonsense", "?from=tomorrow", "?cursor=x"] {
        assert_eq!(page(t, wrong).await.status, 400, "{wrong}");
    }
    let path = format!("{}?from=2026-03-30T00:00:00Z", t.home.path("activity.csv"));
    let file = t.owner.get(&path).await;
    let name = "attachment; filename=\"activity-home-from-2026-03-30-utc.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name), "{file:?}");
    let few = page(t, "?limit=1").await;
    assert_eq!(few.text.matches("<td data-label=\"When\"").count(), 1);
    assert!(few.text.contains(">Older</a>"));
}

async fn a_full_page_holds_its_budget(t: &Bench) {
    // Each change tells two settings and what they were.
    for step in 1..=30 {
        t.program(100 * step, 50 * step).await;
    }
    let full = page(t, "").await;
    assert_eq!(full.text.matches("<td data-label=\"When\"").count(), 25);
    assert!(full.text.len() < 60 * 1_024, "{} bytes", full.text.len());
    assert!(full.text.contains(">Older</a>"));
}

async fn it_is_for_those_who_administer(t: &Bench) {
    for (role, status) in [(Role::Viewer, 403), (Role::Member, 403), (Role::Admin, 200)] {
        let member = t.member(role).await;
        let path = format!("/t/{}/activity", t.home.team);
        assert_eq!(look(&member, &path).send().await.status, status, "{role}");
    }
}
