//! Referrals: what one is, and when a code may be applied.
//!
//! The order of the refusals is part of the contract: a client that retries must get the answer
//! that helps it most, so "already referred" comes before anything that may have changed since.

use crate::email;
use crate::money::{Amount, Currency};
use crate::program::{Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery};
use crate::source::Attribution;
use crate::time::{DAY, HOUR, Micros};

/// What was promised when a code was applied. A referral keeps it; later changes of the program never rewrite
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the owner of the code receives.
    pub referrer_credit_amount: Amount,
    /// What the customer who used the code receives.
    pub referee_credit_amount: Amount,
    /// The currency of both amounts.
    pub currency: Currency,
    /// How long before the apply a subscription may have begun, in microseconds; see [`GRACE`].
    pub grace: i64,
    /// For how many days after the conversion the credits are held before they are the customers'.
    pub hold_days: i64,
    /// What converts the referral.
    pub conversion_trigger: ConversionTrigger,
    /// Whether a subscription in its trial does not convert it yet.
    pub exclude_trials: bool,
    /// How much the invoice that converts must have brought at least, with tax, in minor units of the currency.
    pub minimum_paid_amount: Amount,
    /// How the credits reach the customers.
    pub credit_delivery: CreditDelivery,
    /// Until when lost payments take them back.
    pub clawback: Clawback,
    /// For how many days after the conversion they do so with [`Clawback::Always`].
    pub clawback_window_days: i64,
    /// What of them may be taken back once an invoice has used it.
    pub clawback_applied: ClawbackApplied,
    /// After how many days without a conversion the referral is closed; `None` for never.
    pub referral_expiry_days: Option<i64>,
    /// What the customer reads beside a credit in Stripe, at most 350 characters.
    pub credit_description: String,
}

/// Nothing is promised, and every other setting is the one that most teams want.
impl Default for Terms {
    fn default() -> Terms {
        Terms {
            referrer_credit_amount: Amount::ZERO,
            referee_credit_amount: Amount::ZERO,
            currency: Currency::USD,
            grace: GRACE,
            hold_days: 0,
            conversion_trigger: ConversionTrigger::SubscriptionCreated,
            exclude_trials: false,
            minimum_paid_amount: Amount::ZERO,
            credit_delivery: CreditDelivery::Ledger,
            clawback: Clawback::None,
            clawback_window_days: 180,
            clawback_applied: ClawbackApplied::UnusedOnly,
            referral_expiry_days: None,
            credit_description: "Referral credit".to_owned(),
        }
    }
}

/// One person brought by another.
#[derive(Clone, Debug, PartialEq)]
pub struct Referral {
    /// `ref_…`.
    pub id: String,
    /// The code that was applied.
    pub code: String,
    /// Who owns the code.
    pub referrer_customer_id: String,
    /// Who applied it.
    pub referee_customer_id: String,
    /// Where it stands.
    pub status: Status,
    /// When the code was applied, by the clock of its project.
    pub created_at: Micros,
    /// How far that clock was ahead of the time.
    pub clock_offset: i64,
    /// When it converted.
    pub converted_at: Option<Micros>,
    /// What was promised when the code was applied.
    pub terms: Terms,
    /// Since when Stripe is being asked whether the referee was new; nothing converts it meanwhile. `None` once
    /// that is known, and where nobody asks.
    pub question_since: Option<Micros>,
    /// By what it came about.
    pub attribution: Attribution,
}

impl Referral {
    /// When it is closed by the clock of its project if nothing has converted it by then; `None` for never.
    pub fn expires_at(&self) -> Option<Micros> {
        let days = self.terms.referral_expiry_days?;
        Some(self.created_at.plus(days.saturating_mul(DAY)))
    }

    /// The same by the time of day.
    pub fn ends_by_day(&self) -> Option<Micros> {
        self.expires_at().map(|end| end.plus(-self.clock_offset))
    }

    /// When the code was applied by the time of day, which is what Stripe tells times by.
    pub const fn applied(&self) -> Micros {
        self.created_at.plus(-self.clock_offset)
    }
}

text_enum! {
    /// Where a referral stands.
    pub enum Status {
        /// Applied; the referee has not subscribed yet.
        Pending = "pending",
        /// The referee subscribed and the credits are granted. Final.
        Converted = "converted",
        /// Closed without a conversion. Final.
        Expired = "expired",
    }
}

/// The default of how long before an apply a subscription may have begun, in microseconds.
///
/// Stripe's event often arrives before a sign-up flow gets round to applying the code, so a
/// customer of the last day still counts as new.
pub const GRACE: i64 = 24 * HOUR;

/// What tells a person apart from another.
#[derive(Copy, Clone, Debug)]
pub struct Person<'a> {
    /// The customer's id.
    pub customer_id: &'a str,
    /// The e-mail address in the form of [`email::normalize`]; `None` once the person is erased.
    pub email: Option<&'a str>,
    /// The Stripe customer the person pays as, when known.
    pub stripe_customer_id: Option<&'a str>,
}

/// Whether two customers are one person as far as we can tell: the same customer, the same Stripe
/// customer, or the same mailbox (see [`email::identity`]).
pub fn is_self_referral(referrer: &Person<'_>, referee: &Person<'_>) -> bool {
    referrer.customer_id == referee.customer_id
        || same(referrer.stripe_customer_id, referee.stripe_customer_id)
        || same(
            referrer.email.map(email::identity),
            referee.email.map(email::identity),
        )
}

/// Two unknown values are not equal.
fn same<T: PartialEq>(left: Option<T>, right: Option<T>) -> bool {
    left.is_some() && left == right
}

/// All that [`decide_apply`] looks at, read in one transaction.
#[derive(Copy, Clone, Debug)]
pub struct ApplyFacts<'a> {
    /// Whether the referee has a referral already, in whatever state.
    pub already_referred: bool,
    /// Whether the program is enabled.
    pub program_enabled: bool,
    /// Whether the click that the code is taken from was too long ago.
    pub click_expired: bool,
    /// Whether the code is active.
    pub code_active: bool,
    /// The owner of the code.
    pub referrer: Person<'a>,
    /// The customer who uses the code.
    pub referee: Person<'a>,
    /// Whether the owner of the code was brought by the customer who uses it, and that may be paid or is.
    pub is_reciprocal: bool,
    /// When the referee's earliest known subscription began.
    pub earliest_subscription: Option<Micros>,
    /// The time of the apply, by the time of day.
    pub now: Micros,
    /// How long before the apply a subscription may have begun, in microseconds; see [`GRACE`].
    pub grace: i64,
}

/// Why a code may not be applied, in the order in which the reasons are looked at.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ApplyRefusal {
    /// The referee has been referred before.
    AlreadyReferred,
    /// The program is disabled.
    ReferralsDisabled,
    /// The click was too long ago.
    ClickExpired,
    /// The code was deactivated.
    CodeInactive,
    /// Referrer and referee are one person.
    SelfReferral,
    /// The referee has brought the referrer.
    ReciprocalReferral,
    /// The referee was a subscriber long before.
    NotANewCustomer,
}

/// Whether the code may be applied. The first refusal that holds is the answer.
pub fn decide_apply(facts: &ApplyFacts<'_>) -> Result<(), ApplyRefusal> {
    if facts.already_referred {
        return Err(ApplyRefusal::AlreadyReferred);
    }
    if !facts.program_enabled {
        return Err(ApplyRefusal::ReferralsDisabled);
    }
    if facts.click_expired {
        return Err(ApplyRefusal::ClickExpired);
    }
    if !facts.code_active {
        return Err(ApplyRefusal::CodeInactive);
    }
    if is_self_referral(&facts.referrer, &facts.referee) {
        return Err(ApplyRefusal::SelfReferral);
    }
    if facts.is_reciprocal {
        return Err(ApplyRefusal::ReciprocalReferral);
    }
    if !was_new(facts.earliest_subscription, facts.now, facts.grace) {
        return Err(ApplyRefusal::NotANewCustomer);
    }
    Ok(())
}

/// Whether somebody whose earliest subscription began then was new when they applied a code.
pub fn was_new(earliest: Option<Micros>, applied: Micros, grace: i64) -> bool {
    !earliest.is_some_and(|began| began_too_early(began, applied, grace))
}

/// The one test of age, so that an apply and a conversion can never disagree about it.
pub(crate) fn began_too_early(began: Micros, applied: Micros, grace: i64) -> bool {
    applied.since(began) > grace
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SECOND;

    const NOW: Micros = Micros::from_secs(1_700_000_000);

    fn person<'a>(id: &'a str, email: Option<&'a str>, stripe: Option<&'a str>) -> Person<'a> {
        Person {
            customer_id: id,
            email,
            stripe_customer_id: stripe,
        }
    }

    fn welcome() -> ApplyFacts<'static> {
        ApplyFacts {
            already_referred: false,
            program_enabled: true,
            click_expired: false,
            code_active: true,
            referrer: person("pc_1", Some("ann@example.com"), Some("cus_1")),
            referee: person("pc_2", Some("bob@example.com"), Some("cus_2")),
            is_reciprocal: false,
            earliest_subscription: None,
            now: NOW,
            grace: GRACE,
        }
    }

    #[test]
    fn refusals_come_in_the_order_of_the_contract() {
        let mut facts = ApplyFacts {
            already_referred: true,
            program_enabled: false,
            click_expired: true,
            code_active: false,
            referee: welcome().referrer,
            is_reciprocal: true,
            earliest_subscription: Some(Micros(0)),
            ..welcome()
        };
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::AlreadyReferred));
        facts.already_referred = false;
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::ReferralsDisabled));
        facts.program_enabled = true;
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::ClickExpired));
        facts.click_expired = false;
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::CodeInactive));
        facts.code_active = true;
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::SelfReferral));
        facts.referee = welcome().referee;
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::ReciprocalReferral));
        facts.is_reciprocal = false;
        assert_eq!(decide_apply(&facts), Err(ApplyRefusal::NotANewCustomer));
        facts.earliest_subscription = None;
        assert_eq!(decide_apply(&facts), Ok(()));
    }

    #[test]
    fn a_customer_of_the_last_day_is_new() {
        let with = |micros| ApplyFacts {
            earliest_subscription: Some(NOW.plus(micros)),
            ..welcome()
        };
        assert_eq!(decide_apply(&with(-GRACE)), Ok(()));
        assert_eq!(decide_apply(&with(SECOND)), Ok(()));
        assert_eq!(
            decide_apply(&with(-GRACE - 1)),
            Err(ApplyRefusal::NotANewCustomer)
        );
    }

    #[test]
    fn one_person_under_two_ids_is_found() {
        let ann = person("pc_1", Some("a.nn@gmail.com"), Some("cus_1"));
        for (other, expected) in [
            (person("pc_1", None, None), true),
            (person("pc_2", None, Some("cus_1")), true),
            (person("pc_2", Some("ann+2@googlemail.com"), None), true),
            (person("pc_2", Some("bob@gmail.com"), Some("cus_2")), false),
            (person("pc_2", None, None), false),
        ] {
            assert_eq!(is_self_referral(&ann, &other), expected, "{other:?}");
            assert_eq!(is_self_referral(&other, &ann), expected, "{other:?}");
        }
        let erased = |id| person(id, None, None);
        assert!(!is_self_referral(&erased("pc_3"), &erased("pc_4")));
    }
}
