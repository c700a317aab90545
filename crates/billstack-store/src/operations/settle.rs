//! Settling: an event of Stripe meets a pending referral, whichever of the two came first.
//!
//! Both sides come through [`settle`]: an event when it arrives, and an apply or a link by way of
//! [`reconsider`](super::reconsider), for the events that were kept before there was anybody to convert.
//! What follows from the facts is decided in [`attribution`].

use billstack_core::attribution::{
    self, Candidates, Claim, Found, NotConverted, Objections, Outcome,
};
use billstack_core::event::Event;
use billstack_core::program::ConversionTrigger;
use billstack_core::referral::{Person, Referral, Status, is_self_referral};
use billstack_core::stripe_event::{Eligibility, Source, Start};
use billstack_core::time::Micros;

use super::convert::convert;
use super::credits::delivery::cure as delivery;
use super::evidence::Evidence;
use super::payments::asking;
use super::test_clock::inside;
use super::to_reconsider::ToReconsider;
use crate::params;
use crate::seam::tx::Query;
use crate::seam::{Act, Fault, Place, Tx, Val};
use crate::tables::stripe_events::Settled;
use crate::tables::{customers, events, referrals};

/// Why a session that names a customer is nobody's.
const LINKED_TO_ANOTHER: &str =
    "named by client_reference_id, but linked to another Stripe customer";

/// Why an event that leads to customers of test projects alone has no effect.
const OF_LIVE_MODE: &str = "of live mode, which is nothing to a test project";

/// Finds whose subscription an event tells of and converts their pending referral, or says why not. A
/// customer whom it links is put on the list of those whose kept events are decided anew.
pub(crate) fn settle(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    later: &mut ToReconsider,
) -> Result<Settled, Fault> {
    later.decided(evidence.event_id);
    let found = candidates(evidence);
    link(tx, act, evidence, &found, later)?;
    if found.living.is_empty() {
        return of_nobody(tx, act, evidence);
    }
    let living = living_claims(tx, evidence, &found.living)?;
    if let Some(reason) = &evidence.start.reason {
        return does_not_count(tx, act, evidence, reason, &living, &found.living);
    }
    let all = [living.clone(), claims_of(tx, evidence, &found.erased)?].concat();
    let meant = attribution::meant(evidence.start, &living, &all);
    for claim in meant.late {
        let why = NotConverted::AlreadyReferred.as_str();
        not_converted(tx, act, evidence, claim, why)?;
    }
    match (meant.claims.as_slice(), living.as_slice()) {
        ([claim], _) => decide(tx, act, evidence, claim, &all),
        ([], [claim]) => decide(tx, act, evidence, claim, &[]),
        ([], _) => {
            let settled = Settled::new(Outcome::NoReferral, "no pending referral");
            Ok(of_only(evidence, settled, &found.living))
        }
        (several, _) => {
            for claim in several {
                not_converted(tx, act, evidence, claim, "ambiguous")?;
            }
            let why = "several customers with a pending referral share this Stripe customer";
            Ok(Settled::new(Outcome::Ambiguous, why))
        }
    }
}

/// The referral that an event converts as things stand. It only reads, for whoever looks whether a conversion
/// was missed; [`settle`] decides by the same functions.
pub(crate) fn converts(tx: &mut dyn Tx, evidence: &Evidence<'_>) -> Result<Option<Claim>, Fault> {
    if evidence.start.reason.is_some() {
        return Ok(None);
    }
    let found = candidates(evidence);
    let living = living_claims(tx, evidence, &found.living)?;
    let all = [living.clone(), claims_of(tx, evidence, &found.erased)?].concat();
    let [claim] = attribution::meant(evidence.start, &living, &all).claims[..] else {
        return Ok(None);
    };
    let converts = conversion_time(tx, evidence, claim, &all)?.is_ok();
    Ok(converts.then(|| claim.clone()))
}

/// The referrals that an event may be about, of customers who have not been erased. Most invoices are those of a month
/// like any other, and nothing to a referral's story.
fn living_claims(
    tx: &mut dyn Tx,
    evidence: &Evidence<'_>,
    customers: &[Found],
) -> Result<Vec<Claim>, Fault> {
    let mut claims = claims_of(tx, evidence, customers)?;
    if evidence.start.source == Source::Invoice {
        claims.retain(waits_for_payment);
    }
    Ok(claims)
}

/// Whether a payment may convert a referral.
fn waits_for_payment(claim: &Claim) -> bool {
    let trigger = claim.referral.terms.conversion_trigger;
    claim.referral.status == Status::Pending && trigger == ConversionTrigger::FirstPaidInvoice
}

/// Whom an event may be about.
fn candidates(evidence: &Evidence<'_>) -> Candidates {
    attribution::candidates(evidence.start, evidence.named.as_ref(), &evidence.leads)
}

/// Links the customer that the event shows to be its Stripe customer, if it is not linked yet.
fn link(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    found: &Candidates,
    later: &mut ToReconsider,
) -> Result<(), Fault> {
    let (Some(to_link), Some(stripe_id)) = (&found.to_link, evidence.start.stripe_ids().next())
    else {
        return Ok(());
    };
    let (place, id) = (evidence.place(to_link), &to_link.customer_id);
    let linked = inside(tx, act, &place, to_link.is_test, |tx, act| {
        if !customers::link(tx, &place, id, stripe_id, act.at)? {
            return Ok(false);
        }
        let event = Event::CustomerLinked {
            changed: Vec::new(),
            instead_of: None,
            stripe_customer_id: stripe_id,
        };
        events::record(tx, act, &place, id, &event)?;
        delivery::linked(tx, act, &place, id)?;
        Ok(true)
    })?;
    if linked {
        later.add(place, id);
    }
    Ok(())
}

/// An event that finds nobody. If that is because of a link, it says so, and so does the story of whom it names.
fn of_nobody(tx: &mut dyn Tx, act: &mut Act, evidence: &Evidence<'_>) -> Result<Settled, Fault> {
    let start = evidence.start;
    if evidence.spares_tests {
        return Ok(Settled::new(Outcome::Ignored, OF_LIVE_MODE));
    }
    let disputed = attribution::disputed(start, evidence.named.as_ref(), &evidence.leads);
    let Some(found) = disputed else {
        return Ok(Settled::new(Outcome::NoCustomer, "no such customer"));
    };
    // Anybody may begin a session under any reference; only a purchase is worth telling.
    if start.eligibility == Eligibility::Counts {
        for claim in claims_of(tx, evidence, std::slice::from_ref(found))? {
            not_converted(tx, act, evidence, &claim, LINKED_TO_ANOTHER)?;
        }
    }
    Ok(Settled::new(Outcome::NoCustomer, LINKED_TO_ANOTHER))
}

/// The referrals in which these customers are the referees.
fn claims_of(
    tx: &mut dyn Tx,
    evidence: &Evidence<'_>,
    customers: &[Found],
) -> Result<Vec<Claim>, Fault> {
    let mut claims = Vec::new();
    for found in customers {
        let place = evidence.place(found);
        if let Some(referral) = referrals::of_referee(tx, &place, &found.customer_id)? {
            claims.push(Claim {
                project_id: place.project_id,
                is_test: found.is_test,
                referral,
            });
        }
    }
    Ok(claims)
}

/// What became of an event, about the only customer it may concern.
fn of_only(evidence: &Evidence<'_>, settled: Settled, customers: &[Found]) -> Settled {
    match customers {
        [found] => settled.of_customer(&evidence.place(found), &found.customer_id),
        _ => settled,
    }
}

/// An event that does not count (yet): tells every referral it concerns why.
fn does_not_count(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    reason: &str,
    claims: &[Claim],
    customers: &[Found],
) -> Result<Settled, Fault> {
    for claim in claims {
        not_converted(tx, act, evidence, claim, reason)?;
    }
    let outcome = attribution::outcome_of_uncounted(evidence.start.eligibility);
    let mut settled = of_only(evidence, Settled::new(outcome, reason), customers);
    if let [claim] = claims {
        settled.referral_id = Some(claim.referral.id.clone());
    }
    Ok(settled)
}

/// Decides about the one referral an event is about; `all` are those of everybody who is that person.
fn decide(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    claim: &Claim,
    all: &[Claim],
) -> Result<Settled, Fault> {
    let Claim {
        project_id,
        referral,
        is_test,
    } = claim;
    let place = Place::new(evidence.team_id.clone(), project_id.clone());
    let objection = match conversion_time(tx, evidence, claim, all)? {
        Ok(at) => {
            inside(tx, act, &place, *is_test, |tx, act| {
                convert(tx, act, evidence, &place, referral, at)
            })?;
            None
        }
        Err(why) => Some(why),
    };
    let settled = match objection {
        None => Settled::new(Outcome::Converted, "converted"),
        Some(why) => {
            not_converted(tx, act, evidence, claim, why.as_str())?;
            if why == NotConverted::BeginningUnknown {
                let subscription = evidence.start.subscription();
                asking::for_beginning(tx, act, evidence.team_id, subscription)?;
            }
            Settled::new(why.outcome(), why.as_str())
        }
    };
    Ok(Settled {
        referral_id: Some(referral.id.clone()),
        ..settled.of_customer(&place, &referral.referee_customer_id)
    })
}

/// When an event converts a referral by the time of day, or what speaks against it.
fn conversion_time(
    tx: &mut dyn Tx,
    evidence: &Evidence<'_>,
    claim: &Claim,
    all: &[Claim],
) -> Result<Result<Micros, NotConverted>, Fault> {
    let at = match attribution::conversion_time(&claim.referral, evidence.start, evidence.began_at)
    {
        Ok(at) => at,
        Err(why) => return Ok(Err(why)),
    };
    let place = Place::new(evidence.team_id.clone(), claim.project_id.clone());
    let objections = objections(tx, &place, evidence.start, claim, all)?;
    Ok(objections.first().map_or(Ok(at), Err))
}

fn objections(
    tx: &mut dyn Tx,
    place: &Place,
    start: &Start,
    claim: &Claim,
    all: &[Claim],
) -> Result<Objections, Fault> {
    if claim.is_late(all) {
        return Ok(Objections {
            is_late: true,
            ..Objections::default()
        });
    }
    Ok(Objections {
        is_late: false,
        is_own: is_own_referral(tx, place, &claim.referral, start)?,
        is_paid: is_paid(tx, place, start)?,
        is_unanswered: claim.referral.question_since.is_some(),
    })
}

/// Whether referrer and referee are one person. The apply could not see it if one of them was linked or
/// changed their address afterwards.
fn is_own_referral(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    start: &Start,
) -> Result<bool, Fault> {
    let ids = [
        &*referral.referrer_customer_id,
        &*referral.referee_customer_id,
    ];
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let [referrer, referee] = ids.map(|id| [team_id.into(), project_id.into(), Val::from(id)]);
    let queries = [
        (customers::PERSON, &referrer[..]),
        (customers::PERSON, &referee[..]),
    ];
    let mut known = [(None, None), (None, None)];
    tx.query_together(&queries, &mut |number, row| {
        known[number] = (row.opt_string(0)?, row.opt_string(1)?);
        Ok(())
    })?;
    let [one, other] = [person(ids[0], &known[0]), person(ids[1], &known[1])];
    let pays = |id| one.stripe_customer_id == Some(id);
    Ok(is_self_referral(&one, &other) || start.stripe_ids().any(pays))
}

/// A person by what a row of [`customers::PERSON`] tells.
fn person<'a>(id: &'a str, known: &'a (Option<String>, Option<String>)) -> Person<'a> {
    Person {
        customer_id: id,
        email: known.0.as_deref(),
        stripe_customer_id: known.1.as_deref(),
    }
}

/// Whether the same subscription has converted a referral, or the same Stripe customer one in this project.
/// For two at the same moment the unique indexes decide.
fn is_paid(tx: &mut dyn Tx, place: &Place, start: &Start) -> Result<bool, Fault> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let customers: Vec<_> = start
        .stripe_ids()
        .map(|id| [Val::from(team_id), Val::from(project_id), Val::from(id)])
        .collect();
    let subscription = params![team_id, start.subscription()];
    let mut queries: Vec<Query<'_>> = vec![(referrals::PAID_FOR_SUBSCRIPTION, subscription)];
    for (customer, id) in customers.iter().zip(start.stripe_ids()) {
        queries.push((referrals::PAID_FOR_CUSTOMER, customer));
        // A referral keeps the customer where an event names both, so only an account can be missed.
        if id.starts_with("acct_") {
            queries.push((referrals::PAID_FOR_ACCOUNT, customer));
        }
    }
    let mut is_paid = false;
    tx.query_together(&queries, &mut |_, _| {
        is_paid = true;
        Ok(())
    })?;
    Ok(is_paid)
}

/// Adds to a referral's story why an event did not convert it, if that belongs there and is not the last that was
/// said of this event.
fn not_converted(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    claim: &Claim,
    reason: &str,
) -> Result<(), Fault> {
    let referral = &claim.referral;
    if !attribution::belongs_to_story(evidence.kind, referral.status) {
        return Ok(());
    }
    let told = (evidence.team_id, &*referral.id, evidence.event_id);
    if evidence.is_known && events::why_not(tx, told)?.as_deref() == Some(reason) {
        return Ok(());
    }
    let place = Place::new(evidence.team_id.clone(), claim.project_id.clone());
    inside(tx, act, &place, claim.is_test, |tx, act| {
        let mut chapter = referrals::tell(tx, act, &place, &referral.id)?;
        let event = Event::ReferralNotConverted {
            reason,
            status: chapter.status(),
            stripe_event_id: evidence.event_id,
            stripe_event_type: evidence.kind,
            stripe_object_id: &evidence.start.object_id,
        };
        events::record_in_story(tx, act, &place, &mut chapter, &referral.id, &event)
    })
}
