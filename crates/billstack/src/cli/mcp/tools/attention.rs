//! What needs a person.

use serde_json::Value;

use super::{Effect, Place, Tool};
use crate::cli::mcp::call::{Call, Told};
use crate::cli::mcp::trouble::Trouble;

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "attention",
    title: "What needs somebody's attention",
    description: "What needs a person in the project: deliveries that are paused, credits that Stripe did not take, events that \
        failed or are ambiguous, webhook endpoints that fail, a budget that runs out, differences with Stripe, \
        a ledger that does not add up, silence of Stripe. Each `line` \
        says how much there is of it and what helps (`cure`); `dismissed` are lines that somebody has put away for a week.",
    params: &[],
    scopes: &["referrals:read"],
    place: Place::Project,
    effect: Effect::Reads,
    run: |call| Box::pin(attention(call)),
}];

async fn attention(call: &Call) -> Result<Told, Trouble> {
    let path = format!("{}/attention", call.place().await?);
    let value = call.get(&path, &[]).await?;
    let lines = value["attention"]["lines"].as_array().into_iter().flatten();
    let lines: Vec<String> = lines.map(told).collect();
    let text = match lines.is_empty() {
        true => "Nothing needs attention.".to_owned(),
        false => lines.join("\n"),
    };
    Ok(Told::new(text, value))
}

fn told(line: &Value) -> String {
    let kind = line["kind"].as_str().unwrap_or_default().replace('_', " ");
    let count = line["count"].as_i64().unwrap_or_default();
    let more = match line["isMore"].as_bool() {
        Some(true) => " or more",
        _ => "",
    };
    let cure = line["cure"].as_str().unwrap_or_default();
    format!("{kind}: {count}{more}. {cure}")
}
