//! The story: Ada brings Grace, Grace subscribes, both are credited, once.

use reqwest::Method;
use serde_json::{Value, json};

use super::player::Player;
use super::{World, money, stripe};
use crate::cli::output::{Failure, say};

/// Plays every step, and fails at the first that does not go as the story says.
pub(super) async fn play(player: &mut Player, world: &World<'_>) -> Result<(), Failure> {
    say(
        "A team, a project, an API key and a webhook secret are there: `billstack init` made them.\n\
         Ada is a happy customer. Grace is about to become one.\n",
    )?;
    let cast = invite(player).await?;
    subscribe(player, world.app.now().as_secs()).await?;
    account(player, &cast).await?;
    money::play(player, world, &cast.referral).await?;
    player.tick()
}

/// Who is in the story, by id.
struct Cast {
    ada: String,
    grace: String,
    referral: String,
}

/// From a program that is switched off to a pending referral.
async fn invite(player: &mut Player) -> Result<Cast, Failure> {
    let program = json!({
        "enabled": true, "referrerCreditAmount": 1000, "refereeCreditAmount": 500, "currency": "usd",
        "holdDays": 14, "creditDelivery": "stripe_balance", "clawback": "always",
    });
    let what =
        "Switch the program on: $10.00 for bringing somebody, $5.00 for coming, held for 14 days.";
    let path = "/referrals/config";
    player
        .call(what, Method::PUT, path, Some(program), 200)
        .await?;

    let ada = json!({
        "email": "ada@example.com", "name": "Ada Lovelace", "stripeCustomerId": stripe::REFERRER,
    });
    let ada = customer(player, "Ada is a customer.", ada).await?;
    let grace = json!({
        "email": "grace@example.com", "name": "Grace Hopper", "stripeCustomerId": stripe::CUSTOMER,
    });
    let what = "Grace signs up. Your checkout knows her as a Stripe customer.";
    let grace = customer(player, what, grace).await?;

    let body = json!({"customerId": ada});
    let what = "Ada gets a code to share.";
    let answer = player
        .call(what, Method::POST, "/referrals/codes", Some(body), 201)
        .await?;
    let code = text(&answer, "/code/code")?;

    let body = json!({"code": code, "refereeCustomerId": ada});
    let what = "Ada tries to use it herself, and is refused.";
    apply(player, what, body, 409).await?;
    let body = json!({"code": code, "refereeCustomerId": grace});
    let what = "Grace's sign-up applies it. The referral is pending, and the terms are promised.";
    let answer = apply(player, what, body, 201).await?;
    let referral = text(&answer, "/referral/id")?;
    Ok(Cast {
        ada,
        grace,
        referral,
    })
}

/// What Stripe sends when Grace pays, and what it must not be able to do twice.
async fn subscribe(player: &mut Player, at: i64) -> Result<(), Failure> {
    let checkout = stripe::checkout_completed(at);
    let forged = stripe::sign(checkout.to_string().as_bytes(), "whsec_guessed", at);
    let what = "Somebody forges an event: the signature does not fit, so nothing happens.";
    player.event(what, &checkout, &forged, 400).await?;

    let signature = player.sign(&checkout, at);
    let what = "Grace pays. Stripe tells of the completed checkout, and the referral converts.";
    player.event(what, &checkout, &signature, 200).await?;
    let what =
        "Stripe sends the same event again, as it may. It is known; nothing is granted twice.";
    player.event(what, &checkout, &signature, 200).await?;

    let subscription = stripe::subscription_created(at);
    let signature = player.sign(&subscription, at);
    let what = "Stripe tells of the subscription too. The referral has converted already.";
    player.event(what, &subscription, &signature, 200).await?;
    Ok(())
}

/// Where every cent went, and why.
async fn account(player: &mut Player, cast: &Cast) -> Result<(), Failure> {
    let referral = &cast.referral;
    let path = format!("/referrals/{referral}");
    let answer = player.get("The referral has converted.", &path).await?;
    expect(&answer, "/referral/status", &json!("converted"))?;

    let path = format!("/referrals/credits?referralId={referral}");
    let what = "Stripe called three times; there is still one credit for each side.";
    let answer = player.get(what, &path).await?;
    let credits = answer["credits"].as_array().map_or(0, Vec::len);
    expect(&json!({ "credits": credits }), "/credits", &json!(2))?;

    for (what, customer, amount) in [
        (
            "Ada has earned $10.00, for bringing Grace. It is held.",
            &cast.ada,
            1000,
        ),
        (
            "Grace has earned $5.00, for coming. It is held too.",
            &cast.grace,
            500,
        ),
    ] {
        let path = format!("/referrals/credits?customerId={customer}");
        let answer = player.get(what, &path).await?;
        expect(&answer, "/credits/0/amounts/held", &json!(amount))?;
    }
    let path = format!("/referrals/{referral}/events");
    let what = "Why? The story of the referral: who did what, in which request, by which event.";
    player.get(what, &path).await?;
    let path = "/referrals/stats?days=1";
    let what = "The statistics of the program count one conversion.";
    let answer = player.get(what, path).await?;
    expect(&answer, "/stats/referrals/converted", &json!(1))
}

async fn customer(player: &mut Player, what: &str, body: Value) -> Result<String, Failure> {
    let answer = player
        .call(what, Method::POST, "/customers", Some(body), 201)
        .await?;
    text(&answer, "/customer/id")
}

async fn apply(
    player: &mut Player,
    what: &str,
    body: Value,
    expected: u16,
) -> Result<Value, Failure> {
    let path = "/referrals/apply";
    player
        .call(what, Method::POST, path, Some(body), expected)
        .await
}

pub(super) fn text(answer: &Value, member: &str) -> Result<String, Failure> {
    let found = answer.pointer(member).and_then(Value::as_str);
    let missing = || Failure::refused(format_args!("the answer has no {member}"));
    found.map(str::to_owned).ok_or_else(missing)
}

pub(super) fn expect(answer: &Value, member: &str, wanted: &Value) -> Result<(), Failure> {
    if answer.pointer(member) == Some(wanted) {
        return Ok(());
    }
    Err(Failure::refused(format_args!(
        "the demo expected {member} to be {wanted} here"
    )))
}
