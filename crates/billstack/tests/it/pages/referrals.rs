//! `…/referrals` and `…/referrals/{id}`.

use billstack_core::access::Role;
use serde_json::json;

use super::{content, hidden, holds, led, look, path, send};
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;
use crate::support::stripe::SECRET;

on_both_engines! {
    the_list_shows_what_the_api_lists,
    filters_are_in_the_address_and_stay_there,
    a_filter_that_there_is_not_is_refused,
    it_says_how_many_match,
    every_page_leads_back_to_the_one_before,
    whoever_is_asked_for_is_named_as_people_name_them,
    a_file_has_the_filters_of_the_page,
    a_referral_says_why,
    nothing_of_a_customer_is_markup,
    a_referral_of_another_project_is_not_there,
    one_is_checked_again_once,
    picked_ones_are_checked_again_each_by_itself,
    a_viewer_checks_nothing,
    a_referral_is_a_text_too,
}

async fn page(t: &Bench, rest: &str) -> String {
    let answer = look(&t.owner, &path(t, rest)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

async fn the_list_shows_what_the_api_lists(t: &Bench) {
    let none = page(t, "/referrals").await;
    assert!(none.contains("No referral yet."), "{none}");
    let pair = t.pair("ann").await;
    let id = text(&t.apply(&pair).await["id"]);
    let listed = page(t, "/referrals").await;
    for part in [
        &*format!(
            "href=\"{}\">ann-referee@example.com</a>",
            path(t, &format!("/referrals/{id}"))
        ),
        &format!(
            "href=\"{}\">ann-referrer</a>",
            path(t, &format!("/customers/{}", pair.referrer))
        ),
        &format!("<code>{}</code>", pair.code),
        ">Waiting</span>",
        "aria-current=\"page\">Referrals</a>",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    t.subscribe(&pair).await;
    assert!(page(t, "/referrals").await.contains(">Converted</span>"));
    t.key
        .delete(&format!("customers/{}", pair.referee))
        .await
        .ok();
    let erased = page(t, "/referrals").await;
    assert!(erased.contains("An erased customer") && !erased.contains("ann-referee"));
}

async fn filters_are_in_the_address_and_stay_there(t: &Bench) {
    for number in 0..27 {
        let pair = t.pair(&format!("n{number}")).await;
        t.apply(&pair).await;
        t.advance(1_000_000);
    }
    let filtered = page(t, "/referrals?status=pending&code=&source=&from=&to=").await;
    assert!(
        filtered.contains(">n26-referee@example.com</a>")
            && !filtered.contains(">n1-referee@example.com</a>")
    );
    assert!(filtered.contains("value=\"pending\" selected"));
    let older = filtered
        .split("href=\"")
        .find(|link| link.contains("cursor="));
    let older = older
        .and_then(|link| link.split('"').next())
        .expect("a link");
    assert!(older.contains("status=pending"), "{older}");
    let older = look(&t.owner, &older.replace("&amp;", "&")).send().await;
    assert!(
        older.text.contains(">n1-referee@example.com</a>") && older.text.contains(">Newest</a>")
    );
    for part in ["Waiting</span>for a subscription", "2 promised"] {
        assert!(filtered.contains(part), "{part}: {filtered}");
    }
    let none = page(t, "/referrals?status=converted").await;
    assert!(none.contains("No referral matches") && none.contains(">Clear filters</a>"));
    let far = page(t, "/referrals?from=2001-01-01&to=2001-01-31").await;
    assert!(far.contains("No referral matches") && far.contains("value=\"2001-01-31\""));
    let wrong = look(&t.owner, &path(t, "/referrals?status=x")).send().await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.is_page());
}

async fn it_says_how_many_match(t: &Bench) {
    let (one, _) = t.pending("one").await;
    t.pending("two").await;
    let (three, _) = t.pending("three").await;
    t.subscribe(&three).await;
    let days = "from=2026-03-30&to=2026-03-30";
    let of_one = format!("customerId={}", one.referee);
    for (query, said) in [
        ("", "<strong>3</strong> referrals."),
        ("limit=1", "<strong>3</strong> referrals."),
        (days, "<strong>3</strong> referrals."),
        ("sort=converted", "<strong>1</strong> referral."),
        ("status=pending", "<strong>2</strong> referrals."),
        ("status=pending&limit=1", "<strong>2</strong> referrals."),
        (&of_one, "<strong>1</strong> referral."),
    ] {
        let shown = page(t, &format!("/referrals?{query}")).await;
        assert!(shown.contains(said), "{query}: {shown}");
    }
    // The next page is as much of it.
    let first = page(t, "/referrals?status=pending&limit=1").await;
    let to = led_by(t, &first, "Older").await;
    assert!(to.contains("<strong>2</strong> referrals."), "{to}");
    let none = page(t, "/referrals?from=2026-04-02&to=2026-04-03").await;
    assert!(!none.contains("</strong> referral"), "{none}");
}

async fn a_filter_that_there_is_not_is_refused(t: &Bench) {
    t.pending("one").await;
    for (rest, name, meant) in [
        (
            "/referrals?customer=nobody@x.example",
            "customer",
            "Is `customerId` meant?",
        ),
        ("/referrals?foo=1&status=pending", "foo", ""),
        ("/credits?state=held", "state", ""),
        ("/codes?active=true", "active", "Is `activeOnly` meant?"),
        ("/clicks?code=K7M2QX9D", "code", ""),
        ("/customers?email=ada@example.com", "email", ""),
        ("/reports/bookings?account=held", "account", ""),
        ("?step=week", "step", ""),
    ] {
        let answer = look(&t.owner, &path(t, rest)).send().await;
        assert_eq!(answer.status, 400, "{rest}: {answer:?}");
        let about = format!("It is about <code>{name}</code>");
        for part in [
            "There is no such filter.",
            meant,
            &about,
            ">Clear filters</a>",
        ] {
            assert!(answer.text.contains(part), "{rest}: {part}: {answer:?}");
        }
    }
    // What forms and ways through a list add is fine.
    for rest in ["/referrals?limit=50&done=moved", "/referrals?status=&code="] {
        page(t, rest).await;
    }
}

async fn whoever_is_asked_for_is_named_as_people_name_them(t: &Bench) {
    let (ann, _) = t.pending("ann").await;
    let (bob, _) = t.pending("bob").await;
    for (customer, own) in [(&ann.referee, "user-1"), (&bob.referee, "user-2")] {
        let body = json!({"externalId": own, "stripeCustomerId": "cus_both"});
        t.key
            .patch(&format!("customers/{customer}"), body)
            .await
            .ok();
    }
    for who in [ann.referee.as_str(), "+Ann-Referee@example.com", "user-1"] {
        for list in ["/referrals", "/credits"] {
            let shown = page(t, &format!("{list}?customerId={who}")).await;
            assert!(!shown.contains("role=\"alert\""), "{who}: {shown}");
            assert!(
                shown.contains(&format!("&amp;customerId={}", ann.referee)),
                "{who}: {shown}"
            );
        }
        let shown = page(t, &format!("/referrals?customerId={who}")).await;
        assert!(
            shown.contains(">ann-referee@example.com</a>") && !shown.contains(">bob-"),
            "{who}: {shown}"
        );
    }
    for list in ["/referrals", "/credits"] {
        let nobody = page(t, &format!("{list}?customerId=ghost@example.com")).await;
        for part in [
            "“ghost@example.com”: No customer has this id, address or external id.",
            "matches the filters.",
            "value=\"ghost@example.com\"",
        ] {
            assert!(nobody.contains(part), "{part}: {nobody}");
        }
    }
    let several = page(t, "/referrals?customerId=cus_both&status=pending").await;
    assert!(
        several.contains("Several are called “cus_both”: "),
        "{several}"
    );
    let only = led_by(t, &several, "bob-referee@example.com").await;
    assert!(
        only.contains(">bob-referee@example.com</a>") && !only.contains(">ann-"),
        "{only}"
    );
    assert!(only.contains("value=\"pending\" selected"));
}

/// The page that a link of a page leads to, by its word.
async fn led_by(t: &Bench, page: &str, word: &str) -> String {
    let (before, _) = page
        .split_once(&format!(">{word}</a>"))
        .unwrap_or_else(|| panic!("{word}: {page}"));
    let (_, link) = before.rsplit_once("href=\"").expect("a link");
    let link = link.split('"').next().unwrap_or_default();
    let answer = look(&t.owner, &link.replace("&amp;", "&")).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

async fn every_page_leads_back_to_the_one_before(t: &Bench) {
    for number in 0..77 {
        let pair = t.pair(&format!("n{number}")).await;
        t.apply(&pair).await;
        t.advance(1_000_000);
    }
    let friends = |page: &str| -> Vec<String> {
        let rows = page.split("-referee@example.com</a>");
        let names = rows.filter_map(|row| row.rsplit('>').next());
        names
            .filter(|name| name.starts_with('n'))
            .map(str::to_owned)
            .collect()
    };
    let first = page(t, "/referrals?status=pending").await;
    assert!(!first.contains(">Newer</a>"));
    let mut pages = vec![first];
    for _ in 0..3 {
        let older = led_by(t, &pages[pages.len() - 1], "Older").await;
        pages.push(older);
    }
    assert!(!pages[3].contains(">Older</a>"));
    assert_eq!(
        pages.iter().map(|page| friends(page).len()).sum::<usize>(),
        77
    );
    // Somebody new at the top moves nothing that was shown.
    let pair = t.pair("new").await;
    t.apply(&pair).await;
    let mut here = pages[3].clone();
    for shown in [2, 1] {
        here = led_by(t, &here, "Newer").await;
        assert_eq!(friends(&here), friends(&pages[shown]), "{shown}");
        assert!(here.contains("value=\"pending\" selected"));
    }
    let first = led_by(t, &here, "Newer").await;
    assert!(first.contains(">new-referee@example.com</a>") && !first.contains(">Newer</a>"));
    let newest = led_by(t, &pages[3], "Newest").await;
    assert!(newest.contains(">new-referee"));
}

async fn a_referral_says_why(t: &Bench) {
    let pair = t.pair("ann").await;
    let id = text(&t.apply(&pair).await["id"]);
    let told = t.key.get(&format!("referrals/{id}")).await.ok();
    let why = told["referral"]["explanation"]["why"]
        .as_str()
        .expect("a sentence");
    let rest = format!("/referrals/{id}");
    let waiting = page(t, &rest).await;
    let applied = text(&told["referral"]["createdAt"]);
    // The page says the same, with its times as it says all others.
    assert!(
        why.contains("The friend applied the code on 2026-03-30 12:00 UTC. No event"),
        "{why}"
    );
    for part in [
        &format!(
            "The friend applied the code on <time datetime=\"{applied}\" data-moment>30 Mar 2026, 12:00 UTC</time>. No event"
        ),
        " data-moment>29 Mar 2026, 12:00 UTC</time> or later.</li>",
        // What is copied is the text of the API.
        &format!("{why}\n"),
    ] {
        assert!(waiting.contains(part), "{part}: {waiting}");
    }
    assert!(waiting.contains("What must still happen:"));
    assert!(waiting.contains("<title>ann-referee@example.com · Referrals · "));
    assert!(waiting.contains(">No credit.</p>"));
    t.subscribe(&pair).await;
    let converted = page(t, &rest).await;
    for part in [
        ">10.00 USD</span>",
        ">5.00 USD</span>",
        "The referral converted",
        "A credit was granted",
        ">everything</a>",
        "href=\"/go/evt_",
        "/activity?requestId=",
    ] {
        assert!(converted.contains(part), "{part}: {converted}");
    }
    let absent = look(&t.owner, &path(t, "/referrals/ref_none")).send().await;
    assert_eq!(absent.status, 404);
    assert!(absent.is_page());
}

async fn nothing_of_a_customer_is_markup(t: &Bench) {
    let canary = "\"><img src=x onerror=alert(1)>";
    let pair = t.pair("ann").await;
    let body = json!({"name": canary});
    t.key
        .patch(&format!("customers/{}", pair.referee), body)
        .await
        .ok();
    let id = text(&t.apply(&pair).await["id"]);
    for rest in [
        "/referrals".to_owned(),
        format!("/referrals/{id}"),
        "/customers".to_owned(),
        format!("/customers/{}", pair.referee),
    ] {
        let shown = page(t, &rest).await;
        assert!(!shown.contains("<img src=x"), "{rest}: {shown}");
        assert!(shown.contains("&lt;img src=x"), "{rest}: {shown}");
    }
    let asked = page(t, "/customers?q=%22%3E%3Cimg%20src=x%3E").await;
    assert!(!asked.contains("<img src=x") && asked.contains("Nobody has this address"));
}

async fn a_referral_of_another_project_is_not_there(t: &Bench) {
    let pair = t.pair("ann").await;
    let id = text(&t.apply(&pair).await["id"]);
    let (other, _) = t.project("Other").await;
    let elsewhere = format!("/t/{}/p/{}/referrals/{id}", t.home.team, other);
    assert_eq!(look(&t.owner, &elsewhere).send().await.status, 404);
}

async fn a_file_has_the_filters_of_the_page(t: &Bench) {
    let (one, _) = t.pending("one").await;
    t.pending("two").await;
    let filters = format!(
        "status=pending&code={}&from=2026-03-01&to=2026-03-31&source=",
        one.code
    );
    let listed = page(t, &format!("/referrals?{filters}")).await;
    let link = listed
        .split("href=\"")
        .find(|link| link.contains("/exports/referrals?"));
    let link = link
        .and_then(|link| link.split('"').next())
        .expect("a link");
    let file = t.owner.get(&link.replace("&amp;", "&")).await;
    assert_eq!(file.status, 200, "{file:?}");
    let name = "attachment; filename=\"referrals-home-2026-03-01_2026-03-31-utc.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    assert!(file.text.starts_with("\u{feff}id,status,code,"));
    assert_eq!(file.text.lines().count(), 2, "{file:?}");
    assert!(file.text.contains(&one.code));
}

/// A referral that converts when it is looked at again: its event was of the other mode when the code was applied.
async fn set_aside(t: &Bench, name: &str) -> String {
    let connect = async |mode: &str| {
        let key = format!("pk_{mode}_1");
        let body = json!({"publishableKey": key, "webhookSecret": SECRET});
        t.connect_with(body).await;
    };
    t.connect().await;
    t.accept(&t.created(&format!("cus_{name}"))).await;
    let pair = t.pair(name).await;
    connect("live").await;
    let referral = text(&t.apply(&pair).await["id"]);
    connect("test").await;
    referral
}

async fn one_is_checked_again_once(t: &Bench) {
    let referral = set_aside(t, "ann").await;
    let place = path(t, &format!("/referrals/{referral}"));
    let form = look(&t.owner, &place).send().await;
    assert!(form.text.contains(">Check again</button>"), "{}", form.text);
    let fields = [("once", &*hidden(&form, "once"))];
    let sent = send(&t.owner, &place, &fields).await;
    assert_eq!(led(&sent), format!("{place}?done=checked"));
    let shown = look(&t.owner, led(&sent)).send().await.text;
    assert!(
        shown.contains("Looked again at all that Stripe has told"),
        "{shown}"
    );
    assert_eq!(t.status(&referral).await, "converted");
    let again = send(&t.owner, &place, &fields).await;
    assert!(again.text.contains("Already done"), "{}", again.text);
    let shown = page(t, &format!("/referrals/{referral}")).await;
    assert!(!shown.contains(">Check again</button>"), "{shown}");
}

async fn picked_ones_are_checked_again_each_by_itself(t: &Bench) {
    let (_, waiting) = t.pending("bob").await;
    let referral = set_aside(t, "ann").await;
    let list = path(t, "/referrals");
    let once = hidden(&look(&t.owner, &list).send().await, "once");
    let fields = [
        ("once", once.as_str()),
        ("pick", referral.as_str()),
        ("pick", waiting.as_str()),
        ("pick", "ref_none"),
    ];
    let answer = send(&t.owner, &list, &fields).await;
    let place = led(&answer).to_owned();
    let report = look(&t.owner, &place).send().await.text;
    for part in [
        "2 of 3 checked again.",
        "It is converted.",
        "It waits as before.",
        "ref_none",
        ">Not done</span>",
    ] {
        assert!(report.contains(part), "{part}: {report}");
    }
    assert_eq!(led(&send(&t.owner, &list, &fields).await), place);
    let none = send(&t.owner, &list, &fields[..1]).await;
    assert_eq!(none.status, 400);
    assert!(none.text.contains("Pick from 1 to 100."), "{}", none.text);
    assert_eq!(t.status(&waiting).await, "pending");
}

async fn a_viewer_checks_nothing(t: &Bench) {
    let (_, referral) = t.pending("ann").await;
    let viewer = t.member(Role::Viewer).await;
    for rest in ["/referrals".to_owned(), format!("/referrals/{referral}")] {
        let form = look(&viewer, &path(t, &rest)).send().await;
        holds(&form, &["You are a viewer."]);
        let once = "ab".repeat(16);
        let fields = [("once", once.as_str()), ("pick", &referral)];
        let refused = send(&viewer, &path(t, &rest), &fields).await;
        assert_eq!(refused.status, 403);
    }
    // The list has nothing to pick for them, and says once why.
    let list = look(&viewer, &path(t, "/referrals")).send().await;
    let why =
        "Checking referrals again is for owners, admins and members of the team. You are a viewer.";
    holds(
        &list,
        &[
            &format!("<p class=\"quiet\">{why}</p>"),
            "data-label=\"Credits\"",
        ],
    );
    for part in ["Pick", "Check the picked", "method=\"post\""] {
        assert!(!content(&list).contains(part), "{part}: {list:?}");
    }
    let list = look(&t.owner, &path(t, "/referrals")).send().await;
    holds(
        &list,
        &["data-label=\"Pick\"", "Check the picked ones again"],
    );
    assert!(!list.text.contains(why), "{list:?}");
}

async fn a_referral_is_a_text_too(t: &Bench) {
    let (pair, referral) = t.pending("ann").await;
    let shown = page(t, &format!("/referrals/{referral}")).await;
    let (_, text) = shown.split_once("As a text").expect("a text");
    for part in [
        &*format!("Referral {referral}: pending"),
        &pair.code,
        "referral.applied by api_key:",
        &format!("/referrals/{referral}\">JSON</a>"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let (text, _) = text.split_once("</details>").expect("its end");
    assert!(!text.contains("ann-referee@example.com"), "{text}");
}
