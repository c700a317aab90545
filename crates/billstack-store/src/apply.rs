//! Applying a code: a new customer says who brought them.

mod facts;

use billstack_core::ids::IdKind;
use billstack_core::referral::{ApplyFacts, ApplyRefusal, Person, Status, decide_apply};
use billstack_core::stripe_event::{Start, Subscriptions};
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::codes::Held;
use crate::customers::Customer;
use crate::reconsider::{self, Which};
use crate::referrals::{self, Referral};
use crate::refusal::Refusal;
use crate::stripe_events::{self, Content, Delivery, Incoming};
use crate::tx::{Abort, Fault, Tx};
use crate::{params, statements};

use facts::Facts;

statements! {
    INSERT = "INSERT INTO referrals (team_id, project_id, code, created_at, id, \
        referrer_customer_id, referee_customer_id, status, referrer_credit_amount, \
        referee_credit_amount, currency) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8, $9, $10) ON CONFLICT DO NOTHING";
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Apply {
    /// The normalised code, `None` when the text cannot be one.
    pub code: Option<String>,
    /// The new customer.
    pub referee_customer_id: String,
    /// The Stripe customer that Stripe was asked about, and the subscriptions that it told of; their
    /// events may not have come yet.
    pub in_stripe: Option<(String, Subscriptions)>,
    /// How long before the apply a subscription may have begun, in microseconds.
    pub grace: i64,
}

impl Apply {
    /// What Stripe told of the Stripe customer that the referee is now.
    fn told_of(&self, referee: &Customer) -> Option<&Subscriptions> {
        let (id, told) = self.in_stripe.as_ref()?;
        (referee.stripe_customer_id.as_ref() == Some(id)).then_some(told)
    }
}

/// Applies a code. A subscription that is already known and began within the grace converts the
/// referral at once, in the same transaction.
///
/// Where Stripe can be asked whether the customer is new, and nothing else speaks against the code,
/// the refusal [`Refusal::StripeUnasked`] says whom to ask about before it is tried again.
pub fn apply(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    cmd: &Apply,
) -> Result<Referral, Abort> {
    let mut facts = facts::gather(tx, place, cmd)?.ok_or(Refusal::NotFound("customer"))?;
    let held = facts.code.take().ok_or(Refusal::NotFound("code"))?;
    match (decide(&facts, &held, cmd, act.at), facts.existing) {
        (Err(ApplyRefusal::AlreadyReferred), Some(existing)) => {
            return Err(Refusal::AlreadyReferred(Box::new(existing)).into());
        }
        (Err(refusal), _) => return Err(Refusal::from(refusal).into()),
        (Ok(()), _) => {}
    }
    let (referee, code) = (facts.referee, held.code);
    let told = cmd.told_of(&referee);
    if let (None, true, Some(id)) = (told, facts.stripe_answers, &referee.stripe_customer_id) {
        return Err(Refusal::StripeUnasked(id.clone()).into());
    }
    let counting = told.and_then(|told| told.counting.as_ref());
    let referral = Referral {
        id: act.id(IdKind::Referral),
        code: code.code,
        referrer_customer_id: code.customer_id,
        referee_customer_id: referee.id.clone(),
        status: Status::Pending,
        created_at: act.at,
        converted_at: None,
        terms: facts.program.terms(),
    };
    insert(tx, act, place, &referral)?;
    if !facts.starts.any && counting.is_none() {
        return Ok(referral);
    }
    reconsider::again(tx, act, place, &referee, Which::Open, cmd.grace)?;
    let known = read_back(tx, place, &referral.id)?;
    let (Status::Pending, Some(start)) = (known.status, counting) else {
        return Ok(known);
    };
    take_found(tx, act, place, start, cmd.grace)?;
    read_back(tx, place, &referral.id)
}

fn decide(facts: &Facts, held: &Held, cmd: &Apply, now: Micros) -> Result<(), ApplyRefusal> {
    let told = cmd.told_of(&facts.referee).and_then(|told| told.earliest);
    decide_apply(&ApplyFacts {
        already_referred: facts.existing.is_some(),
        program_enabled: facts.program.enabled,
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
        earliest_subscription: facts.starts.earliest.into_iter().chain(told).min(),
        now,
        grace: cmd.grace,
    })
}

fn read_back(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Referral, Abort> {
    let found = referrals::get(tx, place, id)?;
    Ok(found.ok_or_else(|| Fault::Defect(format!("no referral {id}")))?)
}

/// Takes a subscription that Stripe told of when asked for an event of its own: whoever asks why the
/// referral converted finds it among the others.
fn take_found(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    start: &Start,
    grace: i64,
) -> Result<(), Abort> {
    let event = Incoming {
        id: format!("asked_{}", start.object_id),
        kind: "customer.subscription.found".to_owned(),
        created_at: act.at,
        livemode: None,
        content: Content::Start(Box::new(start.clone())),
        payload: json!({"id": start.object_id, "object": "subscription"}).to_string(),
        grace,
    };
    stripe_events::receive(tx, act, &place.team_id, &event, Delivery::Delivered)?;
    Ok(())
}

fn insert(tx: &mut dyn Tx, act: &mut Act, place: &Place, referral: &Referral) -> Result<(), Abort> {
    let inserted = tx.hit(
        INSERT,
        params![
            &place.team_id,
            &place.project_id,
            &referral.code,
            referral.created_at,
            &referral.id,
            &referral.referrer_customer_id,
            &referral.referee_customer_id,
            referral.terms.referrer_credit_amount,
            referral.terms.referee_credit_amount,
            &referral.terms.currency,
        ],
    )?;
    if !inserted {
        // The unique index on the referee decides; whoever holds it is committed by now.
        let winner = referrals::get_of_referee(tx, place, &referral.referee_customer_id)?;
        let winner = winner.ok_or_else(|| Fault::Conflict("referral id taken".to_owned()))?;
        return Err(Refusal::AlreadyReferred(Box::new(winner)).into());
    }
    let facts = json!({
        "code": referral.code,
        "referrerCustomerId": referral.referrer_customer_id,
        "refereeCustomerId": referral.referee_customer_id,
        "referrerCreditAmount": referral.terms.referrer_credit_amount.get(),
        "refereeCreditAmount": referral.terms.referee_credit_amount.get(),
        "currency": referral.terms.currency.as_str(),
    });
    let subject = &referral.id;
    let fact = Fact {
        kind: "referral.applied",
        subject,
        referral_id: Some(subject),
        facts,
    };
    Ok(act.record(tx, place, &fact)?)
}
