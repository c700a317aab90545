//! What changes something. None of it is there unless the program was started with `--allow-writes`.

use serde_json::Value;

use super::referral::told_credit;
use super::{Effect, Place, Tool};
use crate::cli::mcp::api::body;
use crate::cli::mcp::args::{Kind, Param, may, must};
use crate::cli::mcp::call::{Call, Told};
use crate::cli::mcp::trouble::Trouble;

const CREDIT: Param = must(
    "creditId",
    Kind::Text(64),
    "The credit, by its id (`cr_…`).",
);

const REASON: Param = must(
    "reason",
    Kind::Text(500),
    "Why, in words of the person who asked for it; no personal data, it is kept for ever.",
);

const AMOUNT: Param = may(
    "amount",
    Kind::Whole(1, 99_999_999),
    "How much, in the smallest unit of the currency; all there is when left out.",
);

/// A tool that changes something in a project.
const fn tool(
    (name, title): (&'static str, &'static str),
    description: &'static str,
    params: &'static [Param],
    effect: Effect,
    run: super::Run,
) -> Tool {
    Tool {
        name,
        title,
        description,
        params,
        scopes: &["referrals:write"],
        place: Place::Project,
        effect,
        run,
    }
}

pub(super) const TOOLS: &[Tool] = &[
    tool(
        ("create_code", "Create a referral code"),
        "Make a referral code for a customer who has no active one.",
        &[
            must(
                "customerId",
                Kind::Text(64),
                "The customer who will be the referrer (`pc_…`).",
            ),
            may(
                "vanity",
                Kind::Text(24),
                "A name for the code: 3 to 24 letters, digits, hyphens and underscores.",
            ),
        ],
        Effect::Adds,
        |call| Box::pin(create_code(call)),
    ),
    tool(
        ("recheck_referral", "Check a referral again"),
        "Decide anew about the kept events of Stripe that may convert a referral. A conversion stands, so it is safe any number \
         of times; it can grant the credits that were promised.",
        &[must(
            "referralId",
            Kind::Text(64),
            "The referral, by its id (`ref_…`).",
        )],
        Effect::Adds,
        |call| Box::pin(recheck(call)),
    ),
    tool(
        ("dismiss_attention", "Put a line of attention away"),
        "Hide a line of `attention` from everybody of the project for seven days. What it tells of goes on.",
        &[must(
            "lineId",
            Kind::Text(255),
            "The line, by its `id` in `attention`.",
        )],
        Effect::Adds,
        |call| Box::pin(dismiss(call)),
    ),
    tool(
        ("release_credit", "Release a held credit"),
        "End the hold of a credit before its time: what is held becomes the customer's, all of it or a part. It cannot be \
         held again.",
        &[CREDIT, AMOUNT, REASON],
        Effect::Destroys,
        |call| Box::pin(move_credit(call, "release")),
    ),
    tool(
        ("reverse_credit", "Take a credit back"),
        "Take a credit back from its customer, all of it or a part: first what is held, then what is theirs.",
        &[CREDIT, AMOUNT, REASON],
        Effect::Destroys,
        |call| Box::pin(move_credit(call, "reverse")),
    ),
    tool(
        ("settle_credit", "Note that a credit was paid"),
        "Note that a credit was paid to the customer by other means, so that it is no longer owed. No money is moved.",
        &[
            CREDIT,
            AMOUNT,
            may(
                "reference",
                Kind::Text(255),
                "What the payment is called elsewhere.",
            ),
            REASON,
        ],
        Effect::Destroys,
        |call| Box::pin(move_credit(call, "settle")),
    ),
    tool(
        ("retry_credit", "Go on with the delivery of a credit"),
        "Go on with the delivery of a credit into the customer's balance in Stripe that needs attention, once its cause is \
         mended. After `possible_duplicate` it says that the other line in Stripe is another one.",
        &[CREDIT, REASON],
        Effect::Destroys,
        |call| Box::pin(move_credit(call, "retry")),
    ),
];

async fn create_code(call: &Call) -> Result<Told, Trouble> {
    let sent = |name| (name, call.sent.get(name));
    let body = body(&[sent("customerId"), sent("vanity")]);
    let value = call.post("/referrals/codes", Some(body)).await?;
    Ok(Told::new("The customer has a code.", value))
}

async fn recheck(call: &Call) -> Result<Told, Trouble> {
    let id = call.part("referralId")?;
    let value = call.post(&format!("/referrals/{id}/recheck"), None).await?;
    let referral = &value["referral"];
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let why = word(&referral["explanation"]["why"]);
    let text = format!(
        "{} is {}. {why}",
        word(&referral["id"]),
        word(&referral["status"])
    );
    Ok(Told::new(text, value))
}

async fn dismiss(call: &Call) -> Result<Told, Trouble> {
    let id = call.part("lineId")?;
    let value = call.post(&format!("/attention/{id}/dismiss"), None).await?;
    let until = value["dismissal"]["until"].as_str().unwrap_or_default();
    Ok(Told::new(format!("It is not shown until {until}."), value))
}

async fn move_credit(call: &Call, how: &str) -> Result<Told, Trouble> {
    let id = call.part("creditId")?;
    let sent = |name| (name, call.sent.get(name));
    let body = body(&[sent("amount"), sent("reference"), sent("reason")]);
    let path = format!("/referrals/credits/{id}/{how}");
    let value = call.post(&path, Some(body)).await?;
    Ok(Told::new(told_credit(&value["credit"]), value))
}
