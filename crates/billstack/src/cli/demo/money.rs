//! What becomes of the credits: a refund takes a part of them back, the rest reaches the balances in Stripe.

use std::time::Duration;

use fake_stripe::{Customer, Generation, NewInvoice};
use reqwest::Method;
use serde_json::{Value, json};

use super::player::Player;
use super::story::{expect, text};
use super::{World, stripe};
use crate::cli::output::Failure;

/// How long a line in Stripe may take, in looks of [`A_MOMENT`].
const LOOKS: usize = 200;

const A_MOMENT: Duration = Duration::from_millis(50);

/// Which events tell of the payment and its refund; Stripe sends many more.
const TELLING: [&str; 3] = ["invoice.paid", "invoice_payment.paid", "refund.created"];

/// Plays the rest of the story from the payment on.
pub(super) async fn play(
    player: &mut Player,
    world: &World<'_>,
    referral: &str,
) -> Result<(), Failure> {
    refund(player, world).await?;
    let path = format!("/referrals/credits?referralId={referral}");
    let what = "30 % of the payment were refunded, so 30 % of both credits have come back.";
    let answer = player.get(what, &path).await?;
    let credits = answer["credits"].as_array().cloned().unwrap_or_default();
    for credit in &credits {
        let back = credit["amount"].as_i64().unwrap_or_default() * 3 / 10;
        expect(credit, "/amounts/reversed", &json!(back))?;
    }
    for credit in &credits {
        deliver(player, world, credit).await?;
    }
    report(player).await
}

/// Grace's first invoice is paid with $20.00, and $6.00 of it are refunded.
async fn refund(player: &mut Player, world: &World<'_>) -> Result<(), Failure> {
    let money = world.stand_in.money();
    for id in [stripe::CUSTOMER, stripe::REFERRER] {
        money.customer(&Customer::new(id).currency("usd"));
    }
    let invoice = NewInvoice::new(stripe::CUSTOMER, 2000, "usd");
    let payment = money.paid(&invoice.subscription(stripe::SUBSCRIPTION));
    money.refund(payment.charge(), 600);
    let at = world.app.now().as_secs();
    for event in world.stand_in.take_events(Generation::Endive) {
        let kind = event["type"].as_str().unwrap_or_default();
        let what = match kind {
            "invoice.paid" => "Stripe tells that Grace's first invoice was paid with $20.00.",
            "invoice_payment.paid" => {
                "Stripe tells by which payment Grace's first invoice was paid."
            }
            "refund.created" => "Stripe tells that $6.00 of it were refunded.",
            _ => "",
        };
        if TELLING.contains(&kind) {
            let signature = player.sign(&event, at);
            player.event(what, &event, &signature, 200).await?;
        }
    }
    Ok(())
}

/// What is left of a credit is released, and put into the customer's balance in Stripe by the queue.
async fn deliver(player: &mut Player, world: &World<'_>, credit: &Value) -> Result<(), Failure> {
    let (id, side) = (text(credit, "/id")?, text(credit, "/side")?);
    let body = json!({"reason": "Grace has stayed"});
    let what = format!("The team releases what is left of the {side}'s credit before its time.");
    let path = format!("/referrals/credits/{id}/release");
    player
        .call(&what, Method::POST, &path, Some(body), 200)
        .await?;
    wait_until_delivered(world, &id).await?;
    let path = format!("/referrals/credits/{id}");
    let what = "It is in the customer's balance in Stripe now, as one line with its id.";
    let answer = player.get(what, &path).await?;
    expect(&answer, "/credit/delivery/state", &json!("delivered"))?;
    let left = answer["credit"]["amount"].as_i64().unwrap_or_default() * 7 / 10;
    expect(&answer, "/credit/amounts/delivered", &json!(left))
}

async fn wait_until_delivered(world: &World<'_>, id: &str) -> Result<(), Failure> {
    for _ in 0..LOOKS {
        let (place, id) = (world.place(), id.to_owned());
        let read = world
            .app
            .store
            .scan(move |tx| Ok(billstack_store::credits::get(tx, &place, &id)?));
        let credit = read.await?;
        if credit.is_some_and(|credit| credit.parts.delivered > 0) {
            return Ok(());
        }
        tokio::time::sleep(A_MOMENT).await;
    }
    Err(Failure::refused("the credit did not reach Stripe in time"))
}

/// The month as finance sees it.
async fn report(player: &mut Player) -> Result<(), Failure> {
    let what = "The month's report: opening and granted, less taken back, is what is owed.";
    let answer = player.get(what, "/referrals/roll-forward").await?;
    for (side, granted, reversed) in [(0, 500, 150), (1, 1000, 300)] {
        let of = |member: &str| format!("/rollForward/{side}/{member}");
        expect(&answer, &of("granted"), &json!(granted))?;
        expect(&answer, &of("reversed"), &json!(reversed))?;
        expect(&answer, &of("closing"), &json!(granted - reversed))?;
        expect(&answer, &of("unexplained"), &json!(0))?;
    }
    Ok(())
}
