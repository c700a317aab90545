//! Conversion: a Stripe event meets a pending referral, whichever of the two came first.
//!
//! Both sides come through `settle`: an event when it arrives, and an apply or a link through the
//! module `reconsider`, for the events that were kept before there was anybody to convert.

mod candidates;

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::referral::{
    Conversion, NotConverted, Person, Status, decide_conversion, is_self_referral,
};
use billstack_core::stripe_event::{Standing, Start};
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::grants;
use crate::projects::project_of;
use crate::referrals::{self, Referral};
use crate::stripe_events::{Outcome, Settled};
use crate::tx::{Fault, Query, Tx, Val};
use crate::{params, statements};

use candidates::candidates;
pub(crate) use candidates::{by_stripe_id, named_project};

statements! {
    /// Every customer, erased ones too, that is or was this Stripe customer.
    OF_STRIPE = concat!("SELECT ", project_of!("customers"), ", id, erased_at FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $2 ORDER BY project_id, id LIMIT 100");
    BY_ID = concat!("SELECT ", project_of!("customers"), ", id, stripe_customer_id \
        FROM customers WHERE team_id = $1 AND id = $2 AND erased_at IS NULL \
        ORDER BY project_id LIMIT 100");
    /// Of an erased customer the Stripe id is left.
    PERSON = "SELECT email, stripe_customer_id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id = $3";
    PAID_FOR_CUSTOMER = "SELECT id FROM referrals WHERE team_id = $1 AND project_id = $2 \
        AND stripe_customer_id = $3";
    /// By a subscription of a customer who has this id besides the one that was kept with the referral.
    PAID_FOR_ACCOUNT = "SELECT r.id FROM subscription_starts AS s JOIN referrals AS r \
        ON r.team_id = s.team_id AND r.stripe_subscription_id = s.object_id \
        WHERE s.team_id = $1 AND r.project_id = $2 AND s.match_key = 'stripe:' || $3";
    PAID_FOR_SUBSCRIPTION = "SELECT id FROM referrals WHERE team_id = $1 \
        AND stripe_subscription_id = $2";
}

/// A Stripe event that tells of the start of a subscription.
pub(crate) struct Sign<'a> {
    pub(crate) team_id: &'a TeamId,
    pub(crate) event_id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) start: &'a Start,
    /// The project that its metadata picks, see [`named_project`].
    pub(crate) project_id: Option<ProjectId>,
    /// How long before the apply a subscription may have begun, in microseconds.
    pub(crate) grace: i64,
}

impl Sign<'_> {
    /// The Stripe customer, or the account that acts as one, that subscribed.
    pub(crate) fn stripe_id(&self) -> Option<&str> {
        self.start.stripe_ids().next()
    }

    /// Whether it may be about somebody in this project.
    fn may_mean(&self, project_id: &ProjectId) -> bool {
        let named = self.project_id.as_ref();
        named.is_none_or(|named| named == project_id)
    }

    /// Whether its metadata, which the team writes, names the referee of this referral.
    fn names_referee_of(&self, referral: &Referral) -> bool {
        let named = self.start.billstack_customer_id.as_deref();
        named == Some(&referral.referee_customer_id)
    }
}

/// Finds whose subscription an event tells of and converts their pending referral, or says why not.
pub(crate) fn settle(tx: &mut dyn Tx, act: &mut Act, sign: &Sign<'_>) -> Result<Settled, Fault> {
    let found = candidates(tx, act, sign)?;
    if found.customers.is_empty() {
        return Ok(Settled::new(Outcome::NoCustomer, "no such customer"));
    }
    let mut all = referrals_of(tx, &found.customers)?;
    if let Some(reason) = &sign.start.reason {
        return does_not_count(tx, act, sign, reason, &all, &found.customers);
    }
    let living = all.len();
    all.extend(referrals_of(tx, &found.erased)?);
    let referrals = &all[..living];
    match meant(tx, act, sign, referrals, &all)?.as_slice() {
        [] => match referrals {
            [(place, referral)] => decide(tx, act, sign, place, referral, &[]),
            _ => {
                let mut settled = Settled::new(Outcome::NoReferral, "no pending referral");
                if let [(place, customer_id)] = found.customers.as_slice() {
                    settled.of_customer(place, customer_id);
                }
                Ok(settled)
            }
        },
        [(place, referral)] => decide(tx, act, sign, place, referral, &all),
        several => {
            for (place, referral) in several {
                not_converted(tx, act, sign, place, referral, "ambiguous")?;
            }
            let why = "several customers with a pending referral share this Stripe customer";
            Ok(Settled::new(Outcome::Ambiguous, why))
        }
    }
}

/// The pending referrals that may be meant. Of several in one project that is the first, and of several in
/// all the one whose referee the team names itself.
fn meant<'r>(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    referrals: &'r [(Place, Referral)],
    all: &[(Place, Referral)],
) -> Result<Vec<&'r (Place, Referral)>, Fault> {
    let pending = referrals
        .iter()
        .filter(|(_, r)| r.status == Status::Pending);
    let pending: Vec<_> = pending.collect();
    if pending.len() < 2 {
        return Ok(pending);
    }
    let is_late = |(place, referral): &(Place, Referral)| was_referred_before(place, referral, all);
    let (late, mut meant): (Vec<_>, Vec<_>) = pending.into_iter().partition(|one| is_late(one));
    for (place, referral) in late {
        let why = NotConverted::AlreadyReferred.as_str();
        not_converted(tx, act, sign, place, referral, why)?;
    }
    if meant.iter().any(|(_, r)| sign.names_referee_of(r)) {
        meant.retain(|(_, r)| sign.names_referee_of(r));
    }
    Ok(meant)
}

/// The referrals in which these customers are the referees.
fn referrals_of(
    tx: &mut dyn Tx,
    customers: &[(Place, String)],
) -> Result<Vec<(Place, Referral)>, Fault> {
    let mut referrals = Vec::new();
    for (place, customer_id) in customers {
        if let Some(referral) = referrals::get_of_referee(tx, place, customer_id)? {
            referrals.push((place.clone(), referral));
        }
    }
    Ok(referrals)
}

/// Whether the same Stripe customer has been referred before under another customer's id, which did not
/// come out at the apply: it was linked afterwards.
fn was_referred_before(place: &Place, referral: &Referral, all: &[(Place, Referral)]) -> bool {
    let own = (referral.created_at, &referral.id);
    all.iter()
        .any(|(at, other)| at == place && (other.created_at, &other.id) < own)
}

/// An event that does not count (yet): tells every referral it concerns why.
fn does_not_count(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    reason: &str,
    referrals: &[(Place, Referral)],
    candidates: &[(Place, String)],
) -> Result<Settled, Fault> {
    for (place, referral) in referrals {
        not_converted(tx, act, sign, place, referral, reason)?;
    }
    let outcome = match sign.start.standing {
        Standing::Waits => Outcome::Waiting,
        _ => Outcome::Ignored,
    };
    let mut settled = Settled::new(outcome, reason);
    if let [(place, customer_id)] = candidates {
        settled.of_customer(place, customer_id);
    }
    if let [(_, referral)] = referrals {
        settled.referral_id = Some(referral.id.clone());
    }
    Ok(settled)
}

/// Applies the rules to the one referral an event is about; the others are of the same Stripe customer.
fn decide(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    place: &Place,
    referral: &Referral,
    others: &[(Place, Referral)],
) -> Result<Settled, Fault> {
    let start = sign.start;
    let decision = match decide_conversion(
        referral.status,
        referral.created_at,
        start.began_at,
        start.occurred_at,
        sign.grace,
    ) {
        Conversion::Converts { .. } if was_referred_before(place, referral, others) => {
            Conversion::Refused(NotConverted::AlreadyReferred)
        }
        Conversion::Converts { .. } if is_own_referral(tx, place, referral, start)? => {
            Conversion::Refused(NotConverted::SelfReferral)
        }
        Conversion::Converts { .. } if is_paid(tx, place, start)? => {
            Conversion::Refused(NotConverted::AlreadyConverted)
        }
        decision => decision,
    };
    let mut settled = match decision {
        Conversion::Converts { at } => {
            grants::convert(tx, act, sign, place, referral, at)?;
            Settled::new(Outcome::Converted, "converted")
        }
        Conversion::Refused(why) => {
            not_converted(tx, act, sign, place, referral, why.as_str())?;
            Settled::new(Outcome::NoReferral, why.as_str())
        }
    };
    settled.of_customer(place, &referral.referee_customer_id);
    settled.referral_id = Some(referral.id.clone());
    Ok(settled)
}

/// Whether referrer and referee are one person, which did not come out at the apply: one of them was linked
/// or changed their address afterwards.
fn is_own_referral(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    start: &Start,
) -> Result<bool, Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let ids = [
        &*referral.referrer_customer_id,
        &*referral.referee_customer_id,
    ];
    let scopes = ids.map(|id| [Val::from(team_id), Val::from(project_id), Val::from(id)]);
    let queries = scopes.each_ref().map(|scope| (PERSON, &scope[..]));
    let mut known = [(None, None), (None, None)];
    tx.query_together(&queries, &mut |number, row| {
        known[number] = (row.opt_string(0)?, row.opt_string(1)?);
        Ok(())
    })?;
    let person = |number: usize| Person {
        customer_id: ids[number],
        email: known[number].0.as_deref(),
        stripe_customer_id: known[number].1.as_deref(),
    };
    let (referrer, referee) = (person(0), person(1));
    let pays = |id| referrer.stripe_customer_id == Some(id);
    Ok(is_self_referral(&referrer, &referee) || start.stripe_ids().any(pays))
}

/// Whether a referral has been converted by the same subscription, or in this project by the same
/// Stripe customer. The unique indexes say so too, to whoever comes at the same moment.
fn is_paid(tx: &mut dyn Tx, place: &Place, start: &Start) -> Result<bool, Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let customers: Vec<_> = start
        .stripe_ids()
        .map(|id| [Val::from(team_id), Val::from(project_id), Val::from(id)])
        .collect();
    let subscription = params![team_id, start.subscription()];
    let mut queries: Vec<Query<'_>> = vec![(PAID_FOR_SUBSCRIPTION, subscription)];
    for (customer, id) in customers.iter().zip(start.stripe_ids()) {
        queries.push((PAID_FOR_CUSTOMER, customer));
        // What is kept is the customer where both are named, so only an account may be missed.
        if id.starts_with("acct_") {
            queries.push((PAID_FOR_ACCOUNT, customer));
        }
    }
    let mut is_paid = false;
    tx.query_together(&queries, &mut |_, _| {
        is_paid = true;
        Ok(())
    })?;
    Ok(is_paid)
}

/// Adds to a referral's story why an event did not convert it. A routine update of the subscription
/// that converted it long ago is not part of the story.
fn not_converted(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    place: &Place,
    referral: &Referral,
    reason: &str,
) -> Result<(), Fault> {
    let routine = !matches!(
        sign.kind,
        "customer.subscription.created"
            | "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
    );
    if routine && referral.status != Status::Pending {
        return Ok(());
    }
    let facts = json!({
        "reason": reason,
        "stripeEventId": sign.event_id,
        "stripeEventType": sign.kind,
        "stripeObjectId": sign.start.object_id,
    });
    let subject = &referral.id;
    let fact = Fact {
        kind: "referral.not_converted",
        subject,
        referral_id: Some(subject),
        facts,
    };
    act.record(tx, place, &fact)
}
