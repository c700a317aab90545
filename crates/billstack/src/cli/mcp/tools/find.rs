//! What the key is good for, and where a thing is.

use serde_json::{Value, json};

use super::{Effect, Place, Tool};
use crate::cli::mcp::args::{Kind, must};
use crate::cli::mcp::call::{Call, Told};
use crate::cli::mcp::trouble::Trouble;

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "list_projects",
        title: "What the API key is good for",
        description: "The team, the scopes and the projects of the API key. Ask it first where a tool wants to know the \
            project.",
        params: &[super::CURSOR],
        scopes: &[],
        place: Place::Everywhere,
        effect: Effect::Reads,
        run: |call| Box::pin(projects(call)),
    },
    Tool {
        name: "find",
        title: "Find something by what it is called",
        description: "Find anything by a whole name of it: the e-mail address or external id of a customer, an id of Stripe \
            (`cus_…`, `sub_…`, `evt_…`, `cbtxn_…`), a referral code or its name, or an id of this service (`pc_…` a customer, `ref_…` \
            a referral, `cr_…` a credit, `evt_…` an event, `proj_…` a project, `whe_…` and `whd_…` webhooks). Nothing is \
            searched by parts of a name. What the key may not read is not found.",
        params: &[must(
            "text",
            Kind::Text(255),
            "The whole address, id or code.",
        )],
        scopes: &[],
        place: Place::Everywhere,
        effect: Effect::Reads,
        run: |call| Box::pin(find(call)),
    },
];

async fn projects(call: &Call) -> Result<Told, Trouble> {
    let caller = call.caller().await?;
    let path = format!("{}/projects", call.team().await?);
    let mut value = call.get(&path, &call.query(&["cursor"])).await?;
    let number = value["projects"].as_array().map_or(0, Vec::len);
    value["caller"] = caller;
    Ok(Told::new(
        match number {
            1 => "The key is good for one project.".to_owned(),
            _ => format!("The key is good for {number} projects."),
        },
        value,
    ))
}

async fn find(call: &Call) -> Result<Told, Trouble> {
    let text = call.text("text").unwrap_or_default().to_owned();
    let value = call.get("/api/billstack/find", &[("q", text)]).await?;
    let hits = value["hits"].as_array().map(Vec::as_slice);
    let hits: Vec<String> = hits.unwrap_or_default().iter().map(told).collect();
    let text = match hits.is_empty() {
        true => "Nothing that this key may read is called so. Customers and their codes need `customers:read`, referrals and \
                 credits `referrals:read`."
            .to_owned(),
        false => format!("Found: {}.", hits.join("; ")),
    };
    Ok(Told::new(text, value))
}

fn told(hit: &Value) -> String {
    let word = |name: &str| hit[name].as_str().unwrap_or_default();
    let place = match &hit["projectId"] {
        Value::String(project) => format!(" in {project}"),
        _ => String::new(),
    };
    // The code of a customer is shown as data alone, and ids are the program's own.
    match hit["kind"] == json!("code") {
        true => format!("a code{place}"),
        false => format!("{} {}{place}", word("kind").replace('_', " "), word("id")),
    }
}
