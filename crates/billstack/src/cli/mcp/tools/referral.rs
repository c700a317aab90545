//! Why a referral is where it is.

use serde_json::Value;

use super::{CURSOR, Effect, Place, Tool};
use crate::cli::mcp::args::{Kind, must};
use crate::cli::mcp::call::{Call, Told};
use crate::cli::mcp::money;
use crate::cli::mcp::trouble::Trouble;

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "explain_referral",
    title: "Why a referral is where it is",
    description: "Why a referral is pending, converted or expired, and what must still happen (`explanation`), the terms that \
        it was promised, its whole story with the events of Stripe that were looked at, and the credits that it earned. Find the \
        id with `find` or `list_referrals`. Amounts are in the smallest unit of their currency; `decimal` says them in whole \
        units.",
    params: &[
        must(
            "referralId",
            Kind::Text(64),
            "The referral, by its id (`ref_…`).",
        ),
        CURSOR,
    ],
    scopes: &["referrals:read"],
    place: Place::Project,
    effect: Effect::Reads,
    run: |call| Box::pin(explain(call)),
}];

async fn explain(call: &Call) -> Result<Told, Trouble> {
    let id = call.part("referralId")?;
    let place = call.place().await?;
    let mut value = call.get(&format!("{place}/referrals/{id}"), &[]).await?;
    let story = format!("{place}/referrals/{id}/events");
    let mut story = call.get(&story, &call.query(&["cursor"])).await?;
    let own = [("referralId", id)];
    let mut credits = call
        .get(&format!("{place}/referrals/credits"), &own)
        .await?;
    value["events"] = story["events"].take();
    value["credits"] = credits["credits"].take();
    if let Some(next) = story.get("nextCursor") {
        value["nextCursor"] = next.clone();
    }
    Ok(Told::new(told(&value), value))
}

fn told(value: &Value) -> String {
    let referral = &value["referral"];
    let word = |name: &str| referral[name].as_str().unwrap_or_default();
    let explanation = &referral["explanation"];
    let mut text = format!("{} is {}. ", word("id"), word("status"));
    text += explanation["why"].as_str().unwrap_or_default();
    for next in explanation["next"].as_array().into_iter().flatten() {
        text += &format!(" {}", next.as_str().unwrap_or_default());
    }
    for credit in value["credits"].as_array().into_iter().flatten() {
        text += &format!(" {}", told_credit(credit));
    }
    text
}

/// A credit in a sentence.
pub(super) fn told_credit(credit: &Value) -> String {
    let word = |name: &str| credit[name].as_str().unwrap_or_default();
    let side = match &credit["side"] {
        Value::String(side) => format!(" of the {side}"),
        _ => String::new(),
    };
    let delivery = credit["delivery"]["state"].as_str().unwrap_or_default();
    let amount = money::told(credit, "amount");
    format!(
        "Credit {} over {amount}{side} is {}; its delivery: {}.",
        word("id"),
        word("status").replace('_', " "),
        delivery.replace('_', " "),
    )
}
