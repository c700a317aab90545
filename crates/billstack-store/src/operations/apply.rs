//! Applying a code: a new customer says who brought them.

mod facts;

use billstack_core::event::Event;
use billstack_core::ids::IdKind;
use billstack_core::referral::{ApplyFacts, ApplyRefusal, Person, Referral, Status, decide_apply};
use billstack_core::source::{Chosen, Ignored, NoCode, Source};
use billstack_core::stripe_event::Subscriptions;
use billstack_core::time::Micros;

use super::asked::convert_by_known;
use super::expiry;
use super::newness;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::codes::HeldCode;
use crate::tables::customers::Customer;
use crate::tables::programs::KeptProgram;
use crate::tables::{events, referrals};

use facts::Facts;

pub use super::asked::Asked;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The code or a name of it, in the form in which both are compared; `None` when the text cannot be one.
    pub code: Option<String>,
    /// Whether anything was typed at all.
    pub is_typed: bool,
    /// What a share link left with the customer.
    pub click_token: Option<String>,
    /// The new customer.
    pub referee_customer_id: String,
    /// What is known from Stripe.
    pub in_stripe: InStripe,
}

/// What Stripe told of a referee, whose events may not have come yet.
#[derive(Clone, Debug)]
pub enum InStripe {
    /// It was not asked.
    NotAsked,
    /// Whom it was asked about, and their subscriptions.
    Told(Asked, Subscriptions),
    /// It had no answer. The code is applied, and Stripe is asked later.
    NoAnswer,
}

impl Apply {
    /// What Stripe told of the referee as they are now.
    fn told_of(&self, referee: &Customer) -> Option<&Subscriptions> {
        match &self.in_stripe {
            InStripe::Told(asked, told) => (*asked == Asked::about(referee)).then_some(told),
            InStripe::NotAsked | InStripe::NoAnswer => None,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The code is applied.
    Done(Box<Referral>),
    /// No rule refuses it so far, and Stripe can tell whether this person is new: ask, and apply again with the
    /// answer. Nothing was written.
    AskStripe(Asked),
}

/// Applies a code. A subscription that is already known and began within the grace converts the
/// referral at once, in the same transaction.
pub fn apply(tx: &mut dyn Tx, act: &mut Act, place: &Place, cmd: &Apply) -> Result<Applied, Abort> {
    let gathered = facts::gather(tx, act, place, cmd)?;
    let mut facts = gathered.ok_or(Refusal::NotFound(Thing::Customer))?;
    let chosen = facts.chosen.clone().map_err(|none| match none {
        NoCode::Unknown => Refusal::NotFound(Thing::Code),
        NoCode::InvalidToken => Refusal::InvalidClickToken,
    })?;
    let held = facts.code.take().ok_or(Refusal::NotFound(Thing::Code))?;
    let decided = decide(&facts, &held, &chosen, cmd, act.real());
    match (decided, facts.existing) {
        (Err(ApplyRefusal::AlreadyReferred), Some(existing)) => {
            return Err(Refusal::AlreadyReferred(Box::new(existing)).into());
        }
        (Err(refusal), _) => return Err(Refusal::from(refusal).into()),
        (Ok(()), _) => {}
    }
    let (referee, code) = (facts.referee, held.code);
    let told = cmd.told_of(&referee);
    let is_unanswered = matches!(cmd.in_stripe, InStripe::NoAnswer);
    if told.is_none() && facts.stripe_answers && !is_unanswered {
        return Ok(Applied::AskStripe(Asked::about(&referee)));
    }
    let referral = Referral {
        id: act.id(IdKind::Referral),
        code: code.code,
        referrer_customer_id: code.customer_id,
        referee_customer_id: referee.id.clone(),
        status: Status::Pending,
        created_at: act.at,
        clock_offset: act.ahead(),
        converted_at: None,
        terms: facts.program.program.terms.clone(),
        question_since: is_unanswered.then_some(act.at),
        attribution: chosen.attribution,
    };
    insert(tx, act, place, &referral, &facts.program, chosen.ignored)?;
    expiry::begin(tx, act, place, &referral)?;
    if is_unanswered {
        newness::ask_later(tx, act, place, &referral.id)?;
    }
    let counting = told.and_then(|told| told.counting.as_deref());
    if !facts.starts.any && counting.is_none() {
        return Ok(Applied::Done(Box::new(referral)));
    }
    let known = convert_by_known(tx, act, place, &referee, &referral.id, counting)?;
    Ok(Applied::Done(Box::new(known)))
}

fn decide(
    facts: &Facts,
    held: &HeldCode,
    chosen: &Chosen,
    cmd: &Apply,
    now: Micros,
) -> Result<(), ApplyRefusal> {
    let told = cmd.told_of(&facts.referee).and_then(|told| told.earliest);
    decide_apply(&ApplyFacts {
        already_referred: facts.existing.is_some(),
        program_enabled: facts.program.program.enabled,
        click_expired: chosen.is_over,
        code_active: held.code.is_active,
        referrer: Person {
            customer_id: &held.code.customer_id,
            email: held.owner_email.as_deref(),
            stripe_customer_id: held.owner_stripe_id.as_deref(),
        },
        referee: Person {
            customer_id: &facts.referee.id,
            email: Some(&facts.referee.email),
            stripe_customer_id: facts.referee.stripe_customer_id.as_deref(),
        },
        is_reciprocal: facts.is_reciprocal,
        earliest_subscription: facts.starts.earliest.into_iter().chain(told).min(),
        now,
        grace: facts.program.program.terms.grace,
    })
}

fn insert(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referral: &Referral,
    program: &KeptProgram,
    click_ignored: Option<Ignored>,
) -> Result<(), Abort> {
    let inserted = referrals::insert(tx, place, referral, &program.id, &program.terms_id)?;
    let Some(mut chapter) = inserted else {
        // The unique index on the referee decides; whoever holds it is committed by now.
        let winner = referrals::of_referee(tx, place, &referral.referee_customer_id)?;
        let winner = winner.ok_or_else(|| Fault::Conflict("referral id taken".to_owned()))?;
        return Err(Refusal::AlreadyReferred(Box::new(winner)).into());
    };
    let source = referral.attribution.source;
    let event = Event::ReferralApplied {
        click_ignored,
        code: &referral.code,
        currency: referral.terms.currency,
        referee_credit_amount: referral.terms.referee_credit_amount,
        referee_customer_id: &referral.referee_customer_id,
        referrer_credit_amount: referral.terms.referrer_credit_amount,
        referrer_customer_id: &referral.referrer_customer_id,
        source: (source != Source::Code).then_some(source),
    };
    Ok(events::record_in_story(
        tx,
        act,
        place,
        &mut chapter,
        &referral.id,
        &event,
    )?)
}
