//! Whose event of Stripe is it, does it count, and who was first?
//!
//! The store reads the rows; what follows from them is decided here. Two questions are kept apart:
//! whom an event may be about ([`candidates`]), and which referral of theirs it converts ([`meant`],
//! [`conversion_time`] and [`Objections`]).

mod candidates;

pub use candidates::{Candidates, Found, Leads, candidates, disputed, names_spoken_for};

use crate::ids::ProjectId;
use crate::payments::{NotPaid, payment};
use crate::program::ConversionTrigger;
use crate::referral::{Referral, Status, Terms, began_too_early};
use crate::stripe_event::{Eligibility, Start};
use crate::time::Micros;

text_enum! {
    /// What became of an event of Stripe.
    pub enum Outcome {
        /// It converted a referral.
        Converted = "converted",
        /// Its customer has no referral it could convert.
        NoReferral = "no_referral",
        /// Nobody here is its customer, so far.
        NoCustomer = "no_customer",
        /// Several pending referrals could be meant.
        Ambiguous = "ambiguous",
        /// It does not concern us, or can never convert.
        Ignored = "ignored",
        /// It may count later: an incomplete subscription, an unpaid session, a question to Stripe that is open,
        /// a payment whose invoice is not known.
        Waiting = "waiting",
        /// It tells of a payment, which is kept for whoever has a credit for it.
        Recorded = "recorded",
        /// It could not be read to the end; a replay may help.
        Failed = "failed",
    }
}

/// What becomes of an event that tells of a subscription which does not count (yet).
pub const fn outcome_of_uncounted(eligibility: Eligibility) -> Outcome {
    match eligibility {
        Eligibility::Waits => Outcome::Waiting,
        _ => Outcome::Ignored,
    }
}

/// Which of the kept events that may belong to a customer are decided anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconsider {
    /// Those that found nobody, for a customer who has just been created. A new customer has no referral, so
    /// no other event can convert one, and the stories of others stay as they are.
    Unplaced,
    /// Those that have not converted, for a customer who has applied a code or been linked.
    Open,
}

impl Reconsider {
    /// Whether an event with this outcome is decided anew. What a newer version decided stays.
    pub fn includes(self, outcome: Outcome) -> bool {
        match (self, outcome) {
            (_, Outcome::Converted | Outcome::Other(_)) => false,
            (Reconsider::Unplaced, outcome) => outcome == Outcome::NoCustomer,
            (Reconsider::Open, _) => true,
        }
    }
}

/// Whether an event that did not convert a referral belongs to its story. A routine update of the
/// subscription that converted it long ago does not.
pub fn belongs_to_story(event_type: &str, status: Status) -> bool {
    let is_routine = !matches!(
        event_type,
        "customer.subscription.created"
            | "checkout.session.completed"
            | "checkout.session.async_payment_succeeded"
    );
    !is_routine || status == Status::Pending
}

/// A referral of somebody whom an event may be about.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// Its project.
    pub project_id: ProjectId,
    /// Whether that is a test project.
    pub is_test: bool,
    /// The referral.
    pub referral: Referral,
}

impl Claim {
    /// Whether the same person was referred before in this project under another customer's id. The apply
    /// could not see it, because the link came later. `all` are the referrals of everybody who is that
    /// person.
    pub fn is_late(&self, all: &[Claim]) -> bool {
        let own = (self.referral.created_at, &self.referral.id);
        all.iter().any(|other| {
            let theirs = (other.referral.created_at, &other.referral.id);
            other.project_id == self.project_id && theirs < own
        })
    }
}

/// The pending referrals that an event may be about.
#[derive(Debug, Default, PartialEq)]
pub struct Meant<'c> {
    /// Those that may be meant.
    pub claims: Vec<&'c Claim>,
    /// Those that are not, because the person had been referred before.
    pub late: Vec<&'c Claim>,
}

/// Which pending referrals are meant: of several in one project the first, and of several altogether the one
/// whose referee the team itself names.
pub fn meant<'c>(start: &Start, living: &'c [Claim], all: &[Claim]) -> Meant<'c> {
    let pending = living
        .iter()
        .filter(|claim| claim.referral.status == Status::Pending);
    let claims: Vec<_> = pending.collect();
    let late = Vec::new();
    if claims.len() < 2 {
        return Meant { claims, late };
    }
    let (late, mut claims): (Vec<_>, Vec<_>) =
        claims.into_iter().partition(|claim| claim.is_late(all));
    let named = start.billstack_customer_id.as_deref();
    let is_named = |claim: &&Claim| named == Some(&claim.referral.referee_customer_id);
    if claims.iter().any(is_named) {
        claims.retain(is_named);
    }
    Meant { claims, late }
}

/// Why a subscription does not convert a referral.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NotConverted {
    /// It has been converted, or the same subscription or Stripe customer has converted another one: credits
    /// are granted once.
    AlreadyConverted,
    /// The Stripe customer had been referred under another customer's id before.
    AlreadyReferred,
    /// Referrer and referee have turned out to be one person.
    SelfReferral,
    /// It is closed.
    ReferralExpired,
    /// The subscription is older than the referral by more than the grace.
    BeganTooEarly,
    /// The subscription is in its trial, and such a one does not convert it.
    InTrial,
    /// Only a payment converts it.
    WaitsForPayment,
    /// An invoice is no such payment.
    NotPaid(NotPaid),
    /// It is not known when the subscription began that an invoice is of.
    BeginningUnknown,
    /// Stripe has not told yet whether the referee was new when they applied the code.
    Unanswered,
}

impl NotConverted {
    /// The reason as a short phrase, for the event log.
    pub const fn as_str(self) -> &'static str {
        match self {
            NotConverted::AlreadyConverted => "already converted",
            NotConverted::AlreadyReferred => "already referred",
            NotConverted::SelfReferral => "self-referral",
            NotConverted::ReferralExpired => "referral expired",
            NotConverted::BeganTooEarly => "began too early",
            NotConverted::InTrial => "in its trial",
            NotConverted::WaitsForPayment => "waits for a paid invoice",
            NotConverted::NotPaid(why) => why.as_str(),
            NotConverted::BeginningUnknown => "it is not known when the subscription began",
            NotConverted::Unanswered => "waits for Stripe to tell whether the customer was new",
        }
    }

    /// What becomes of the event.
    pub const fn outcome(self) -> Outcome {
        match self {
            NotConverted::InTrial
            | NotConverted::WaitsForPayment
            | NotConverted::BeginningUnknown
            | NotConverted::Unanswered => Outcome::Waiting,
            NotConverted::NotPaid(why) if why.waits() => Outcome::Waiting,
            _ => Outcome::NoReferral,
        }
    }
}

/// When a subscription converts a referral, as far as the two alone can tell: at the time of the event, but
/// not before the referral was made. Both by the time of day; see [`by_clock`](crate::project::by_clock).
///
/// `began` is when the subscription began, if that is known: an invoice does not always tell.
///
/// The test is when the subscription began, so a routine update of an old one never pays.
pub fn conversion_time(
    referral: &Referral,
    start: &Start,
    began: Option<Micros>,
) -> Result<Micros, NotConverted> {
    let applied = referral.applied();
    match referral.status {
        Status::Converted => Err(NotConverted::AlreadyConverted),
        // A status of a newer version is not ours to move.
        Status::Expired | Status::Other(_) => Err(NotConverted::ReferralExpired),
        Status::Pending => {
            let terms = &referral.terms;
            let began = began.ok_or(NotConverted::BeginningUnknown)?;
            if began_too_early(began, applied, terms.grace) {
                return Err(NotConverted::BeganTooEarly);
            }
            let at = start.occurred_at.max(applied);
            if referral.ends_by_day().is_some_and(|end| at >= end) {
                return Err(NotConverted::ReferralExpired);
            }
            if terms.exclude_trials && start.is_trial {
                return Err(NotConverted::InTrial);
            }
            is_paid_for(terms, start).map(|()| at)
        }
    }
}

/// Whether what converts a referral has been paid, where its terms ask for that.
fn is_paid_for(terms: &Terms, start: &Start) -> Result<(), NotConverted> {
    match (&start.invoice, terms.conversion_trigger) {
        (None, ConversionTrigger::FirstPaidInvoice) => Err(NotConverted::WaitsForPayment),
        (Some(invoice), _) => payment(invoice, terms.minimum_paid_amount, terms.currency)
            .map(drop)
            .map_err(NotConverted::NotPaid),
        (None, _) => Ok(()),
    }
}

/// When a subscription converts a referral that was made at a time, if it did not begin too early for that.
pub fn time_within_grace(applied: Micros, grace: i64, start: &Start) -> Option<Micros> {
    let too_early = began_too_early(start.began_at, applied, grace);
    (!too_early).then(|| start.occurred_at.max(applied))
}

/// What may speak against a conversion besides the referral and the subscription themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Objections {
    /// See [`Claim::is_late`].
    pub is_late: bool,
    /// Referrer and referee are one person, or the referrer pays.
    pub is_own: bool,
    /// A referral has been converted by the same subscription, or in this program by the same
    /// Stripe customer.
    pub is_paid: bool,
    /// Whether the referee was new is still to be told. It is the last: what another one decides is decided.
    pub is_unanswered: bool,
}

impl Objections {
    /// The first that holds.
    pub fn first(self) -> Option<NotConverted> {
        [
            (self.is_late, NotConverted::AlreadyReferred),
            (self.is_own, NotConverted::SelfReferral),
            (self.is_paid, NotConverted::AlreadyConverted),
            (self.is_unanswered, NotConverted::Unanswered),
        ]
        .into_iter()
        .find_map(|(holds, why)| holds.then_some(why))
    }
}

#[cfg(test)]
mod tests;
