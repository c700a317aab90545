//! All there is about a customer.

use serde_json::{Value, json};

use super::{Effect, Place, Tool};
use crate::cli::mcp::args::{Kind, may};
use crate::cli::mcp::call::{Call, Told, counted};
use crate::cli::mcp::money;
use crate::cli::mcp::trouble::{Refused, Trouble};

/// By what a customer can be named, besides their id.
const NAMES: [&str; 3] = ["email", "externalId", "stripeCustomerId"];

/// As many of a customer's things are told; the lists have the rest.
const MOST: &str = "20";

pub(super) const TOOLS: &[Tool] = &[Tool {
    name: "customer",
    title: "All about a customer",
    description: "A customer by exactly one of their names: who they are, their credit balance in each currency, the referral \
        by which they came (`referredBy`), the referrals that they brought (`refers`), their codes and their credits. The \
        newest 20 of each are told; `list_referrals`, `list_codes` and `list_credits` with `customerId` tell the rest. \
        Balances are in the smallest unit of their currency and are never added up over currencies.",
    params: &[
        may("customerId", Kind::Text(64), "Their id here (`pc_…`)."),
        may("email", Kind::Text(255), "Their e-mail address."),
        may(
            "externalId",
            Kind::Text(255),
            "Their id in the team's own system.",
        ),
        may(
            "stripeCustomerId",
            Kind::Text(255),
            "Their id in Stripe (`cus_…`).",
        ),
    ],
    scopes: &["customers:read", "referrals:read"],
    place: Place::Project,
    effect: Effect::Reads,
    run: |call| Box::pin(customer(call)),
}];

async fn customer(call: &Call) -> Result<Told, Trouble> {
    let place = call.place().await?;
    let customer = the_one(call, &place).await?;
    let id = customer["id"].as_str().unwrap_or_default().to_owned();
    let listed = |path: &str, name: &'static str| {
        let path = format!("{place}{path}");
        let query = [(name, id.clone()), ("limit", MOST.to_owned())];
        async move { call.get(&path, &query).await }
    };
    let balances = format!("{place}/customers/{id}/credit-balance");
    let mut balances = call.get(&balances, &[]).await?;
    let mut referred = listed("/referrals", "refereeCustomerId").await?;
    let refers = listed("/referrals", "referrerCustomerId").await?;
    let credits = listed("/referrals/credits", "customerId").await?;
    let codes = [
        ("customerId", id.clone()),
        ("activeOnly", "false".to_owned()),
        ("limit", MOST.to_owned()),
    ];
    let codes = call
        .get(&format!("{place}/referrals/codes"), &codes)
        .await?;
    let value = json!({
        "customer": customer,
        "balances": balances["balances"].take(),
        "referredBy": first(&mut referred, "referrals"),
        "refers": refers,
        "codes": codes,
        "credits": credits,
    });
    Ok(Told::new(told(&value), value))
}

/// The customer who is named.
async fn the_one(call: &Call, place: &str) -> Result<Value, Trouble> {
    let by: Vec<_> = call.query(&NAMES);
    match (call.text("customerId"), &by[..]) {
        (Some(_), []) => {
            let id = call.part("customerId")?;
            let mut found = call.get(&format!("{place}/customers/{id}"), &[]).await?;
            Ok(found["customer"].take())
        }
        (None, [_]) => {
            let mut found = call.get(&format!("{place}/customers"), &by).await?;
            match first(&mut found, "customers") {
                Value::Null => Err(nobody()),
                customer => Ok(customer),
            }
        }
        _ => {
            let names = NAMES.join("`, `");
            let message = format!("Name the customer by exactly one of `customerId`, `{names}`.");
            Err(Trouble::argument("customerId", message))
        }
    }
}

/// The first of a list, or null.
fn first(answer: &mut Value, what: &str) -> Value {
    let found = answer.get_mut(what).and_then(|all| all.get_mut(0));
    found.map(Value::take).unwrap_or_default()
}

fn nobody() -> Trouble {
    Trouble::Refused(Refused {
        status: 404,
        reason: "customer_not_found".to_owned(),
        message: "No customer of this project is called so.".to_owned(),
        field: None,
        request_id: None,
    })
}

fn told(value: &Value) -> String {
    let id = value["customer"]["id"].as_str().unwrap_or_default();
    let balances = value["balances"].as_array().into_iter().flatten();
    let balances: Vec<_> = balances.map(|one| money::told(one, "amount")).collect();
    let balances = match balances.is_empty() {
        true => "has no credit".to_owned(),
        false => format!("has a credit balance of {}", balances.join(" and of ")),
    };
    let came = match value["referredBy"]["id"].as_str() {
        Some(referral) => format!("came by referral {referral}"),
        None => "came by nobody".to_owned(),
    };
    let refers = value["refers"]["referrals"].as_array().map_or(0, Vec::len);
    let more = match value["refers"].get("nextCursor") {
        Some(_) => "at least ",
        None => "",
    };
    let refers = counted(refers, "referrals");
    format!("Customer {id} {balances}, {came}, and brought {more}{refers}.")
}
