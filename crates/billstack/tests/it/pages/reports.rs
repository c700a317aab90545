//! `…/reports` and `…/reports/{month}`.

use std::collections::BTreeSet;

use billstack::secrets::{new_token, token_hash};
use billstack_core::access::Role;
use billstack_core::time::DAY;
use billstack_store::sessions;
use billstack_store::upkeep::{self, Kind, Run};
use serde_json::json;

use super::{holds, look, path};
use crate::api::referrals::credits::delivery::stripe;
use crate::support::bench::{Bench, START};
use crate::support::client::{Caller, CookieClient};
use crate::support::fixture::text;

on_both_engines! {
    every_month_since_the_first_booking_is_listed,
    a_month_is_what_its_files_and_the_api_say,
    each_currency_stands_for_itself,
    a_month_says_whether_it_is_over,
    a_month_says_when_the_books_were_checked,
    viewers_read_and_strangers_do_not,
    figures_lead_to_their_rows with stripe,
    bookings_are_read_page_by_page,
    who_made_a_booking_is_told_by_name,
}

/// A page as the owner sees it, who signs in anew: months go by in these tests.
async fn page(t: &Bench, rest: &str) -> String {
    let (id, token) = (t.home.owner_id.clone(), new_token());
    let hash = token_hash(&token);
    t.write(move |tx, act| sessions::create(tx, act, &id, &hash, sessions::LIFETIME))
        .await;
    let name = t.owner.cookie.split('=').next().unwrap_or_default();
    let owner = CookieClient::new(t.owner.wire(), &format!("{name}={token}"));
    let answer = look(&owner, &path(t, rest)).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.text
}

/// The cells of a table, a row each.
fn cells(page: &str) -> Vec<Vec<String>> {
    let rows = page.split("<tr").filter(|row| row.contains("<td"));
    let rows = rows.map(|row| row.split("</tr>").next().unwrap_or_default());
    let text = |cell: &str| {
        let mut text = String::new();
        let mut is_tag = true;
        for letter in cell.chars() {
            match letter {
                '<' => is_tag = true,
                '>' => is_tag = false,
                _ if !is_tag => text.push(letter),
                _ => {}
            }
        }
        text
    };
    rows.map(|row| row.split("<td").skip(1).map(text).collect())
        .collect()
}

async fn gift(t: &Bench, amount: i64, currency: &str) -> String {
    let email = format!("{amount}{currency}@example.com");
    let eve = t.customer_with(json!({"email": email})).await;
    let gift =
        json!({"customerId": eve["id"], "amount": amount, "currency": currency, "reason": "x"});
    let made = t.key.post("referrals/credits", gift).await.created();
    made["credit"]["id"].as_str().expect("an id").to_owned()
}

/// Granted, applied, reversed and what else moves, what is owed at the end, and how many credits.
#[rustfmt::skip]
const MONTHS: [[&str; 7]; 4] = [
    ["June 2026", "5.00 USD", "0.00 USD", "3.00 USD", "0.00 USD", "12.00 USD", "1"],
    ["May 2026", "0.00 USD", "0.00 USD", "0.00 USD", "0.00 USD", "10.00 USD", "0"],
    ["April 2026", "0.00 USD", "0.00 USD", "0.00 USD", "0.00 USD", "10.00 USD", "0"],
    ["March 2026", "10.00 USD", "0.00 USD", "0.00 USD", "0.00 USD", "10.00 USD", "1"],
];

async fn every_month_since_the_first_booking_is_listed(t: &Bench) {
    assert!(
        page(t, "/reports")
            .await
            .contains("Nothing has been booked yet.")
    );
    let first = gift(t, 1_000, "usd").await;
    // To 8 June: April and May without a booking.
    t.advance(70 * DAY);
    gift(t, 500, "usd").await;
    let body = json!({"reason": "mistake", "amount": 300});
    t.key
        .post(&format!("referrals/credits/{first}/reverse"), body)
        .await
        .ok();
    t.advance(1_000_000);
    let shown = page(t, "/reports").await;
    assert_eq!(cells(&shown), MONTHS, "{shown}");
    assert!(shown.contains(&format!("href=\"{}\"", path(t, "/reports/2026-03"))));
    // The list, and each month by itself, tell the same.
    let listed = t.key.get("reports").await.ok();
    assert_eq!(listed.get("nextCursor"), None);
    for month in listed["reports"].as_array().expect("a list") {
        let name = month["month"].as_str().expect("a month");
        let one = t.key.get(&format!("reports/{name}")).await.ok();
        assert_eq!(&one["report"], month, "{name}");
    }
    // More than two years have a second page.
    t.advance(800 * DAY);
    let first = t.key.get("reports").await.ok();
    assert_eq!(first["reports"].as_array().expect("a list").len(), 24);
    assert_eq!(first["nextCursor"], "2026-09");
    let older = page(t, "/reports?cursor=2026-09").await;
    assert_eq!(cells(&older).len(), 6, "{older}");
    assert!(older.contains(">Newest</a>") && !older.contains(">Older</a>"));
    assert!(page(t, "/reports").await.contains("cursor=2026-09"));
    t.key.get("reports?cursor=x").await.invalid("cursor");
}

async fn a_month_is_what_its_files_and_the_api_say(t: &Bench) {
    let (pair, _) = t.pending("ann").await;
    t.subscribe(&pair).await;
    let spent = gift(t, 123_456, "usd").await;
    let body = json!({"reason": "cash", "amount": 456});
    t.key
        .post(&format!("referrals/credits/{spent}/settle"), body)
        .await
        .ok();
    t.advance(1_000_000);
    let shown = page(t, "/reports/2026-03").await;
    let told = t.key.get("reports/2026-03").await.ok();
    let api = &told["report"]["currencies"][0];
    assert_eq!(
        (
            &api["granted"],
            &api["settled"],
            &api["closing"],
            &api["credits"]
        ),
        (&json!(124_956), &json!(456), &json!(124_500), &json!(3))
    );
    let rows = [
        ["Owed at the beginning", "0.00 USD"],
        ["Granted", "1,249.56 USD"],
        ["Applied to invoices", "0.00 USD"],
        ["Reversed", "0.00 USD"],
        ["Paid by other ways", "-4.56 USD"],
        ["Owed at the end", "1,245.00 USD"],
        ["Credits granted", "3"],
    ];
    assert_eq!(cells(&shown), rows, "{shown}");
    let links = shown
        .split("href=\"")
        .skip(1)
        .filter_map(|link| link.split('"').next());
    let links: Vec<String> = links.map(|link| link.replace("&amp;", "&")).collect();
    let file = |part: &str| {
        links
            .iter()
            .find(|link| link.contains(part))
            .expect("a file")
    };
    let key = async |link: &String| t.key.get(link).await;
    let postings = key(file("postings?format=spreadsheet")).await;
    let name = "attachment; filename=\"postings-home-2026-03-01_2026-03-31-utc.csv\"";
    assert_eq!(postings.header("content-disposition"), Some(name));
    let mut lines = postings.text.trim_start_matches('\u{feff}').lines();
    let names: Vec<&str> = lines.next().expect("names").split(',').collect();
    let column = |name: &str| {
        names
            .iter()
            .position(|other| *other == name)
            .expect("a column")
    };
    let of_program = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let granted: i64 = of_program
        .filter(|cells| cells[column("account")] == "program")
        .map(|cells| cells[column("amount")].parse::<i64>().expect("a number"))
        .sum();
    assert_eq!(granted, -124_956);
    for part in [
        "postings?format=ndjson",
        "credits?format=spreadsheet",
        "roll-forward?format=spreadsheet",
    ] {
        let answer = key(file(part)).await;
        assert_eq!(answer.status, 200, "{part}: {answer:?}");
    }
}

async fn each_currency_stands_for_itself(t: &Bench) {
    for (amount, currency) in [(1_000, "jpy"), (1_000, "kwd"), (123_456, "usd")] {
        gift(t, amount, currency).await;
    }
    let shown = page(t, "/reports/2026-03").await;
    for text in ["1,000 JPY", "1.000 KWD", "1,234.56 USD"] {
        assert_eq!(
            shown.matches(&format!(">{text}</span>")).count(),
            2,
            "{text}: {shown}"
        );
    }
    let listed = page(t, "/reports").await;
    assert_eq!(cells(&listed).len(), 3, "{listed}");
}

async fn a_month_says_whether_it_is_over(t: &Bench) {
    gift(t, 1_000, "usd").await;
    assert!(
        page(t, "/reports/2026-03")
            .await
            .contains("The month still runs")
    );
    let ahead = look(&t.owner, &path(t, "/reports/2026-04")).send().await;
    assert_eq!(ahead.status, 400);
    holds(
        &ahead,
        &[
            "<h1>April 2026</h1>",
            "This month has not begun yet: it begins on <time datetime=\"2026-04-01\">1 Apr 2026</time>",
            "/reports\">All months</a>",
        ],
    );
    assert!(!ahead.text.contains("0.00 USD"), "{ahead:?}");
    t.advance(3 * DAY);
    let over = page(t, "/reports/2026-03").await;
    assert!(over.contains("The month is over") && over.contains(">April 2026</a>"));
    assert!(over.contains("1 Mar 2026") && over.contains("31 Mar 2026") && over.contains("UTC"));
    let viewer = t.member(Role::Viewer).await;
    for month in ["2026-13", "1969-12", "x", "2026-3"] {
        let rest = format!("/reports/{month}");
        let answer = look(&viewer, &path(t, &rest)).send().await;
        assert_eq!(answer.status, 404, "{month}");
    }
}

/// Where the links of a page lead that hold all of this.
fn links(page: &str, parts: &[&str]) -> Vec<String> {
    let links = page.split("href=\"").skip(1);
    let links = links.filter_map(|link| link.split('"').next());
    let links = links.map(|link| link.replace("&amp;", "&"));
    links
        .filter(|link| parts.iter().all(|part| link.contains(part)))
        .collect()
}

/// The minor units of an amount as it is shown.
fn units(shown: &str) -> i64 {
    let digits: String = shown
        .chars()
        .filter(|sign| sign.is_ascii_digit() || *sign == '-')
        .collect();
    digits.parse().unwrap_or_else(|_| panic!("{shown}"))
}

async fn back(t: &Bench, credit: &str, amount: i64) {
    let body = json!({"reason": "mistake", "amount": amount});
    t.key
        .post(&format!("referrals/credits/{credit}/reverse"), body)
        .await
        .ok();
}

async fn figures_lead_to_their_rows(t: &Bench) {
    let (taken, spent) = (gift(t, 700, "usd").await, gift(t, 500, "usd").await);
    let yen = gift(t, 1_000, "jpy").await;
    for amount in [300, 100] {
        back(t, &taken, amount).await;
    }
    back(t, &yen, 50).await;
    let body = json!({"reason": "cash", "amount": 456});
    t.key
        .post(&format!("referrals/credits/{spent}/settle"), body)
        .await
        .ok();
    t.delivering(json!({})).await;
    let customer = t.payer("a", "cus_a").await;
    let used = t.give(&customer, 1_000).await;
    t.delivery(&used, "delivered").await;
    t.bill("cus_a", 300);
    t.hear().await;
    t.stands(&used, json!({"applied": 300, "delivered": 700}))
        .await;
    t.advance(1_000_000);
    let months = t.key.get("reports").await.ok();
    let of_month = &months["reports"][0];
    let currencies = of_month["currencies"].as_array().expect("a list");
    let told = currencies.iter().find(|one| one["currency"] == "usd");
    let told = told.expect("dollars");
    let month = of_month["month"].as_str().expect("a month");
    let shown = page(t, &format!("/reports/{month}")).await;
    for (figure, expected, rows) in [
        ("granted", 2_200, 3),
        ("applied", 300, 1),
        ("reversed", 400, 2),
        ("settled", 456, 1),
    ] {
        assert_eq!(told[figure], expected, "{figure}");
        let named = format!("figure={figure}");
        let parts = ["/reports/bookings?", named.as_str(), "currency=usd"];
        let to = links(&shown, &parts);
        assert_eq!(to.len(), 1, "{figure}: {shown}");
        let listed = look(&t.owner, &to[0]).send().await;
        let amounts = cells(&listed.text);
        let amounts: Vec<i64> = amounts.iter().map(|row| units(&row[3])).collect();
        assert_eq!(amounts.len(), rows, "{figure}: {listed:?}");
        assert_eq!(amounts.iter().sum::<i64>(), expected, "{figure}");
        let in_all = format!(
            "{}.{:02} USD</span></strong>",
            expected / 100,
            expected % 100
        );
        assert!(listed.text.contains(&in_all), "{in_all}: {listed:?}");
        let file = links(
            &listed.text,
            &["exports/postings?format=spreadsheet", &named],
        );
        let file = t.key.get(&file[0]).await;
        let lines: Vec<&str> = file.text.lines().skip(1).collect();
        let in_file = lines.iter().map(|line| line.split(',').nth(5));
        let in_file = in_file.map(|cell| units(cell.expect("an amount")));
        assert_eq!(in_file.sum::<i64>(), expected, "{figure}: {file:?}");
    }
    // Their number leads to the credits themselves.
    let granted = links(&shown, &["/credits?", "currency=usd", "from=", "to="]);
    let credits = look(&t.owner, &granted[0]).send().await;
    let amounts = cells(&credits.text);
    let amounts: Vec<i64> = amounts.iter().map(|row| units(&row[1])).collect();
    assert_eq!(
        (amounts.len(), amounts.iter().sum::<i64>()),
        (3, told["granted"].as_i64().expect("a sum"))
    );
    assert_eq!(told["credits"], 3);
}

async fn bookings_are_read_page_by_page(t: &Bench) {
    assert!(
        page(t, "/reports/bookings")
            .await
            .contains("Nothing has been booked yet.")
    );
    let gifts = [gift(t, 700, "usd").await, gift(t, 800, "jpy").await];
    for amount in [1, 2, 3] {
        for credit in &gifts {
            back(t, credit, amount).await;
        }
    }
    let all = page(t, "/reports/bookings").await;
    assert_eq!(cells(&all).len(), 8, "{all}");
    // Whoever hears an amount hears it as it is seen.
    assert!(
        all.contains("aria-label=\"7.00 USD, the credit of "),
        "{all}"
    );
    let filter = "/reports/bookings?figure=reversed&currency=usd";
    let mut at = path(t, &format!("{filter}&limit=1"));
    let mut seen = Vec::new();
    for number in 1.. {
        let shown = look(&t.owner, &at).send().await;
        let rows = cells(&shown.text);
        seen.extend(rows.iter().map(|row| row[3].clone()));
        assert_eq!(shown.text.contains(">Earlier</a>"), number > 1);
        let (_, on) = match shown.text.split_once("rel=\"next\">Later</a>") {
            Some((before, _)) => before.rsplit_once("href=\"").expect("a link"),
            None => break,
        };
        at = on
            .split('"')
            .next()
            .unwrap_or_default()
            .replace("&amp;", "&");
        at.push_str("&limit=1");
    }
    assert_eq!(seen, ["0.01 USD", "0.02 USD", "0.03 USD"]);
    let wrong = look(&t.owner, &path(t, "/reports/bookings?figure=won"));
    let wrong = wrong.send().await;
    assert!(
        wrong.status == 400 && wrong.text.contains("role=\"alert\""),
        "{wrong:?}"
    );
    let turned = path(
        t,
        "/reports/bookings?figure=settled&from=2026-12-01&to=2026-11-01",
    );
    let turned = look(&t.owner, &turned).send().await;
    assert_eq!(turned.status, 400);
    // What was chosen stays chosen.
    for part in [
        "value=\"settled\" selected",
        "value=\"2026-12-01\"",
        "role=\"alert\"",
    ] {
        assert!(turned.text.contains(part), "{part}: {turned:?}");
    }
    let none = page(t, "/reports/bookings?figure=settled").await;
    assert!(
        none.contains("No booking matches the filters.")
            && none.contains(">0.00 USD</span></strong>")
    );
    let key = t.key.get("referrals/exports/postings?currency=jpy").await;
    assert_eq!(key.text.lines().count(), 9, "{key:?}");
    t.key
        .get("referrals/exports/postings?figure=owed")
        .await
        .invalid("figure");
}

async fn who_made_a_booking_is_told_by_name(t: &Bench) {
    let (pair, _) = t.pending("ann").await;
    let event = t.created(&pair.stripe);
    t.accept(&event).await;
    let event = text(&event["id"]);
    let credit = gift(t, 700, "usd").await;
    let body = json!({"amount": 100, "reason": "x"});
    let reverse = format!("referrals/credits/{credit}/reverse");
    t.owner.post(&reverse, body).await.ok();
    let by = |page: &str| {
        let rows = cells(page).into_iter();
        let mut by: Vec<_> = rows.map(|row| row[4].clone()).collect();
        by.sort();
        by.dedup();
        by
    };
    let shown = page(t, "/reports/bookings").await;
    let of_event = format!("Stripe's event, event {event}");
    assert_eq!(by(&shown), ["Owner of home", &*of_event, "everything"]);
    for part in [
        &format!("<a href=\"/go/{event}\">Stripe's event<"),
        &format!("<a href=\"/go/{}\">Owner of home</a>", t.home.owner_id),
        "\">everything</a>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let viewer = t.member(Role::Viewer).await;
    let bookings = path(t, "/reports/bookings");
    let seen = look(&viewer, &bookings).send().await.text;
    let words = ["Stripe's event", "an API key", "somebody of the team"];
    assert_eq!(by(&seen), words);
    assert!(
        !seen.contains("usr_") && !seen.contains("key_") && !seen.contains("evt_"),
        "{seen}"
    );
    // So does the file for people; the one for programs has the ids.
    let file = "referrals/exports/postings";
    let for_people = format!("{file}?format=spreadsheet");
    let told = t.owner.get(&for_people).await.text;
    let last = told.lines().skip(1).map(|line| line.rsplit(',').next());
    let last: BTreeSet<_> = last.flatten().collect();
    let names = ["Owner of home", "Stripe's event", "everything"];
    assert_eq!(last, names.into(), "{told}");
    let told = viewer.get(&for_people).await.text;
    assert!(
        told.contains(",somebody of the team\r") && !told.contains(",Owner of home\r"),
        "{told}"
    );
    let ids = t.key.get(file).await.text;
    let own = format!(",user,user:{},", t.home.owner_id);
    assert!(ids.contains(&own) && ids.contains(&format!(",event,{event},")));
    assert!(!ids.contains("everything"), "{ids}");
}

async fn viewers_read_and_strangers_do_not(t: &Bench) {
    gift(t, 1_000, "usd").await;
    let viewer = t.member(Role::Viewer).await;
    let stranger = t.tenant("stranger").await;
    for rest in ["/reports", "/reports/2026-03", "/reports/bookings"] {
        let seen = look(&viewer, &path(t, rest)).send().await;
        assert!(
            seen.status == 200 && seen.text.contains("10.00 USD"),
            "{seen:?}"
        );
        let foreign = look(&stranger.owner, &path(t, rest)).send().await;
        assert_eq!(foreign.status, 403, "{rest}");
    }
}

async fn a_month_says_when_the_books_were_checked(t: &Bench) {
    let answer = t.key.get("reports/2026-03").await.ok();
    assert_eq!(answer["lastVerify"], json!(null));
    assert!(
        page(t, "/reports/2026-03")
            .await
            .contains("never; <code>billstack verify</code>")
    );
    let run = Run {
        began_at: START,
        ended_at: START,
        result: 1,
        version: "0.1.0".to_owned(),
    };
    t.write(move |tx, _| Ok(upkeep::note(tx, Kind::Verify, &run)?))
        .await;
    let answer = t.key.get("reports/2026-03").await.ok();
    assert_eq!(answer["lastVerify"]["brokenRules"], 1);
    let page = page(t, "/reports/2026-03").await;
    assert!(
        page.contains(
            "30 Mar 2026, 12:00 UTC</time>, <span class=\"state off\">1 rule broken</span>"
        ),
        "{page}"
    );
}
