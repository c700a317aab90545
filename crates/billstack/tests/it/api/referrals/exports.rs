//! Files of lists: `GET …/referrals/exports/referrals`, `/codes` and `/credits`.

use billstack_core::access::Scope;
use billstack_core::time::HOUR;
use serde_json::{Value, json};

use crate::support::bench::Bench;
use crate::support::client::{Answer, Caller};
use crate::support::fixture::{pluck, text};

on_both_engines! {
    a_file_has_the_rows_of_its_list,
    a_file_has_the_credits_of_its_list,
    a_file_is_named_for_what_is_in_it,
    money_is_told_in_whole_units_too,
    parts_and_sums_are_told_in_whole_units_too,
    people_are_called_by_their_names,
    filters_are_read_as_in_the_list,
    a_clock_that_is_ahead_hides_nothing,
}

/// The rows of a file, each as its texts by the names of the columns.
fn rows(answer: &Answer) -> Vec<Value> {
    let lines = answer.text.strip_prefix('\u{feff}').unwrap_or(&answer.text);
    let mut lines = lines.split("\r\n").filter(|line| !line.is_empty());
    let names: Vec<&str> = lines.next().expect("names").split(',').collect();
    let row = |line: &str| {
        let cells = names.iter().zip(line.split(','));
        let named = cells.map(|(name, cell)| ((*name).to_owned(), json!(cell)));
        Value::Object(named.collect())
    };
    lines.map(row).collect()
}

async fn file(t: &Bench, path: &str) -> Answer {
    let answer = t.key.get(&format!("referrals/exports/{path}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

async fn a_file_has_the_rows_of_its_list(t: &Bench) {
    let (one, _) = t.pending("one").await;
    t.advance(2 * HOUR);
    let (two, _) = t.pending("two").await;
    t.subscribe(&two).await;
    let lists = [
        (
            "referrals",
            "id",
            vec![
                String::new(),
                "status=pending".to_owned(),
                format!("customerId={}", one.referee),
                format!("code={}", two.code.to_lowercase()),
                "from=2026-03-30T13:00:00Z".to_owned(),
                "source=click".to_owned(),
            ],
        ),
        (
            "codes",
            "code",
            vec![
                String::new(),
                format!("customerId={}", one.referrer),
                "to=2026-03-30T13:00:00Z".to_owned(),
                "activeOnly=false".to_owned(),
            ],
        ),
    ];
    for (list, key, queries) in lists {
        for query in queries {
            let path = match list {
                "referrals" => format!("referrals?{query}"),
                _ => format!("referrals/codes?{query}"),
            };
            let listed = t.key.get(&path).await.ok();
            let plain = file(t, &format!("{list}?{query}")).await;
            let answer = file(t, &format!("{list}?format=spreadsheet&{query}")).await;
            if list == "codes" {
                let marked = format!("\u{feff}{}", plain.text);
                assert_eq!(answer.text, marked, "{query}");
            }
            assert!(answer.text.starts_with('\u{feff}') && !plain.text.starts_with('\u{feff}'));
            assert_eq!(
                answer.header("content-type"),
                Some("text/csv; charset=utf-8")
            );
            let in_file: Vec<String> = rows(&answer).iter().map(|row| text(&row[key])).collect();
            assert_eq!(in_file, pluck(&listed[list], key), "{list}: {query}");
        }
    }
}

async fn a_file_has_the_credits_of_its_list(t: &Bench) {
    let (two, _) = t.pending("two").await;
    t.subscribe(&two).await;
    t.advance(HOUR);
    let credits = file(
        t,
        &format!("credits?side=referee&customerId={}", two.referee),
    )
    .await;
    let sides: Vec<String> = rows(&credits)
        .iter()
        .map(|row| text(&row["side"]))
        .collect();
    assert_eq!(sides, ["referee"]);
    assert_eq!(
        rows(&file(t, "credits?status=reversed").await),
        Vec::<Value>::new()
    );
    let lines = file(t, "codes?format=ndjson").await;
    let first: Value =
        serde_json::from_str(lines.text.lines().next().expect("a line")).expect("JSON");
    assert_eq!(
        (&first["code"], &first["converted"]),
        (&json!(two.code), &json!(1))
    );
}

async fn a_file_is_named_for_what_is_in_it(t: &Bench) {
    for (path, name) in [
        ("referrals", "referrals-home-all-utc.csv"),
        (
            "codes?from=2026-03-01T00:00:00Z&to=2026-04-01T00:00:00Z",
            "codes-home-2026-03-01_2026-03-31-utc.csv",
        ),
        (
            "referrals?to=2026-04-01T00:00:00Z&format=ndjson",
            "referrals-home-to-2026-03-31-utc.ndjson",
        ),
        (
            "credits?from=2026-03-30T09:00:00Z&format=spreadsheet",
            "credits-home-from-2026-03-30-utc.csv",
        ),
        ("postings", "postings-home-all-utc.csv"),
        ("roll-forward", "roll-forward-home-all-utc.csv"),
    ] {
        let answer = file(t, path).await;
        let expected = format!("attachment; filename=\"{name}\"");
        assert_eq!(
            answer.header("content-disposition"),
            Some(expected.as_str())
        );
    }
}

async fn money_is_told_in_whole_units_too(t: &Bench) {
    let ada = t.customer("ada").await;
    for (amount, currency) in [(1_000, "jpy"), (1_000, "kwd"), (123_456, "usd")] {
        let body =
            json!({"customerId": ada, "amount": amount, "currency": currency, "reason": "thanks"});
        t.key.post("referrals/credits", body).await.created();
    }
    t.advance(HOUR);
    let told: Vec<(String, String, String)> = rows(&file(t, "credits?format=spreadsheet").await)
        .iter()
        .map(|row| {
            (
                text(&row["currency"]),
                text(&row["amount"]),
                text(&row["amountDecimal"]),
            )
        })
        .collect();
    let expected = [
        ("jpy", "1000", "1000"),
        ("kwd", "1000", "1.000"),
        ("usd", "123456", "1234.56"),
    ];
    // The order is that of the list.
    let expected: Vec<_> = expected
        .map(|(currency, amount, decimal)| {
            (currency.to_owned(), amount.to_owned(), decimal.to_owned())
        })
        .into_iter()
        .rev()
        .collect();
    assert_eq!(told, expected);
    // So is each of its parts, and what is owed by side.
    let all = rows(&file(t, "credits?format=spreadsheet").await);
    assert_eq!(all[0]["availableDecimal"], "1234.56", "{all:?}");
    assert_eq!(all[2]["reversedDecimal"], "0", "{all:?}");
    let owed = rows(&file(t, "roll-forward?format=spreadsheet").await);
    let closing = owed
        .iter()
        .map(|row| [&row["currency"], &row["closing"], &row["closingDecimal"]].map(text));
    let expected = [
        ["jpy", "1000", "1000"],
        ["kwd", "1000", "1.000"],
        ["usd", "123456", "1234.56"],
    ];
    assert_eq!(closing.collect::<Vec<_>>(), expected);
    let plain = file(t, "roll-forward").await;
    assert!(plain.text.starts_with("currency,side,") && !plain.text.contains("Decimal"));
    // Who reads it by a program gets the columns that were there before.
    let plain = file(t, "credits").await;
    assert!(plain.text.starts_with("id,kind,") && !plain.text.contains("amountDecimal"));
    let booked = rows(&file(t, "postings?format=spreadsheet").await);
    let of_dinars: Vec<_> = booked
        .iter()
        .filter(|row| row["currency"] == "kwd")
        .collect();
    let mut told: Vec<_> = of_dinars
        .iter()
        .map(|row| text(&row["amountDecimal"]))
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["-1.000", "1.000"]);
    let pair = t.pending("a").await;
    let referrals = rows(&file(t, "referrals").await);
    assert_eq!(referrals[0]["id"], pair.1.as_str());
    assert_eq!(
        (
            &referrals[0]["referrerCreditDecimal"],
            &referrals[0]["referrerCreditAmount"]
        ),
        (&json!("10.00"), &json!("1000"))
    );
}

async fn parts_and_sums_are_told_in_whole_units_too(t: &Bench) {
    let ada = t.customer("ada").await;
    let body = json!({"customerId": ada, "amount": 123_456, "currency": "usd", "reason": "thanks"});
    t.key.post("referrals/credits", body).await.created();
    t.advance(HOUR);
    let parts = rows(&file(t, "credits?format=spreadsheet&currency=usd").await);
    assert_eq!(
        (&parts[0]["available"], &parts[0]["availableDecimal"]),
        (&json!("123456"), &json!("1234.56"))
    );
    let month = rows(&file(t, "roll-forward?format=spreadsheet").await);
    let dollars = month.iter().find(|row| row["currency"] == "usd");
    let dollars = dollars.expect("a row");
    for (sum, decimal) in [
        ("opening", "0.00"),
        ("granted", "1234.56"),
        ("closing", "1234.56"),
        ("unexplained", "0.00"),
    ] {
        assert_eq!(dollars[&format!("{sum}Decimal")], decimal, "{dollars}");
    }
    let plain = file(t, "roll-forward").await;
    assert!(!plain.text.contains("Decimal"), "{plain:?}");
}

async fn people_are_called_by_their_names(t: &Bench) {
    let (pair, referral) = t.pending("one").await;
    let named = json!({"name": "=Grace, the \"friend\""});
    t.key
        .patch(&format!("customers/{}", pair.referee), named)
        .await
        .ok();
    t.subscribe(&pair).await;
    t.advance(HOUR);
    let (_, second) = t.pending("two").await;
    let answer = file(t, "referrals?format=spreadsheet").await;
    assert!(
        answer.text.contains(&format!(
            "{},\"'=Grace, the \"\"friend\"\"\",one-referee@example.com",
            pair.referee
        )),
        "{answer:?}"
    );
    let told = rows(&answer);
    assert_eq!(told[0]["id"], second.as_str());
    assert_eq!(told[1]["id"], referral.as_str());
    assert_eq!(
        (&told[0]["referrerEmail"], &told[0]["refereeEmail"]),
        (
            &json!("two-referrer@example.com"),
            &json!("two-referee@example.com")
        )
    );
    let credits = rows(&file(t, "credits?format=spreadsheet&side=referee").await);
    assert_eq!(credits[0]["customer"], pair.referee.as_str());
    let whole = file(t, "credits?format=spreadsheet").await;
    assert!(
        whole.text.contains("one-referrer@example.com\r\n"),
        "{whole:?}"
    );
    let listed = t.key.get("referrals/credits").await.ok();
    let in_file: Vec<String> = rows(&whole).iter().map(|row| text(&row["id"])).collect();
    assert_eq!(in_file, pluck(&listed["credits"], "id"));
    // Programs get what they got.
    for list in ["referrals", "credits"] {
        let plain = file(t, list).await;
        assert!(!plain.text.contains("@example.com") && !plain.text.contains("Name"));
    }
    // A key that reads no customers learns no names by this way.
    let (_, key) = t
        .key(Some(&t.home.project), &[Scope::ReferralsRead], None)
        .await;
    for list in ["referrals", "credits"] {
        let path = format!("referrals/exports/{list}?format=spreadsheet");
        let answer = key.get(&path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.text.contains("@example.com"), "{answer:?}");
    }
    let customer = format!("customers/{}", pair.referee);
    t.key.delete(&customer).await.ok();
    let erased = file(t, "referrals?format=spreadsheet").await;
    assert!(
        erased.text.contains(&format!("{},,,", pair.referee)),
        "{erased:?}"
    );
}

async fn filters_are_read_as_in_the_list(t: &Bench) {
    for (path, field) in [
        ("referrals?status=Pending", "status"),
        ("referrals?format=xlsx", "format"),
        ("codes?sort=best", "sort"),
        ("codes?sort=clicks&from=2026-03-30T00:00:00Z", "sort"),
        ("credits?delivery=lost", "delivery"),
    ] {
        let answer = t.key.get(&format!("referrals/exports/{path}")).await;
        answer.invalid(field);
    }
}

async fn a_clock_that_is_ahead_hides_nothing(t: &Bench) {
    let body = json!({"name": "Trial", "mode": "test"});
    let answer = t.owner.post(&t.home.path("projects"), body).await.created();
    let project = text(&answer["project"]["id"]);
    let key = t.key.over(&t.key.wire().within(&t.home.team, &project));
    let to = json!({"to": "2026-05-01T00:00:00Z"});
    key.post("test-clock/advance", to).await.ok();
    let body = json!({"email": "eve@example.com"});
    let customer = key.post("customers", body).await.created();
    let gift = json!({
        "customerId": customer["customer"]["id"], "amount": 5, "currency": "usd", "reason": "x",
    });
    key.post("referrals/credits", gift).await.created();
    for (path, lines) in [("credits", 2), ("postings", 3)] {
        let answer = key.get(&format!("referrals/exports/{path}")).await;
        assert_eq!(answer.text.lines().count(), lines, "{path}: {answer:?}");
    }
}
