//! `…/codes` and `…/codes/{code}`.

use billstack_core::access::Role;
use billstack_core::time::HOUR;
use serde_json::json;

use super::{hidden, led, look, path, send};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::pluck;

on_both_engines! {
    the_list_is_that_of_the_api,
    filters_stay_in_the_address,
    a_code_is_made_for_whoever_is_named,
    a_form_with_a_fault_comes_back_as_typed,
    a_code_shows_its_link_its_names_and_its_history,
    a_code_gets_another_name,
    a_code_is_switched_off_after_a_question,
    viewers_are_told_why_not,
    nothing_of_a_name_is_markup,
    a_code_of_another_project_is_not_there,
}

async fn page(t: &Bench, rest: &str) -> String {
    let answer = look(&t.owner, &path(t, rest)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

/// The codes that a page links, in order.
fn listed(t: &Bench, page: &str) -> Vec<String> {
    let before = format!("href=\"{}", path(t, "/codes/"));
    let codes = page.split(&before).skip(1);
    codes
        .map(|rest| rest.split(['"', '?']).next().unwrap_or_default().to_owned())
        .collect()
}

async fn the_list_is_that_of_the_api(t: &Bench) {
    assert!(page(t, "/codes").await.contains("No code yet."));
    let (one, _) = t.pending("one").await;
    t.advance(HOUR);
    let two = t.pair("two").await;
    t.subscribe(&one).await;
    t.key
        .delete(&format!("referrals/codes/{}", two.code))
        .await
        .ok();
    for (page_query, api_query) in [
        ("", ""),
        ("?activeOnly=false", "?activeOnly=false"),
        ("?activeOnly=&sort=&from=&to=", ""),
        (
            "?activeOnly=false&from=2026-03-30&to=2026-03-30",
            "?activeOnly=false&from=2026-03-30T00:00:00Z&to=2026-03-31T00:00:00Z",
        ),
    ] {
        let shown = page(t, &format!("/codes{page_query}")).await;
        let told = t.key.get(&format!("referrals/codes{api_query}")).await.ok();
        assert_eq!(
            listed(t, &shown),
            pluck(&told["codes"], "code"),
            "{page_query}"
        );
    }
    let shown = page(t, "/codes?activeOnly=false").await;
    for part in [
        "data-label=\"Applied\" class=\"number\"><a href=",
        "&amp;status=converted\">1</a></td>",
        "data-label=\"Rate\" class=\"number\">100 %</td>",
        ">On</span>",
        ">Off</span>",
        ">one-referrer</a>",
        "aria-current=\"page\">Codes</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

async fn filters_stay_in_the_address(t: &Bench) {
    let mut codes = Vec::new();
    for number in 0..27 {
        let customer = t.customer(&format!("n{number}")).await;
        codes.push(t.code(&customer).await);
        t.advance(1_000_000);
    }
    codes.reverse();
    let first = page(t, "/codes?activeOnly=false").await;
    assert_eq!(listed(t, &first), codes[..25]);
    let older = first.split("href=\"").find(|link| link.contains("cursor="));
    let older = older
        .and_then(|link| link.split('"').next())
        .expect("a link");
    assert!(older.contains("activeOnly=false"), "{older}");
    let older = look(&t.owner, &older.replace("&amp;", "&"))
        .send()
        .await
        .text;
    assert_eq!(listed(t, &older), codes[25..]);
    let file = first
        .split("href=\"")
        .find(|link| link.contains("/exports/codes?"));
    let file = file
        .and_then(|link| link.split('"').next())
        .expect("a link");
    let file = t.owner.get(&file.replace("&amp;", "&")).await;
    assert_eq!(file.text.lines().count(), 28, "{file:?}");
    let none = page(t, "/codes?from=2001-01-01&to=2001-01-31").await;
    assert!(none.contains("No code matches") && none.contains(">Clear filters</a>"));
    // What cannot be together is shown as it was chosen.
    let wrong = look(&t.owner, &path(t, "/codes?sort=clicks&from=2026-03-01"));
    let wrong = wrong.send().await;
    assert_eq!(wrong.status, 400, "{wrong:?}");
    assert!(
        wrong.text.contains("value=\"clicks\" selected") && wrong.text.contains("role=\"alert\"")
    );
}

async fn a_code_is_made_for_whoever_is_named(t: &Bench) {
    let body =
        json!({"email": "ann@example.com", "externalId": "crm-7", "stripeCustomerId": "cus_ann"});
    let ann = t.key.post("customers", body).await.created();
    let ann = ann["customer"]["id"].as_str().expect("an id").to_owned();
    for (named, vanity) in [
        (ann.as_str(), "ANN-1"),
        (" Ann@Example.com ", ""),
        ("crm-7", ""),
        ("cus_ann", "ANN-4"),
    ] {
        let form = look(&t.owner, &path(t, "/codes")).send().await;
        let once = hidden(&form, "once");
        let fields = [
            ("once", once.as_str()),
            ("customerId", named),
            ("vanity", vanity),
        ];
        let made = send(&t.owner, &path(t, "/codes"), &fields).await;
        let place = led(&made).to_owned();
        let shown = look(&t.owner, &place).send().await.text;
        assert!(shown.contains(">ann@example.com</a>"), "{named}: {shown}");
        assert!(vanity.is_empty() || shown.contains(&format!("<title>{vanity} · Codes · ")));
        // The same form makes nothing more.
        let again = send(&t.owner, &path(t, "/codes"), &fields).await;
        assert!(again.text.contains("Already done") && again.text.contains(&place));
        let code = place.rsplit('/').next().expect("a code");
        t.key.delete(&format!("referrals/codes/{code}")).await.ok();
    }
    assert_eq!(t.count("codes").await, 4);
}

async fn a_form_with_a_fault_comes_back_as_typed(t: &Bench) {
    let ann = t.customer("ann").await;
    t.customer_with(json!({"email": "twin@example.com"})).await;
    // Somebody's address is what the team calls somebody else.
    let other = json!({"email": "other@example.com", "externalId": "twin@example.com"});
    t.customer_with(other).await;
    let before = t.dump().await;
    let once = "ab".repeat(16);
    for (customer, vanity, field, says) in [
        (
            "nobody@example.com",
            "",
            "customerId",
            "Nobody has this address",
        ),
        (
            "twin@example.com",
            "",
            "customerId",
            "More than one customer",
        ),
        ("", "ANN", "customerId", "Customer"),
        (ann.as_str(), "a b", "vanity", "letters"),
        (ann.as_str(), "support", "vanity", "reserved"),
    ] {
        let fields = [
            ("once", once.as_str()),
            ("customerId", customer),
            ("vanity", vanity),
        ];
        let again = send(&t.owner, &path(t, "/codes"), &fields).await;
        assert_eq!(again.status, 400, "{again:?}");
        let (_, rest) = again
            .text
            .split_once(&format!("id=\"{field}-error\">"))
            .expect("an error");
        assert!(
            rest.split("</p>").next().unwrap_or_default().contains(says),
            "{again:?}"
        );
        assert!(again.text.contains(&format!("value=\"{customer}\"")));
    }
    assert_eq!(t.dump().await, before);
    t.code(&ann).await;
    let fields = [
        ("once", once.as_str()),
        ("customerId", ann.as_str()),
        ("vanity", ""),
    ];
    let second = send(&t.owner, &path(t, "/codes"), &fields).await;
    assert_eq!(second.status, 400, "{second:?}");
    assert!(second.text.contains("role=\"alert\""), "{second:?}");
}

async fn a_code_shows_its_link_its_names_and_its_history(t: &Bench) {
    let (pair, referral) = t.pending("ann").await;
    for vanity in ["ANN", "ANN-L"] {
        let body = json!({"vanity": vanity});
        t.key
            .patch(&format!("referrals/codes/{}", pair.code), body)
            .await
            .ok();
    }
    let rest = format!("/codes/{}", pair.code);
    let unset = page(t, &rest).await;
    assert!(
        unset.contains("Nobody has said yet where links lead."),
        "{unset}"
    );
    let links = json!({"enabled": true, "landingUrl": "https://example.com"});
    t.key.put("links/settings", links).await.ok();
    let shown = page(t, &rest).await;
    let settings = t.key.get("links/settings").await.ok();
    let link = settings["settings"]["shareUrls"][0]
        .as_str()
        .expect("a link");
    let link = link.replace("{code}", "ANN-L");
    for part in [
        "<title>ANN-L · Codes · ",
        &*format!("data-copy=\"{link}\""),
        &format!("href=\"{link}/qr.svg?size=1024\""),
        "<svg xmlns=",
        "<code>ANN</code>",
        &format!("data-copy=\"{}\"", pair.code),
        ">ann-referrer</a>",
        &format!(
            "href=\"{}\">ann-referee@example.com</a>",
            path(t, &format!("/referrals/{referral}"))
        ),
        &format!(
            "<dt>Applied</dt><dd><a href=\"{}\">1</a></dd>",
            path(t, &format!("/referrals?code={}", pair.code))
        ),
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("Nobody has said yet"));
    // Each of its names leads here.
    assert!(
        page(t, "/codes/ann")
            .await
            .contains("<title>ANN-L · Codes · ")
    );
    t.erase(&pair.referrer).await;
    let erased = page(t, &rest).await;
    assert!(erased.contains("an erased customer") && !erased.contains("ann-referrer"));
    assert!(!erased.contains("ANN-L"), "{erased}");
}

async fn a_code_gets_another_name(t: &Bench) {
    let pair = t.pair("ann").await;
    let there = path(t, &format!("/codes/{}", pair.code));
    let rename = async |vanity: &str| {
        let form = look(&t.owner, &there).send().await;
        let once = hidden(&form, "once");
        send(&t.owner, &there, &[("once", &once), ("vanity", vanity)]).await
    };
    let renamed = rename("Ann-1").await;
    assert_eq!(led(&renamed), format!("{there}?done=renamed"));
    assert!(look(&t.owner, &there).send().await.text.contains("ANN-1 "));
    let other = t.pair("other").await;
    let body = json!({"vanity": "OTHER"});
    t.key
        .patch(&format!("referrals/codes/{}", other.code), body)
        .await
        .ok();
    for (vanity, status) in [("OTHER", 400), ("x", 400), ("", 400)] {
        let again = rename(vanity).await;
        assert_eq!(again.status, status, "{vanity}: {again:?}");
        assert!(
            again.text.contains(&format!("value=\"{vanity}\"")),
            "{again:?}"
        );
    }
    for vanity in ["ANN-2", "ANN-3", "ANN-4", "ANN-5"] {
        assert_eq!(rename(vanity).await.status, 303);
    }
    assert_eq!(rename("ANN-6").await.status, 429);
}

async fn a_code_is_switched_off_after_a_question(t: &Bench) {
    let pair = t.pair("ann").await;
    let there = path(t, &format!("/codes/{}", pair.code));
    let shown = look(&t.owner, &there).send().await;
    let question = format!("{there}?ask=deactivate");
    assert!(
        shown.text.contains(&format!("href=\"{question}\"")),
        "{shown:?}"
    );
    let asked = look(&t.owner, &question).send().await;
    assert!(
        asked.text.contains("Nobody can apply it any more"),
        "{asked:?}"
    );
    let once = hidden(&asked, "once");
    let fields = [("once", once.as_str()), ("what", "deactivate")];
    assert_eq!(
        led(&send(&t.owner, &there, &fields).await),
        format!("{there}?done=deactivated")
    );
    let off = look(&t.owner, &there).send().await;
    assert!(off.text.contains(">Off</span>") && !off.text.contains(&question));
    let told = t
        .key
        .get(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();
    assert_eq!(told["code"]["isActive"], false);
    assert!(
        send(&t.owner, &there, &fields)
            .await
            .text
            .contains("Already done")
    );
    // Whoever asks again sees what it is now.
    let again = look(&t.owner, &question).send().await;
    assert!(!again.text.contains("Nobody can apply it any more"));
}

async fn viewers_are_told_why_not(t: &Bench) {
    let pair = t.pair("ann").await;
    let viewer = t.member(Role::Viewer).await;
    let rest = format!("/codes/{}", pair.code);
    for rest in ["/codes", &rest, &format!("{rest}?ask=deactivate")] {
        let seen = look(&viewer, &path(t, rest)).send().await;
        assert_eq!(seen.status, 200, "{seen:?}");
        assert!(
            seen.text.contains("<fieldset class=\"shut\" disabled>"),
            "{rest}: {seen:?}"
        );
        assert!(
            seen.text
                .contains("This is for owners, admins and members of the team. You are a viewer.")
        );
    }
    let before = t.dump().await;
    let once = "ab".repeat(16);
    for rest in ["/codes", &rest] {
        let fields = [
            ("once", once.as_str()),
            ("what", "deactivate"),
            ("customerId", &pair.referee),
        ];
        assert_eq!(send(&viewer, &path(t, rest), &fields).await.status, 403);
    }
    assert_eq!(t.dump().await, before);
}

async fn nothing_of_a_name_is_markup(t: &Bench) {
    let canary = "\"><img src=x onerror=alert(1)>";
    let pair = t.pair("ann").await;
    let body = json!({"name": canary});
    t.key
        .patch(&format!("customers/{}", pair.referrer), body)
        .await
        .ok();
    let asked = "/codes?customerId=%22%3E%3Cimg%20src=x%3E".to_owned();
    for rest in ["/codes".to_owned(), format!("/codes/{}", pair.code), asked] {
        let shown = page(t, &rest).await;
        assert!(!shown.contains("<img src=x"), "{rest}: {shown}");
        assert!(shown.contains("&lt;img src=x"), "{rest}: {shown}");
    }
    let once = "ab".repeat(16);
    let fields = [
        ("once", once.as_str()),
        ("customerId", canary),
        ("vanity", canary),
    ];
    let again = send(&t.owner, &path(t, "/codes"), &fields).await;
    assert_eq!(again.status, 400);
    assert!(!again.text.contains("<img src=x") && again.text.contains("&lt;img src=x"));
}

async fn a_code_of_another_project_is_not_there(t: &Bench) {
    let pair = t.pair("ann").await;
    let (other, _) = t.project("Other").await;
    let elsewhere = format!("/t/{}/p/{other}/codes/{}", t.home.team, pair.code);
    let once = "ab".repeat(16);
    let fields = [("once", once.as_str()), ("what", "deactivate")];
    let absent = look(&t.owner, &elsewhere).send().await;
    assert_eq!(absent.status, 404);
    assert!(absent.is_page());
    assert_eq!(send(&t.owner, &elsewhere, &fields).await.status, 404);
    let told = t
        .key
        .get(&format!("referrals/codes/{}", pair.code))
        .await
        .ok();
    assert_eq!(told["code"]["isActive"], true);
}
