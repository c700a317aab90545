//! What becomes of the credits: they reach the balances in Stripe, an invoice uses some, and a refund takes a part back.

use std::time::Duration;

use billstack_core::credit::{Parts, Side};
use billstack_store::credits::{Credit, CreditFilter};
use billstack_store::list::Page;
use fake_stripe::{Customer, Generation, NewInvoice};
use reqwest::Method;
use serde_json::json;

use super::player::Player;
use super::story::expect;
use super::{World, stripe};
use crate::cli::output::Failure;

/// How long a line in Stripe may take, in looks of [`A_MOMENT`].
const LOOKS: usize = 200;

const A_MOMENT: Duration = Duration::from_millis(50);

/// Plays the rest of the story from the payment on.
pub(super) async fn play(
    player: &mut Player,
    world: &World<'_>,
    referral: &str,
) -> Result<(), Failure> {
    let charge = pay(player, world).await?;
    let path = format!("/referrals/credits?referralId={referral}");
    let credits = credits_of(world, referral).await?;
    for credit in &credits {
        deliver(player, world, credit).await?;
    }
    let ada = credits
        .iter()
        .find(|credit| credit.side == Some(Side::Referrer));
    use_some(player, world, ada.ok_or_else(nothing)?).await?;
    world.stand_in.money().refund(&charge, 600);
    let what = "Stripe tells that $6.00 of Grace's first payment were refunded.";
    tell(player, world, &[("refund.created", what)]).await?;
    for credit in &credits {
        until(world, &credit.id, |parts| parts.reversed > 0).await?;
    }
    let what = "So 30 % of both credits have come back from the balances in Stripe.";
    let answer = player.get(what, &path).await?;
    let credits = answer["credits"].as_array().cloned().unwrap_or_default();
    for credit in &credits {
        let back = credit["amount"].as_i64().unwrap_or_default() * 3 / 10;
        expect(credit, "/amounts/reversed", &json!(back))?;
        expect(credit, "/amounts/shortfall", &json!(0))?;
    }
    report(player).await
}

fn nothing() -> Failure {
    Failure::refused("a credit is missing")
}

async fn credits_of(world: &World<'_>, referral: &str) -> Result<Vec<Credit>, Failure> {
    let place = world.place();
    let filter = CreditFilter {
        referral_id: Some(referral.to_owned()),
        ..CreditFilter::default()
    };
    let read = world.app.store.scan(move |tx| {
        let page = Page::first(2);
        Ok(billstack_store::credits::list(tx, &place, &filter, &page)?.rows)
    });
    Ok(read.await?)
}

/// Grace's first invoice is paid with $20.00. Returns the charge.
async fn pay(player: &mut Player, world: &World<'_>) -> Result<String, Failure> {
    let money = world.stand_in.money();
    for id in [stripe::CUSTOMER, stripe::REFERRER] {
        money.customer(&Customer::new(id).currency("usd"));
    }
    let invoice = NewInvoice::new(stripe::CUSTOMER, 2000, "usd");
    let payment = money.paid(&invoice.subscription(stripe::SUBSCRIPTION));
    let told = [
        (
            "invoice.paid",
            "Stripe tells that Grace's first invoice was paid with $20.00.",
        ),
        (
            "invoice_payment.paid",
            "Stripe tells by which payment Grace's first invoice was paid.",
        ),
    ];
    tell(player, world, &told).await?;
    Ok(payment.charge().to_owned())
}

/// Delivers what Stripe would send of what has happened there, as far as it matters here; Stripe sends many more.
async fn tell(
    player: &mut Player,
    world: &World<'_>,
    told: &[(&str, &str)],
) -> Result<(), Failure> {
    let at = world.app.now().as_secs();
    for event in world.stand_in.take_events(Generation::Endive) {
        let kind = event["type"].as_str().unwrap_or_default();
        if let Some((_, what)) = told.iter().find(|(of, _)| *of == kind) {
            let signature = player.sign(&event, at);
            player.event(what, &event, &signature, 200).await?;
        }
    }
    Ok(())
}

/// An invoice of Ada's uses a part of her credit.
async fn use_some(player: &mut Player, world: &World<'_>, credit: &Credit) -> Result<(), Failure> {
    let money = world.stand_in.money();
    let invoice = money.invoice(&NewInvoice::new(stripe::REFERRER, 400, "usd"));
    money.finalize(&invoice);
    let what = "Stripe tells of an invoice of Ada's, which her balance has paid.";
    tell(player, world, &[("invoice.finalized", what)]).await?;
    until(world, &credit.id, |parts| parts.applied > 0).await?;
    let what = "The lines of the balance say that it used $4.00 of her credit.";
    let path = format!("/referrals/credits/{}", credit.id);
    let answer = player.get(what, &path).await?;
    expect(&answer, "/credit/amounts/applied", &json!(400))?;
    expect(&answer, "/credit/amounts/delivered", &json!(600))
}

/// A credit is released, and put into the customer's balance in Stripe by the queue.
async fn deliver(player: &mut Player, world: &World<'_>, credit: &Credit) -> Result<(), Failure> {
    let id = &credit.id;
    let side = credit.side.as_ref().map_or("", Side::as_str);
    let body = json!({"reason": "Grace has stayed"});
    let what = format!("The team releases the {side}'s credit before its time.");
    let path = format!("/referrals/credits/{id}/release");
    player
        .call(&what, Method::POST, &path, Some(body), 200)
        .await?;
    until(world, id, |parts| parts.delivered > 0).await?;
    let path = format!("/referrals/credits/{id}");
    let what = "It is in the customer's balance in Stripe now, as one line with its id.";
    let answer = player.get(what, &path).await?;
    expect(&answer, "/credit/delivery/state", &json!("delivered"))?;
    let all = json!(credit.amount.get());
    expect(&answer, "/credit/amounts/delivered", &all)
}

/// Waits until the queue has brought a credit so far.
async fn until(world: &World<'_>, id: &str, is_there: fn(&Parts) -> bool) -> Result<(), Failure> {
    for _ in 0..LOOKS {
        let (place, id) = (world.place(), id.to_owned());
        let read = world
            .app
            .store
            .scan(move |tx| Ok(billstack_store::credits::get(tx, &place, &id)?));
        let credit = read.await?;
        if credit.is_some_and(|credit| is_there(&credit.parts)) {
            return Ok(());
        }
        tokio::time::sleep(A_MOMENT).await;
    }
    Err(Failure::refused("Stripe was not told in time"))
}

/// The month as finance sees it.
async fn report(player: &mut Player) -> Result<(), Failure> {
    let what = "The month's report: granted, less used and taken back, is what is owed.";
    let answer = player.get(what, "/referrals/roll-forward").await?;
    for (side, granted, applied, reversed) in [(0, 500, 0, 150), (1, 1000, 400, 300)] {
        let of = |member: &str| format!("/rollForward/{side}/{member}");
        expect(&answer, &of("granted"), &json!(granted))?;
        expect(&answer, &of("applied"), &json!(applied))?;
        expect(&answer, &of("reversed"), &json!(reversed))?;
        let owed = granted - applied - reversed;
        expect(&answer, &of("closing"), &json!(owed))?;
        expect(&answer, &of("unexplained"), &json!(0))?;
    }
    Ok(())
}
