//! What Stripe told, and what became of it.

use billstack_core::attribution::Outcome;
use billstack_store::intake::Settled;
use serde_json::Value;

use super::lists::with_limit;
use super::{CURSOR, Effect, LIMIT, Place, Tool};
use crate::api::teams::stripe::events::cure_of;
use crate::cli::mcp::args::{Kind, may};
use crate::cli::mcp::call::{Call, PROJECT, Told};
use crate::cli::mcp::trouble::Trouble;

const OUTCOMES: &[&str] = &[
    "converted",
    "no_referral",
    "no_customer",
    "ambiguous",
    "ignored",
    "waiting",
    "recorded",
    "failed",
];

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "stripe_events",
    title: "The last events of Stripe",
    description: "The events that Stripe sent, the last received first, with what became of each (`outcome`, `reason`), what \
        that means (`meaning`) and what helps (`cure`). Their bodies are not told. With a key of one project only events of its \
        customers; a page may then be empty and have a `nextCursor` all the same. With `eventId` that one event.",
    params: &[
        may(
            "eventId",
            Kind::Text(255),
            "One event, by its id in Stripe (`evt_…`).",
        ),
        may("outcome", Kind::OneOf(OUTCOMES), "Only with this outcome."),
        may(
            "type",
            Kind::Text(255),
            "Only of this type, such as `customer.subscription.created`.",
        ),
        may(
            "from",
            Kind::Time,
            "Only received at this time or later (RFC 3339).",
        ),
        may(
            "to",
            Kind::Time,
            "Only received before this time (RFC 3339).",
        ),
        may(
            PROJECT,
            Kind::Text(64),
            "Only of customers of this project, by its id (`proj_…`); a page may then be short.",
        ),
        LIMIT,
        CURSOR,
    ],
    scopes: &["referrals:read"],
    place: Place::Everywhere,
    effect: Effect::Reads,
    run: |call| Box::pin(events(call)),
}];

async fn events(call: &Call) -> Result<Told, Trouble> {
    let path = format!("{}/stripe/events", call.team().await?);
    if call.text("eventId").is_some() {
        let id = call.part("eventId")?;
        let mut value = call.get(&format!("{path}/{id}"), &[]).await?;
        if !is_of_project(call, &value["event"]) {
            let message = "It is an event of another project, or of none.";
            return Err(Trouble::argument("eventId", message));
        }
        explain(&mut value["event"]);
        return Ok(Told::new(told(&value["event"]), value));
    }
    let mut value = page(call, &path).await?;
    let mut lines = Vec::new();
    for event in value["events"].as_array_mut().into_iter().flatten() {
        explain(event);
        lines.push(told(event));
    }
    let more = match (lines.is_empty(), value.get("nextCursor")) {
        (true, None) => "No event of Stripe is like that.",
        (true, Some(_)) => {
            "None of the events so far is like that. There may be more: `nextCursor`."
        }
        (false, None) => "",
        (false, Some(_)) => "There may be more: `nextCursor`.",
    };
    lines.extend((!more.is_empty()).then(|| more.to_owned()));
    Ok(Told::new(lines.join("\n"), value))
}

/// How many pages are looked through for one with an event that is asked for.
const MOST_PAGES: usize = 10;

/// The next page with an event of the project that is asked about, or the last that was looked at.
async fn page(call: &Call, path: &str) -> Result<Value, Trouble> {
    let mut query = with_limit(call.query(&["outcome", "type", "from", "to", "limit", "cursor"]));
    let mut value = Value::Null;
    for _ in 0..MOST_PAGES {
        value = call.get(path, &query).await?;
        if let Some(events) = value["events"].as_array_mut() {
            events.retain(|event| is_of_project(call, event));
        }
        let is_empty = value["events"].as_array().is_none_or(Vec::is_empty);
        let Some(next) = value["nextCursor"].as_str().filter(|_| is_empty) else {
            break;
        };
        query.retain(|(name, _)| *name != "cursor");
        query.push(("cursor", next.to_owned()));
    }
    Ok(value)
}

/// Whether an event tells of a customer of the project that is asked about; any event does where none is named.
fn is_of_project(call: &Call, event: &Value) -> bool {
    let wanted = call.text(PROJECT).or(call.common.project.as_deref());
    wanted.is_none_or(|wanted| event["projectId"].as_str() == Some(wanted))
}

/// Adds what the outcome means, and what helps.
fn explain(event: &mut Value) {
    let outcome = event["outcome"].as_str().map(Outcome::read);
    if let Some(outcome) = outcome.flatten() {
        let reason = event["reason"].as_str().unwrap_or_default();
        let (meaning, cure) = cure_of(&Settled::new(outcome, reason));
        event["meaning"] = meaning.into();
        event["cure"] = cure.into();
    }
}

fn told(event: &Value) -> String {
    let word = |name: &str| event[name].as_str().unwrap_or_default();
    format!(
        "{} received {}: {}. {} {}",
        word("id"),
        word("receivedAt"),
        word("outcome").replace('_', " "),
        word("meaning"),
        word("cure")
    )
}
