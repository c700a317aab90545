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
    whoever_is_asked_for_is_named_as_people_name_them,
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

/// How many rows a page has.
fn count(page: &Answer) -> usize {
    page.text.matches("<td data-label=\"When\"").count()
}

async fn whoever_is_asked_for_is_named_as_people_name_them(t: &Bench) {
    let admin = t.member(Role::Admin).await;
    for (client, name) in [(&admin, "one"), (&t.owner, "two"), (&t.owner, "three")] {
        let body = json!({"name": name});
        client.post(&t.home.path("projects"), body).await.created();
    }
    // By name, by address, by id, and as the log names them.
    let owner = &t.home.owner_id;
    for (who, rows) in [
        ("ADMIN", 1),
        ("Admin@members.example", 1),
        ("owner of home", 2),
        (owner, 2),
        (&format!("user:{owner}"), 2),
    ] {
        let who = who.replace(' ', "+");
        let shown = page(t, &format!("?type=project.created&actor={who}")).await;
        let from_setup = usize::from(who.to_lowercase().contains("owner") || who.contains("usr_"));
        assert!(
            (rows..=rows + from_setup).contains(&count(&shown)),
            "{who}: {shown:?}"
        );
        assert!(!shown.text.contains("role=\"alert\""), "{who}: {shown:?}");
    }
    let nobody = page(t, "?actor=ada").await;
    assert_eq!(nobody.status, 200);
    assert!(
        nobody
            .text
            .contains("“ada”: No member of the team and no API key"),
        "{nobody:?}"
    );
    assert!(nobody.text.contains("value=\"ada\"") && nobody.text.contains("Nothing matches"));
    // Two keys of one name: the page asks which.
    for _ in 0..2 {
        t.key(None, &[], None).await;
    }
    let several = page(t, "?subject=some&type=api_key.created").await;
    assert!(
        several.text.contains("Several are called “some”: "),
        "{several:?}"
    );
    let (_, link) = several
        .text
        .split_once("Several are called")
        .expect("links");
    let link = link
        .split("href=\"")
        .nth(1)
        .and_then(|link| link.split('"').next());
    let link = link.expect("a link").replace("&amp;", "&");
    let one = look(&t.owner, &link).send().await;
    assert_eq!(count(&one), 1, "{one:?}");
    // Customers by their addresses, codes by their names, and what they lead to in the file.
    let pair = t.pair("ann").await;
    let about = page(t, "?subject=ann-referee@example.com").await;
    assert!(
        count(&about) == 1
            && about
                .text
                .contains(&format!("activity.csv?subject={}", pair.referee))
    );
    let code = page(t, &format!("?subject={}", pair.code.to_lowercase())).await;
    assert_eq!(count(&code), 1, "{code:?}");
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
