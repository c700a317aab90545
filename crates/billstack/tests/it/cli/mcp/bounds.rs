//! What a tool tells has bounds, in size and in time, and says so where it meets one.

use billstack_core::time::{DAY, Micros};
use serde_json::{Value, json};

use super::Talk;
use crate::support::bench::Bench;
use crate::support::client::Caller;
use crate::support::fixture::text;

on_both_engines! {
    an_answer_is_told_once_where_it_is_long,
    a_long_time_is_told_in_longer_steps,
    what_will_be_owed_is_not_told,
    a_page_without_events_of_the_project_is_not_the_end,
    one_is_one_and_not_several,
    the_times_of_a_story_are_times,
}

fn talk(t: &Bench) -> Talk {
    Talk::new(t, &t.key.key, &[])
}

fn said(result: &Value) -> String {
    text(&result["content"][0]["text"])
}

async fn an_answer_is_told_once_where_it_is_long(t: &Bench) {
    for number in 0..40 {
        t.pending(&format!("p{number}")).await;
    }
    let mut talk = talk(t);
    let long = talk.call("list_referrals", json!({"limit": 100}));
    assert_eq!(
        long["structuredContent"]["referrals"]
            .as_array()
            .map(Vec::len),
        Some(40)
    );
    let again = text(&long["content"][1]["text"]);
    assert!(again.len() < 500 && again.contains("`limit`"), "{again}");
    let short = talk.call("list_referrals", json!({"limit": 2}));
    let again = text(&short["content"][1]["text"]);
    assert!(again.starts_with('{'), "{again}");
}

async fn a_long_time_is_told_in_longer_steps(t: &Bench) {
    let mut talk = talk(t);
    for (from, to, asked, by, most) in [
        (
            "2025-01-01T00:00:00Z",
            "2025-03-31T00:00:00Z",
            None,
            "day",
            100,
        ),
        (
            "2025-01-01T00:00:00Z",
            "2025-08-01T00:00:00Z",
            None,
            "week",
            100,
        ),
        (
            "2023-01-01T00:00:00Z",
            "2025-12-31T00:00:00Z",
            None,
            "month",
            100,
        ),
        (
            "2023-01-01T00:00:00Z",
            "2025-12-31T00:00:00Z",
            Some("week"),
            "week",
            160,
        ),
    ] {
        let mut arguments = json!({"from": from, "to": to});
        if let Some(asked) = asked {
            arguments["by"] = asked.into();
        }
        let told = talk.ok("program_performance", arguments);
        assert_eq!(told["overview"]["by"], by, "{from}");
        let steps = told["overview"]["series"].as_array().expect("a list").len();
        assert!(steps <= most, "{from}: {steps}");
    }
    let by_day = json!({"from": "2025-01-01T00:00:00Z", "to": "2025-08-01T00:00:00Z", "by": "day"});
    let error = talk.refused("program_performance", by_day, "invalid_argument");
    assert_eq!(error["field"], "by");
}

async fn what_will_be_owed_is_not_told(t: &Bench) {
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    let mut talk = talk(t);
    let now = text(&talk.ok("what_is_owed", json!({}))["at"]);
    let told = talk.ok("what_is_owed", json!({"at": now}));
    assert_eq!(told["liability"][0]["open"], 500);
    let later = Micros::from_rfc3339(&now).expect("a time").plus(400 * DAY);
    let later = billstack::clock::rfc3339(later.0);
    let error = talk.refused("what_is_owed", json!({"at": later}), "invalid_argument");
    assert_eq!(error["field"], "at");
    let message = text(&error["message"]);
    assert!(
        message.contains("not come yet") && message.contains(&now[..10]),
        "{message}"
    );
}

/// The team has more events of another project than are looked through at once.
async fn a_page_without_events_of_the_project_is_not_the_end(t: &Bench) {
    let (other, _) = t.project("other").await;
    for number in 0..12 {
        let (pair, _) = t.pending(&format!("p{number}")).await;
        t.subscribe(&pair).await;
    }
    let mut talk = talk(t);
    let first = talk.call("stripe_events", json!({"project": other, "limit": 1}));
    assert_eq!(first["structuredContent"]["events"], json!([]));
    let next = first["structuredContent"]["nextCursor"].clone();
    assert!(next.is_string(), "{first}");
    assert!(said(&first).contains("There may be more"), "{first}");
    let rest = json!({"project": other, "limit": 1, "cursor": next});
    let rest = talk.call("stripe_events", rest);
    assert_eq!(
        rest["structuredContent"]["nextCursor"],
        Value::Null,
        "{rest}"
    );
    assert!(
        said(&rest).contains("No event of Stripe is like that"),
        "{rest}"
    );
    let home = json!({"project": t.home.project, "limit": 1});
    assert_eq!(
        talk.ok("stripe_events", home)["events"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

async fn one_is_one_and_not_several(t: &Bench) {
    let mut talk = talk(t);
    let (pair, _) = t.pending("a").await;
    t.subscribe(&pair).await;
    for (tool, arguments, wanted) in [
        ("list_codes", json!({}), "1 code."),
        ("list_referrals", json!({}), "1 referral."),
        ("list_credits", json!({}), "2 credits."),
        (
            "list_referrals",
            json!({"status": "expired"}),
            "0 referrals.",
        ),
        ("month_report", json!({}), "1 month."),
        (
            "customer",
            json!({"customerId": pair.referrer}),
            "brought 1 referral.",
        ),
        (
            "program_performance",
            json!({}),
            "0 clicks, 1 code applied, 1 converted.",
        ),
    ] {
        let said = said(&talk.call(tool, arguments));
        assert!(said.contains(wanted), "{tool}: {said}");
    }
}

async fn the_times_of_a_story_are_times(t: &Bench) {
    let program = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "holdDays": 30,
    });
    t.key.put("referrals/config", program).await.ok();
    let (pair, referral) = t.pending("a").await;
    t.subscribe(&pair).await;
    let story = talk(t).ok("explain_referral", json!({"referralId": referral}));
    let credit = &story["credits"][0];
    let granted = story["events"].as_array().expect("a list").iter();
    let mut granted = granted.filter(|event| event["type"] == "credit.granted");
    let until = granted.next().expect("a credit")["facts"]["heldUntil"].clone();
    assert_eq!(until, credit["heldUntil"]);
    assert!(until.is_string(), "{until}");
}
