//! Converting a referral: it moves on, and its credits and their entries are written with it.

use billstack_core::credit::limits::{PaidBefore, Withheld, limit};
use billstack_core::credit::{CreditKind, Grant, Side, grants, held_until};
use billstack_core::event::Event;
use billstack_core::ledger::Cause;
use billstack_core::program::{Caps, CreditDelivery};
use billstack_core::project::by_clock;
use billstack_core::referral::Referral;
use billstack_core::time::Micros;

use super::budget::{self, Account};
use super::credits::give::{Given, give, tell_attention};
use super::evidence::Evidence;
use super::payments::{self, Why};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::entries::Reason;
use crate::tables::programs;
use crate::tables::referrals::{self, Advance, Chapter};
use crate::tables::{credits, events};

/// A conversion that is being written.
struct Conversion<'a> {
    evidence: &'a Evidence<'a>,
    place: &'a Place,
    referral: &'a Referral,
    at: Micros,
    chapter: Chapter,
}

/// What the program gives at most, as it stands at the conversion.
struct Limits {
    caps: Caps,
    paid_before: Option<PaidBefore>,
    account: Option<Account>,
}

/// Converts a pending referral, and grants its credits. It goes by the clock of the project; the time is that of the
/// day.
pub(super) fn convert(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    place: &Place,
    referral: &Referral,
    at: Micros,
) -> Result<(), Fault> {
    let at = by_clock(at, act.at, act.ahead()).max(referral.created_at);
    let start = evidence.start;
    payments::hold_subscription(tx, place, &referral.terms, start.subscription())?;
    let grants = grants(&referral.terms);
    let limits = limits(tx, place, referral, at, &grants)?;
    let to = Advance::Converted {
        at,
        stripe_customer_id: start.stripe_ids().next(),
        stripe_event_id: evidence.event_id,
        stripe_subscription_id: start.subscription(),
    };
    let events = 1 + grants.len() as i64;
    let advanced = referrals::advance(tx, act, place, &referral.id, to, events)?;
    let changed = || Fault::Conflict("the referral changed since it was read".to_owned());
    let mut conversion = Conversion {
        evidence,
        place,
        referral,
        at,
        chapter: advanced.ok_or_else(changed)?,
    };
    conversion.tell(tx, act, &limits)?;
    let is_capped = |before| limits.caps.are_reached(before);
    let is_capped = limits.paid_before.is_some_and(is_capped);
    let budget = limits.account.as_ref().map(Account::budget);
    let (mut spent, mut is_short) = (0, false);
    for (grant, withheld) in limit(grants, is_capped, budget) {
        is_short |= withheld == Some(Withheld::BudgetExhausted);
        match withheld {
            Some(why) => conversion.withhold(tx, act, &grant, why)?,
            None => {
                spent += grant.amount.get();
                conversion.grant(tx, act, &grant)?;
            }
        }
    }
    if let Some(account) = limits.account {
        budget::take(tx, act, place, account, spent, is_short)?;
    }
    lose(tx, act, evidence, place, referral, at)
}

/// Takes back what was lost of the payment before it converted anything.
fn lose(
    tx: &mut dyn Tx,
    act: &mut Act,
    evidence: &Evidence<'_>,
    place: &Place,
    referral: &Referral,
    at: Micros,
) -> Result<(), Fault> {
    let subscription = evidence.start.subscription();
    let converted = Referral {
        converted_at: Some(at),
        ..referral.clone()
    };
    let why = Why::event(evidence.event_id, Some(subscription), at);
    payments::bring_back(tx, act, place, &converted, subscription, why)
}

/// Holds and reads what limits the grants of a conversion.
fn limits(
    tx: &mut dyn Tx,
    place: &Place,
    referral: &Referral,
    at: Micros,
    grants: &[Grant],
) -> Result<Limits, Fault> {
    let kept = programs::hold(tx, place)?;
    let caps = kept.program.caps;
    let pays_referrer = grants.iter().any(|grant| grant.side == Side::Referrer);
    let mut paid_before = None;
    if caps != Caps::default() && pays_referrer {
        let referrer = &referral.referrer_customer_id;
        tx.lock(&place.team_id, &[&format!("paid:{referrer}")])?;
        paid_before = Some(credits::paid_before(tx, place, referrer, at)?);
    }
    let account = match grants.is_empty() {
        true => None,
        false => budget::hold(tx, place, &kept, referral.terms.currency)?,
    };
    Ok(Limits {
        caps,
        paid_before,
        account,
    })
}

impl<'a> Conversion<'a> {
    /// Who has the credit of a side.
    fn customer_of(&self, side: Side) -> Option<&'a str> {
        let referral = self.referral;
        match side {
            Side::Referrer => Some(&referral.referrer_customer_id),
            Side::Referee => Some(&referral.referee_customer_id),
            Side::Other(_) => None,
        }
    }

    fn record(
        &mut self,
        tx: &mut dyn Tx,
        act: &mut Act,
        subject: &str,
        event: &Event<'_>,
    ) -> Result<(), Fault> {
        events::record_in_story(tx, act, self.place, &mut self.chapter, subject, event)
    }

    fn tell(&mut self, tx: &mut dyn Tx, act: &mut Act, limits: &Limits) -> Result<(), Fault> {
        let budget = limits.account.as_ref().map(Account::budget);
        let counted = limits.paid_before.filter(|_| limits.caps.total.is_some());
        let counted_in_month = limits
            .paid_before
            .filter(|_| limits.caps.per_month.is_some());
        let event = Event::ReferralConverted {
            budget: budget.map(|budget| budget.limit),
            budget_out: budget.map(|budget| budget.out),
            max_conversions_per_month: counted_in_month.and(limits.caps.per_month),
            max_conversions_total: counted.and(limits.caps.total),
            paid_before_in_month: counted_in_month.map(|before| before.in_month),
            paid_before_total: counted.map(|before| before.total),
            stripe_event_id: self.evidence.event_id,
            stripe_event_type: self.evidence.kind,
            stripe_object_id: &self.evidence.start.object_id,
        };
        self.record(tx, act, &self.referral.id, &event)
    }

    fn withhold(
        &mut self,
        tx: &mut dyn Tx,
        act: &mut Act,
        grant: &Grant,
        why: Withheld,
    ) -> Result<(), Fault> {
        let Some(customer_id) = self.customer_of(grant.side) else {
            return Ok(());
        };
        let event = Event::ReferralCreditWithheld {
            amount: grant.amount,
            currency: self.referral.terms.currency,
            customer_id,
            reason: why.as_str(),
            side: grant.side,
        };
        self.record(tx, act, &self.referral.id, &event)
    }

    fn grant(&mut self, tx: &mut dyn Tx, act: &mut Act, grant: &Grant) -> Result<(), Fault> {
        let Some(customer_id) = self.customer_of(grant.side) else {
            return Ok(());
        };
        let referral = self.referral;
        let given = Given {
            kind: CreditKind::Referral,
            customer_id: customer_id.to_owned(),
            earned_by: Some((referral.id.clone(), grant.side)),
            amount: grant.amount,
            currency: referral.terms.currency,
            held_until: held_until(&referral.terms, self.at),
            by_stripe: referral.terms.credit_delivery == CreditDelivery::StripeBalance,
            // The event may have come in before the apply, and waited for it.
            at: act.at.max(referral.created_at),
        };
        let reason = Reason::new(Cause::Event, self.evidence.event_id, self.at);
        let credit = give(tx, act, self.place, given, reason)?;
        let event = Event::CreditGranted {
            amount: credit.amount,
            credit_id: &credit.id,
            currency: credit.currency,
            customer_id: &credit.customer_id,
            held_until: credit.held_until,
            reason: None,
            side: credit.side,
        };
        self.record(tx, act, &credit.id, &event)?;
        tell_attention(tx, act, self.place, &credit)
    }
}
