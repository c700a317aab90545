//! What is owed, how the program does, and months.

use billstack_core::time::Micros;
use serde_json::{Value, json};

use super::{Effect, Place, Tool};
use crate::cli::mcp::args::{Kind, may};
use crate::cli::mcp::call::{Call, Told, counted};
use crate::cli::mcp::money;
use crate::cli::mcp::trouble::Trouble;
use crate::clock::Clock;

/// The most steps of a series that nobody has asked for, and of one by day.
const MOST_STEPS: usize = 100;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "what_is_owed",
        title: "What is owed to customers",
        description: "What is owed in credits at a time, by currency and side: what is held, available and delivered, which is \
            `open` together, and what was applied to invoices, settled, taken back, or could not be taken back. `ages` says how \
            old the open part is, in days. In the smallest unit of each currency; never add up over currencies.",
        params: &[may(
            "at",
            Kind::Time,
            "At this time (RFC 3339), which has come; now when left out.",
        )],
        scopes: &["referrals:read"],
        place: Place::Project,
        effect: Effect::Reads,
        run: |call| Box::pin(owed(call)),
    },
    Tool {
        name: "program_performance",
        title: "How the program does",
        description: "Clicks, applied codes, conversions, the share of those who applied that has converted by now (`rate`) and \
            what was credited, in a time and in the time of the same length before it (`before`), as a series by day, week or month; the days on which the program was \
            changed; and the terms that are in force now (`config`). Of the last 30 days when no time is given.",
        params: &[
            may(
                "from",
                Kind::Time,
                "From the day of this time on (RFC 3339).",
            ),
            may(
                "to",
                Kind::Time,
                "Up to this time, not including it (RFC 3339).",
            ),
            may(
                "by",
                Kind::OneOf(&["day", "week", "month"]),
                "By what the series goes, by day for 100 days at most; when left out, the shortest of them that makes no more \
                 than 100 steps.",
            ),
        ],
        scopes: &["referrals:read"],
        place: Place::Project,
        effect: Effect::Reads,
        run: |call| Box::pin(performance(call)),
    },
    Tool {
        name: "month_report",
        title: "The report of a month",
        description: "The books of a month of UTC by currency: what was owed at its beginning and end, and what moved between. \
            Without a month, all months, the newest first. In the smallest unit of each currency.",
        params: &[
            may(
                "month",
                Kind::Month,
                "The month, such as 2030-01, of those that have begun; all when left out.",
            ),
            may(
                "cursor",
                Kind::Month,
                "`nextCursor` of the answer before, for the months before it.",
            ),
        ],
        scopes: &["referrals:read"],
        place: Place::Project,
        effect: Effect::Reads,
        run: |call| Box::pin(month(call)),
    },
];

async fn owed(call: &Call) -> Result<Told, Trouble> {
    let path = format!("{}/referrals/liability", call.place().await?);
    must_have_come(call, &path).await?;
    let value = call.get(&path, &call.query(&["at"])).await?;
    let rows = value["liability"].as_array().into_iter().flatten();
    let rows: Vec<String> = rows.map(owed_of).collect();
    let at = value["at"].as_str().unwrap_or_default();
    let text = match rows.is_empty() {
        true => format!("Nothing was ever owed until {at}."),
        false => format!("Owed at {at}: {}.", rows.join("; ")),
    };
    Ok(Told::new(text, value))
}

/// What will be booked until a later time, nobody knows. The clock of a project for trying out may be ahead of ours.
async fn must_have_come(call: &Call, path: &str) -> Result<(), Trouble> {
    let at = call.text("at").and_then(Micros::from_rfc3339);
    let is_later = |now: Micros| at.is_some_and(|at| at > now);
    if !is_later(Micros(Clock::System.now_micros())) {
        return Ok(());
    }
    let current = call.get(path, &[]).await?;
    let now = current["at"].as_str().unwrap_or_default();
    match Micros::from_rfc3339(now).is_some_and(is_later) {
        false => Ok(()),
        true => {
            let message = format!(
                "This time has not come yet, it is {now}, and what will be owed then is not known. Without `at` it is told \
                 what is owed now."
            );
            Err(Trouble::argument("at", message))
        }
    }
}

fn owed_of(row: &Value) -> String {
    let side = row["side"].as_str().unwrap_or_default();
    format!("{} ({side})", money::told(row, "open"))
}

async fn performance(call: &Call) -> Result<Told, Trouble> {
    let place = call.place().await?;
    let overview = format!("{place}/referrals/overview");
    let query = call.query(&["from", "to", "by"]);
    let mut value = call.get(&overview, &query).await?;
    for longer in ["week", "month"] {
        let steps = value["overview"]["series"].as_array().map_or(0, Vec::len);
        match (steps > MOST_STEPS, call.text("by")) {
            (false, _) | (true, Some("week" | "month")) => break,
            (true, Some(_)) => {
                let message = format!(
                    "By day it tells of {MOST_STEPS} days at most; ask by week or by month."
                );
                return Err(Trouble::argument("by", message));
            }
            (true, None) => {
                let by = [("by", longer.to_owned())];
                value = call.get(&overview, &[&query[..], &by].concat()).await?;
            }
        }
    }
    let mut config = call.get(&format!("{place}/referrals/config"), &[]).await?;
    value["config"] = config["config"].take();
    Ok(Told::new(performed(&value), value))
}

fn performed(value: &Value) -> String {
    let of = |name: &str| {
        let period = &value["overview"][name];
        let number = |name: &str| period[name].as_u64().unwrap_or_default();
        let counted = |name: &str, things: &str| {
            counted(usize::try_from(number(name)).unwrap_or(usize::MAX), things)
        };
        let time = |name: &str| period[name].as_str().unwrap_or_default();
        format!(
            "From {} to {}: {}, {} applied, {} converted.",
            time("from"),
            time("to"),
            counted("clicks", "clicks"),
            counted("applied", "codes"),
            number("converted")
        )
    };
    let state = match value["config"]["enabled"] == json!(true) {
        true => "The program is on.",
        false => "The program is off.",
    };
    format!("{} Before that: {} {state}", of("period"), of("before"))
}

async fn month(call: &Call) -> Result<Told, Trouble> {
    let place = call.place().await?;
    match call.text("month") {
        Some(month) => {
            let value = call.get(&format!("{place}/reports/{month}"), &[]).await?;
            Ok(Told::new(closed(&value["report"]), value))
        }
        None => {
            let query = call.query(&["cursor"]);
            let value = call.get(&format!("{place}/reports"), &query).await?;
            let months = value["reports"].as_array().map_or(0, Vec::len);
            let months = counted(months, "months");
            let more = match value.get("nextCursor") {
                Some(_) => " There are more: `nextCursor`.",
                None => "",
            };
            Ok(Told::new(format!("{months}.{more}"), value))
        }
    }
}

fn closed(report: &Value) -> String {
    let rows = report["currencies"].as_array().into_iter().flatten();
    let rows = rows.map(|row| {
        let (opening, closing) = (money::told(row, "opening"), money::told(row, "closing"));
        format!("owed {opening} at its beginning and {closing} at its end")
    });
    let rows: Vec<_> = rows.collect();
    let month = report["month"].as_str().unwrap_or_default();
    let state = match report["isOver"] == json!(true) {
        true => "",
        false => " It is not over.",
    };
    match rows.is_empty() {
        true => format!("{month}: nothing was owed.{state}"),
        false => format!("{month}: {}.{state}", rows.join("; ")),
    }
}
