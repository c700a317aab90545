//! A referral, and why it is where it is.

use billstack_core::credit::{Side, grants};
use billstack_core::explanation::{
    Cap, CreditFacts, Explanation, Facts, LookedAt, WithheldFacts, explain,
};
use billstack_core::payments::LossCause;
use billstack_core::referral::{Referral, Status};
use billstack_core::time::Micros;

use super::payments;
use crate::seam::{Fault, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::stripe_connections::Paused;
use crate::tables::{
    codes, credits, customers, events, programs, projects, referrals, stripe_connections,
};

/// The referral with this id, and its explanation at a time of day.
pub fn get(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    now: Micros,
) -> Result<Option<(Referral, Explanation)>, Fault> {
    let Some(referral) = referrals::get(tx, place, id)? else {
        return Ok(None);
    };
    let now = now.plus(projects::clock(tx, place)?.unwrap_or(0));
    let facts = match referral.status {
        Status::Pending => pending(tx, place, &referral, now)?,
        Status::Converted => converted(tx, place, &referral, now)?,
        Status::Expired => closed(tx, place, &referral, now)?,
        Status::Other(_) => bare(&referral, now),
    };
    let explanation = explain(&facts);
    Ok(Some((referral, explanation)))
}

/// Nothing is known but the referral.
fn bare(referral: &Referral, now: Micros) -> Facts<'_> {
    Facts {
        referral,
        now,
        is_connected: false,
        is_linked: false,
        looked_at: None,
        is_code_off: false,
        is_program_off: false,
        closed: None,
        credits: Vec::new(),
        withheld: Vec::new(),
    }
}

fn pending<'a>(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &'a Referral,
    now: Micros,
) -> Result<Facts<'a>, Fault> {
    let (team_id, kind) = (&place.team_id, "referral.not_converted");
    let told = events::why::last(tx, team_id, &referral.id, kind, 1)?;
    let looked_at = told.first().and_then(|(facts, at)| {
        Some(LookedAt {
            kind: facts.text("stripeEventType")?.to_owned(),
            reason: facts.text("reason")?.to_owned(),
            at: *at,
        })
    });
    let friend = customers::get(tx, place, &referral.referee_customer_id)?;
    Ok(Facts {
        is_connected: stripe_connections::is_active(tx, team_id)?,
        is_linked: friend.is_some_and(|friend| friend.stripe_customer_id.is_some()),
        looked_at,
        is_code_off: codes::get(tx, place, &referral.code)?.is_some_and(|code| !code.is_active),
        is_program_off: !programs::get(tx, place)?.enabled,
        ..bare(referral, now)
    })
}

fn closed<'a>(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &'a Referral,
    now: Micros,
) -> Result<Facts<'a>, Fault> {
    let told = events::why::last(tx, &place.team_id, &referral.id, "referral.expired", 1)?;
    let closed = told
        .first()
        .and_then(|(facts, at)| Some((facts.text("reason")?.to_owned(), *at)));
    Ok(Facts {
        closed,
        ..bare(referral, now)
    })
}

fn converted<'a>(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &'a Referral,
    now: Micros,
) -> Result<Facts<'a>, Fault> {
    let earned = credits::of_referral(tx, place, &referral.id)?;
    let promised = grants(&referral.terms).len();
    let withheld = match promised.saturating_sub(earned.len()) {
        0 => Vec::new(),
        missing => withheld(tx, place, referral, missing)?,
    };
    let told = payments::told(tx, place, &referral.id)?;
    let paused = paused(tx, place)?;
    let of_credit = |credit| of_credit(credit, &told, paused.as_ref(), now);
    Ok(Facts {
        credits: earned.iter().map(of_credit).collect(),
        withheld,
        ..bare(referral, now)
    })
}

fn withheld(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    missing: usize,
) -> Result<Vec<WithheldFacts>, Fault> {
    let limit = i64::try_from(missing).unwrap_or(i64::MAX);
    let kind = "referral.credit_withheld";
    let told = events::why::last(tx, &place.team_id, &referral.id, kind, limit)?;
    let cap = cap(tx, place, referral)?;
    let of_event = told.iter().rev().map(|(facts, _)| WithheldFacts {
        side: facts.text("side").and_then(Side::read),
        reason: facts.text("reason").unwrap_or_default().to_owned(),
        cap,
    });
    Ok(of_event.collect())
}

/// Which cap was reached when a referral converted, as its conversion says.
fn cap(tx: &mut dyn Tx, place: &Place, referral: &Referral) -> Result<Option<Cap>, Fault> {
    let kind = "referral.converted";
    let told = events::why::last(tx, &place.team_id, &referral.id, kind, 1)?;
    let Some((facts, _)) = told.first() else {
        return Ok(None);
    };
    let reached = |cap, paid| {
        let cap = facts.number(cap)?;
        (facts.number(paid)? >= cap).then_some(cap)
    };
    let total = reached("maxConversionsTotal", "paidBeforeTotal").map(Cap::Total);
    let in_month = reached("maxConversionsPerMonth", "paidBeforeInMonth").map(Cap::PerMonth);
    Ok(total.or(in_month))
}

/// What is known of a credit, for what is said of it alone at a time of day.
pub fn credit(
    tx: &mut dyn Tx,
    place: &Place,
    credit: &Credit,
    now: Micros,
) -> Result<CreditFacts, Fault> {
    let now = now.plus(projects::clock(tx, place)?.unwrap_or(0));
    let told = match &credit.referral_id {
        Some(referral_id) => payments::told(tx, place, referral_id)?,
        None => Default::default(),
    };
    let paused = paused(tx, place)?;
    Ok(of_credit(credit, &told, paused.as_ref(), now))
}

/// Why nothing of the team is delivered at present, if so.
fn paused(tx: &mut dyn Tx, place: &Place) -> Result<Option<Paused>, Fault> {
    let connection = stripe_connections::get(tx, &place.team_id)?;
    Ok(connection.and_then(|connection| connection.pause))
}

fn of_credit(
    credit: &Credit,
    (lost_by, put_off_until): &(Vec<LossCause>, Option<Micros>),
    paused: Option<&Paused>,
    now: Micros,
) -> CreditFacts {
    CreditFacts {
        side: credit.side,
        currency: credit.currency,
        parts: credit.parts,
        reversed_by_hand: credit.reversed_by_hand,
        lost_by: lost_by.clone(),
        held_until: credit.held_until,
        put_off_until: *put_off_until,
        now,
        delivery: credit.delivery,
        delivery_reason: credit.delivery_reason,
        pause: paused.map(|paused| paused.reason),
        lacks: paused.and_then(|paused| paused.lacks.clone()),
    }
}
