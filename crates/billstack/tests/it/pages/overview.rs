//! `/t/{teamId}/p/{projectId}`: how the program does.

use std::time::Duration;

use billstack::secrets::{new_token, token_hash};
use billstack_core::access::Role;
use billstack_core::time::DAY;
use billstack_store::sessions;
use serde_json::{Value, json};

use super::{look, path};
use crate::links::follow;
use crate::support::bench::Bench;
use crate::support::client::{Caller, CookieClient};
use crate::support::fixture::text;

on_both_engines! {
    figures_are_those_of_the_api,
    a_figure_chooses_the_chart_and_leads_to_its_rows,
    clicks_lead_to_their_rows,
    changes_of_the_program_are_marked,
    the_first_thing_to_do_stands_where_the_chart_will_be,
    days_are_chosen_by_links_and_by_dates,
    days_to_come_have_no_figures,
    a_chart_of_years_goes_by_larger_steps,
    each_currency_is_a_figure,
    nothing_of_a_name_is_markup,
    a_code_stands_among_the_best_at_once,
    viewers_read_all_of_it,
    what_is_asked_for_wrongly_is_refused,
}

/// The owner, who signs in anew: days go by in these tests.
async fn owner(t: &Bench) -> CookieClient {
    let (id, token) = (t.home.owner_id.clone(), new_token());
    let hash = token_hash(&token);
    t.write(move |tx, act| sessions::create(tx, act, &id, &hash, sessions::LIFETIME))
        .await;
    let name = t.owner.cookie.split('=').next().unwrap_or_default();
    CookieClient::new(t.owner.wire(), &format!("{name}={token}"))
}

async fn at(t: &Bench, address: &str) -> String {
    let answer = look(&owner(t).await, address).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text.len() <= 60 * 1024, "{}", answer.text.len());
    answer.text
}

async fn page(t: &Bench, rest: &str) -> String {
    at(t, &path(t, rest)).await
}

/// What a figure's tile says: the figure, and how it stands beside the one before.
fn tile(page: &str, title: &str) -> (String, String) {
    let (_, rest) = page
        .split_once(&format!("<span>{title}</span><strong>"))
        .unwrap_or_else(|| panic!("{title}: {page}"));
    let (figure, rest) = rest.split_once("</strong>").expect("a figure");
    let (_, rest) = rest.split_once("<span class=\"quiet\">").expect("a change");
    let change = rest.split("</span></a>").next().unwrap_or_default();
    (figure.to_owned(), change.to_owned())
}

/// Addresses of links that hold a text.
fn links(page: &str, part: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1);
    let links = links.filter_map(|link| link.split('"').next());
    let links = links.filter(|link| link.contains(part));
    links.map(|link| link.replace("&amp;", "&")).collect()
}

async fn overview(t: &Bench, query: &str) -> Value {
    let answer = t.key.get(&format!("referrals/overview{query}")).await.ok();
    answer["overview"].clone()
}

/// Two referrals and a conversion before, three and two of them now.
async fn some_history(t: &Bench) {
    let mut pairs = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        pairs.push(t.pair(name).await);
    }
    t.apply(&pairs[0]).await;
    t.apply(&pairs[1]).await;
    t.subscribe(&pairs[0]).await;
    t.advance(40 * DAY);
    for (number, pair) in pairs[2..].iter().enumerate() {
        t.apply(pair).await;
        if number < 2 {
            t.subscribe(pair).await;
        }
    }
}

async fn figures_are_those_of_the_api(t: &Bench) {
    some_history(t).await;
    let (shown, told) = (page(t, "").await, overview(t, "").await);
    let figure = |period: &str, name: &str| told[period][name].as_i64().expect("a number");
    assert_eq!(
        (figure("period", "applied"), figure("before", "applied")),
        (3, 2)
    );
    for (title, name) in [
        ("Clicks", "clicks"),
        ("Applied", "applied"),
        ("Converted", "converted"),
    ] {
        assert_eq!(
            tile(&shown, title).0,
            figure("period", name).to_string(),
            "{title}"
        );
    }
    assert!(tile(&shown, "Applied").1.ends_with("50 %"), "{shown}");
    assert!(tile(&shown, "Converted").1.contains("▲"));
    assert_eq!(tile(&shown, "Conversion rate").0, "66.7 %");
    assert!(
        tile(&shown, "Conversion rate").1.ends_with("16.7 points"),
        "{shown}"
    );
    let credited = told["period"]["credited"][0]["amount"]
        .as_i64()
        .expect("a sum");
    assert_eq!(credited, 3_000);
    assert_eq!(tile(&shown, "Credited in USD").0, "30.00 USD");
    for part in [
        "<h1>home</h1>",
        "three-referee@example.com",
        "aria-current=\"page\">Overview</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // The newest conversion is the first.
    let rest = shown
        .split("Newest conversions")
        .nth(1)
        .expect("conversions");
    let of = |name: &str| {
        rest.find(&format!(">{name}-referee@example.com"))
            .expect("a friend")
    };
    assert!(of("four") < of("three") && of("three") < of("one"));
    assert!(!rest.contains(">five-referee"));
}

async fn a_figure_chooses_the_chart_and_leads_to_its_rows(t: &Bench) {
    some_history(t).await;
    let shown = page(t, "").await;
    assert!(shown.contains("aria-label=\"Converted by day"), "{shown}");
    // The line of today is apart, as it may still rise.
    let running = ["class=\"line running\"", ">Today is not over</span>"];
    assert!(running.iter().all(|part| shown.contains(part)), "{shown}");
    let over = page(t, "?from=2026-03-01&to=2026-04-20").await;
    assert!(running.iter().all(|part| !over.contains(part)), "{over}");
    let chosen = links(&shown, "metric=applied");
    let other = at(t, &chosen[0]).await;
    assert!(other.contains("aria-label=\"Applied by day"), "{other}");
    assert!(
        other.contains("text-anchor=\"end\">9 May: 3 (before: 0)</text>"),
        "{other}"
    );
    // The table tells the same, where no chart is seen.
    assert!(
        other.contains("data-label=\"Figure\" class=\"number\">3</td>"),
        "{other}"
    );
    let rows = links(&shown, "/referrals?from=");
    let conversions = at(t, &rows[1]).await;
    for (name, is_there) in [
        ("three", true),
        ("four", true),
        ("five", false),
        ("one", false),
    ] {
        let friend = format!(">{name}-referee@example.com</a>");
        assert_eq!(conversions.contains(&friend), is_there, "{name}");
    }
    for place in links(&shown, "/referrals?from=") {
        at(t, &place).await;
    }
}

async fn clicks_lead_to_their_rows(t: &Bench) {
    let (code, _) = crate::links::open(t).await;
    for way in ["", "", "?s=qr"] {
        follow(t, &format!("/r/{code}{way}")).await.target();
    }
    for _ in 0..200 {
        let told = overview(t, "").await;
        if told["period"]["clicks"] == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shown = page(t, "").await;
    assert_eq!(tile(&shown, "Clicks").0, "3");
    let to = links(&shown, "/clicks?from=");
    let listed = at(t, &to[0]).await;
    for part in [
        "<strong>3</strong> on share links",
        ">ada</a>",
        ">QR code</td><td data-label=\"Clicks\" class=\"number\">1</td>",
        ">link</td><td data-label=\"Clicks\" class=\"number\">2</td>",
        "aria-current=\"page\">Codes</a>",
    ] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let file = &links(&listed, "exports/clicks?format=spreadsheet")[0];
    let file = t.key.get(file).await;
    let clicks = file
        .text
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next());
    let clicks = clicks.map(|cell| cell.and_then(|cell| cell.parse::<i64>().ok()));
    assert_eq!(clicks.sum::<Option<i64>>(), Some(3), "{file:?}");
    // Page by page the same.
    let first = at(t, &format!("{}&limit=1", to[0])).await;
    let second = at(t, &links(&first, "cursor=")[0]).await;
    assert!(first.contains(">QR code</td>") && !first.contains(">link</td>"));
    assert!(second.contains(">link</td>") && !second.contains(">QR code</td>"));
    let turned = path(t, "/clicks?from=2026-02-01&to=2026-01-01");
    let turned = look(&owner(t).await, &turned).send().await;
    assert_eq!(turned.status, 400);
    for part in ["value=\"2026-02-01\"", "role=\"alert\""] {
        assert!(turned.text.contains(part), "{part}: {turned:?}");
    }
    let before = page(t, "/clicks?from=2026-01-01&to=2026-01-31").await;
    assert!(before.contains("No link was followed in these days."));
}

async fn changes_of_the_program_are_marked(t: &Bench) {
    t.pending("one").await;
    t.advance(2 * DAY);
    t.program(2_000, 500).await;
    let shown = page(t, "?metric=applied").await;
    assert!(shown.contains("The program changed on "), "{shown}");
    assert!(shown.contains("1 Apr: 0 (before: 0). The program was changed."));
    assert_eq!(shown.matches("<svg class=\"mark\"").count(), 2, "{shown}");
    let changes = overview(t, "").await["changes"]
        .as_array()
        .expect("a list")
        .len();
    let (_, named) = shown
        .split_once("The program changed on ")
        .expect("changes");
    let named = named.split("</span>").next().unwrap_or_default();
    assert_eq!(links(named, "/program").len(), changes, "{named}");
}

async fn the_first_thing_to_do_stands_where_the_chart_will_be(t: &Bench) {
    let off = page(t, "").await;
    assert!(off.contains("/start#stripe\">Connect Stripe</a>"), "{off}");
    assert!(!off.contains("<svg class=\"chart\""), "{off}");
    assert!(
        off.contains("No conversion yet.") && off.contains("No code has brought anything yet.")
    );
    assert_eq!(
        tile(&off, "Converted"),
        ("0".to_owned(), "As before".to_owned())
    );
    t.connect().await;
    let connected = page(t, "").await;
    assert!(
        connected.contains("/start#event\">First event from Stripe</a>"),
        "{connected}"
    );
    // What is skipped there is skipped here.
    let cookie = format!("{}; billstack_skipped=event", t.owner.cookie);
    let skipping = CookieClient::new(t.owner.wire(), &cookie);
    let page = async || look(&skipping, &path(t, "")).send().await.text;
    let off = page().await;
    let program = "/start#program\">Switch the program on</a>";
    assert!(off.contains(program), "{off}");
    t.program(1_000, 500).await;
    assert!(
        page()
            .await
            .contains("/start#try\">A customer, a code, an apply</a>")
    );
    let ann = t.customer("ann").await;
    t.code(&ann).await;
    assert!(page().await.contains(">Share a code</a>"));
    t.pending("one").await;
    let shown = page().await;
    assert!(shown.contains("<svg class=\"chart\"") && !shown.contains(">Share a code</a>"));
}

async fn days_are_chosen_by_links_and_by_dates(t: &Bench) {
    some_history(t).await;
    let shown = page(t, "").await;
    assert!(
        shown.contains("aria-current=\"true\">30 days</a>"),
        "{shown}"
    );
    let week = links(&shown, "from=2026-05-03");
    let week = at(t, &week[0]).await;
    assert!(week.contains("aria-current=\"true\">7 days</a>"), "{week}");
    let dates = page(t, "?from=2026-03-30&to=2026-03-31&by=day&metric=applied").await;
    assert_eq!(tile(&dates, "Applied").0, "2");
    assert!(dates.contains("value=\"2026-03-31\"") && dates.contains(">Clear filters</a>"));
    assert!(dates.contains("30 Mar 2026") && dates.contains("The 2 days before"));
    assert!(links(&dates, "metric=clicks")[0].contains("from=2026-03-30&to=2026-03-31"));
    let api = overview(t, "?from=2026-03-30T00:00:00Z&to=2026-04-01T00:00:00Z").await;
    assert_eq!(api["period"]["applied"], 2);
}

async fn a_chart_of_years_goes_by_larger_steps(t: &Bench) {
    some_history(t).await;
    let long = page(t, "?from=2024-01-01&to=2026-05-31&by=day&metric=clicks").await;
    assert!(long.contains("aria-label=\"Clicks by month"), "{long}");
    assert!(long.contains("too many days for a chart"));
    let quarter = page(t, "?from=2026-03-01&to=2026-05-31&by=day&metric=applied").await;
    assert!(quarter.contains("aria-label=\"Applied by day"), "{quarter}");
    let usual = page(t, "?from=2026-03-01&to=2026-05-31&metric=applied").await;
    assert!(usual.contains("aria-label=\"Applied by week"), "{usual}");
    let weeks = page(t, "?from=2026-03-01&to=2026-05-31&by=week").await;
    assert!(weeks.contains("Week of 30 Mar: 1 "), "{weeks}");
}

async fn each_currency_is_a_figure(t: &Bench) {
    let eve = t.customer("eve").await;
    for (amount, currency) in [(1_000, "jpy"), (1_000, "kwd"), (123_456, "usd")] {
        let gift =
            json!({"customerId": eve, "amount": amount, "currency": currency, "reason": "x"});
        t.key.post("referrals/credits", gift).await.created();
    }
    let shown = page(t, "?metric=credited_kwd").await;
    for (title, figure) in [
        ("Credited in JPY", "1,000 JPY"),
        ("Credited in KWD", "1.000 KWD"),
        ("Credited in USD", "1,234.56 USD"),
    ] {
        assert_eq!(tile(&shown, title).0, figure);
    }
    assert!(shown.contains("30 Mar: 1.000 KWD"), "{shown}");
}

async fn a_code_stands_among_the_best_at_once(t: &Bench) {
    let (pair, _) = t.pending("ann").await;
    t.subscribe(&pair).await;
    let shown = page(t, "").await;
    assert!(
        !shown.contains("No code has brought anything yet."),
        "{shown}"
    );
    assert!(
        shown.contains(&format!("/codes/{}\"><code>", pair.code)),
        "{shown}"
    );
}

async fn nothing_of_a_name_is_markup(t: &Bench) {
    some_history(t).await;
    let canary = "\"><img src=x onerror=alert(1)>";
    let referrals = t.key.get("referrals?status=converted").await.ok();
    for referral in referrals["referrals"].as_array().expect("a list") {
        for side in ["refereeCustomerId", "referrerCustomerId"] {
            let id = text(&referral[side]);
            let body = json!({"name": canary});
            t.key.patch(&format!("customers/{id}"), body).await.ok();
        }
    }
    let shown = page(t, "").await;
    assert!(
        !shown.contains("<img src=x") && shown.contains("&lt;img src=x"),
        "{shown}"
    );
}

async fn viewers_read_all_of_it(t: &Bench) {
    some_history(t).await;
    let viewer = t.member(Role::Viewer).await;
    let seen = look(&viewer, &path(t, "")).send().await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert!(seen.text.contains("<svg class=\"chart\""));
    let stranger = t.tenant("stranger").await;
    let foreign = look(&stranger.owner, &path(t, "")).send().await;
    assert_eq!(foreign.status, 403);
}

async fn what_is_asked_for_wrongly_is_refused(t: &Bench) {
    for query in [
        "?metric=best",
        "?by=year",
        "?from=yesterday",
        "?from=2026-05-01&to=2026-04-01",
        "?from=2001-01-01&to=2026-04-01",
    ] {
        let answer = look(&t.owner, &path(t, query)).send().await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        assert!(answer.is_page(), "{query}");
        assert!(
            answer.text.contains("It is about <code>"),
            "{query}: {answer:?}"
        );
    }
    let empty = page(t, "?from=&to=&by=&metric=").await;
    assert!(empty.contains("<h1>home</h1>"));
}

async fn days_to_come_have_no_figures(t: &Bench) {
    t.program(1000, 500).await;
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    let ahead = page(t, "?from=2026-04-10&to=2026-04-20").await;
    assert!(ahead.contains("These days have not begun."), "{ahead}");
    assert!(
        !ahead.contains("<svg") && !ahead.contains("class=\"tile\""),
        "{ahead}"
    );
    // Of days of which some have begun, those are told.
    let both = page(t, "?from=2026-03-29&to=2026-04-20").await;
    assert!(both.contains("value=\"2026-03-30\""), "{both}");
    assert!(!both.contains("value=\"2026-04-20\""), "{both}");
    assert_eq!(tile(&both, "Converted").0, "1");
}
