//! Applying a code: a new customer says who brought them.

mod facts;

use billstack_core::ids::IdKind;
use billstack_core::referral::{ApplyFacts, ApplyRefusal, Person, Status, decide_apply};
use billstack_core::stripe_event::Start;
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::reconsider;
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
    /// The oldest subscription of the referee that Stripe told of when asked, if it was asked.
    pub earliest_in_stripe: Option<Micros>,
    /// The oldest that counts now, as Stripe told; its event may not have come yet.
    pub counting_in_stripe: Option<Box<Start>>,
    /// How long before the apply a subscription may have begun, in microseconds.
    pub grace: i64,
}

/// Applies a code. A subscription that is already known and began within the grace converts the
/// referral at once, in the same transaction.
pub fn apply(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    cmd: &Apply,
) -> Result<Referral, Abort> {
    let facts = facts::gather(tx, place, cmd)?.ok_or(Refusal::NotFound("customer"))?;
    let Facts {
        referee,
        code,
        existing,
        program,
        starts,
    } = facts;
    let held = code.ok_or(Refusal::NotFound("code"))?;
    let code = held.code;
    let decision = decide_apply(&ApplyFacts {
        already_referred: existing.is_some(),
        program_enabled: program.enabled,
        code_active: code.is_active,
        referrer: Person {
            customer_id: &code.customer_id,
            email: held.owner_email.as_deref(),
            stripe_customer_id: held.owner_stripe_id.as_deref(),
        },
        referee: Person {
            customer_id: &referee.id,
            email: Some(&referee.email),
            stripe_customer_id: referee.stripe_customer_id.as_deref(),
        },
        earliest_subscription: starts
            .earliest
            .into_iter()
            .chain(cmd.earliest_in_stripe)
            .min(),
        now: act.at,
        grace: cmd.grace,
    });
    match (decision, existing) {
        (Err(ApplyRefusal::AlreadyReferred), Some(existing)) => {
            return Err(Refusal::AlreadyReferred(Box::new(existing)).into());
        }
        (Err(refusal), _) => return Err(Refusal::from(refusal).into()),
        (Ok(()), _) => {}
    }
    let referral = Referral {
        id: act.id(IdKind::Referral),
        code: code.code,
        referrer_customer_id: code.customer_id,
        referee_customer_id: referee.id.clone(),
        status: Status::Pending,
        created_at: act.at,
        converted_at: None,
        terms: program.terms(),
    };
    insert(tx, act, place, &referral)?;
    if !starts.any && cmd.counting_in_stripe.is_none() {
        return Ok(referral);
    }
    reconsider::all(tx, act, place, &referee, cmd.grace)?;
    let known = read_back(tx, place, &referral.id)?;
    let (Status::Pending, Some(start)) = (known.status, &cmd.counting_in_stripe) else {
        return Ok(known);
    };
    take_found(tx, act, place, start, cmd.grace)?;
    read_back(tx, place, &referral.id)
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
