//! Something of each kind that there is, to be put into addresses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Asker;

/// The words that a filter takes, or a sample.
pub(super) fn values(
    samples: &BTreeMap<&str, String>,
    template: &str,
    parameter: &Value,
) -> Result<Vec<String>, String> {
    let words = parameter["schema"]["enum"].as_array();
    if let Some(words) = words {
        return Ok(words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect());
    }
    let name = parameter["name"].as_str().unwrap_or_default();
    Ok(match name {
        "activeOnly" => vec!["true".to_owned(), "false".to_owned()],
        "from" => vec![
            "2020-01-01T00:00:00Z".to_owned(),
            "2025-01-01T00:00:00Z".to_owned(),
        ],
        "at" | "to" => vec![
            "2026-01-01T00:00:00Z".to_owned(),
            "2040-01-01T00:00:00Z".to_owned(),
        ],
        "currency" => vec!["usd".to_owned(), "eur".to_owned()],
        "days" => vec!["1".to_owned(), "366".to_owned()],
        "type" if template.ends_with("/activity") => vec![
            "referral.applied".to_owned(),
            "program.updated".to_owned(),
            "api_key.revoked".to_owned(),
        ],
        "type" => vec![
            "customer.subscription.created".to_owned(),
            "invoice.paid".to_owned(),
            "no.such.type".to_owned(),
        ],
        _ => vec![sample(samples, template, name)?],
    })
}

pub(super) fn sample(
    samples: &BTreeMap<&str, String>,
    template: &str,
    name: &str,
) -> Result<String, String> {
    let of_path = || {
        let before = template.split("/{id}").next()?;
        samples.get(before.rsplit('/').next()?)
    };
    let found = match name {
        "id" => of_path(),
        _ => samples.get(name),
    };
    found
        .cloned()
        .ok_or_else(|| format!("no sample of {name} in {template}"))
}

/// Something of each kind that there is.
pub(crate) async fn samples(ask: &Asker<'_>) -> Result<BTreeMap<&'static str, String>, String> {
    let place = &ask.server.target.place;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let converted = ask.project("referrals?status=converted&limit=1&offset=9000");
    let referral = ask.json(&converted).await?["referrals"][0].take();
    let credits = ask.project("referrals/credits?limit=1&offset=9000");
    let credits = ask.json(&credits).await?;
    let events = format!(
        "/api/billstack/teams/{}/stripe/events?limit=1&offset=9000",
        place.team_id
    );
    let events = ask.json(&events).await?;
    let referee = text(&referral["refereeCustomerId"]);
    let customer = ask
        .json(&ask.project(&format!("customers/{referee}")))
        .await?;
    Ok(BTreeMap::from([
        ("teamId", place.team_id.to_string()),
        ("projectId", place.project_id.to_string()),
        ("customers", text(&referral["referrerCustomerId"])),
        ("customerId", text(&referral["referrerCustomerId"])),
        ("referrerCustomerId", text(&referral["referrerCustomerId"])),
        ("refereeCustomerId", referee),
        ("code", text(&referral["code"])),
        ("referrals", text(&referral["id"])),
        ("referralId", text(&referral["id"])),
        ("credits", text(&credits["credits"][0]["id"])),
        ("events", text(&events["events"][0]["id"])),
        ("month", "2026-01".to_owned()),
        ("find", text(&referral["id"])),
        ("actor", "system".to_owned()),
        ("subject", text(&referral["id"])),
        ("requestId", "nobody".to_owned()),
        ("email", text(&customer["customer"]["email"])),
        ("externalId", "nobody".to_owned()),
        (
            "stripeCustomerId",
            text(&customer["customer"]["stripeCustomerId"]),
        ),
    ]))
}
