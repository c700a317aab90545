//! The types of what is told outside, and which event of the log is told as which.
//!
//! A type keeps its name and meaning for ever, and its body only grows. Every event of a referral's story is told,
//! so whoever takes all types sees its numbers without a gap.

use crate::event::{Event, Facts};

text_enum! {
    /// A type of webhook.
    pub enum Type {
        /// A program has nothing left of its budget, or not enough for a credit.
        BudgetExhausted = "budget.exhausted",
        /// Four fifths of a program's budget are out.
        BudgetLow = "budget.low",
        /// A customer got a code.
        CodeCreated = "code.created",
        /// A code can no longer be applied.
        CodeDeactivated = "code.deactivated",
        /// A code got another name.
        CodeRenamed = "code.renamed",
        /// An invoice used of a credit what was in the customer's balance in Stripe.
        CreditApplied = "credit.applied",
        /// A credit was put into the customer's balance in Stripe.
        CreditDelivered = "credit.delivered",
        /// So much of what somebody wanted to take back had been used before.
        CreditDeliveryFellShort = "credit.delivery_fell_short",
        /// Somebody decided that a credit is put into a balance in Stripe.
        CreditDeliveryRequested = "credit.delivery_requested",
        /// Somebody decided that the delivery of a credit goes on.
        CreditDeliveryRetried = "credit.delivery_retried",
        /// A credit was made, and is the customer's at once.
        CreditGranted = "credit.granted",
        /// A credit was made, and becomes the customer's later.
        CreditHeld = "credit.held",
        /// The delivery of a credit waits for a person.
        CreditNeedsAttention = "credit.needs_attention",
        /// What was taken back of a credit had been used meanwhile, and is given again.
        CreditPutBack = "credit.put_back",
        /// What was held of a credit became the customer's.
        CreditReleased = "credit.released",
        /// What had been taken back of a credit was given again.
        CreditRestored = "credit.restored",
        /// A credit was taken back, in whole or in part.
        CreditReversed = "credit.reversed",
        /// A credit was paid to the customer, in whole or in part.
        CreditSettled = "credit.settled",
        /// A credit should have been taken back, and could not be any more.
        CreditShortfall = "credit.shortfall",
        /// What could not be taken back of a credit need not be any more.
        CreditShortfallCanceled = "credit.shortfall_canceled",
        /// What an invoice had used of a credit came back into the balance.
        CreditUnapplied = "credit.unapplied",
        /// A customer was created.
        CustomerCreated = "customer.created",
        /// A customer's personal data were erased.
        CustomerErased = "customer.erased",
        /// It became known which customer in Stripe this one is.
        CustomerLinked = "customer.linked",
        /// Other members of a customer were changed.
        CustomerUpdated = "customer.updated",
        /// Nothing has happened: somebody tries an endpoint.
        Ping = "ping",
        /// A program was changed.
        ProgramUpdated = "program.updated",
        /// A code was applied: the referral begins.
        ReferralApplied = "referral.applied",
        /// A referral converted.
        ReferralConverted = "referral.converted",
        /// A side of a conversion got no credit, because the program gives no more.
        ReferralCreditWithheld = "referral.credit_withheld",
        /// A referral was closed without a conversion.
        ReferralExpired = "referral.expired",
        /// An event of Stripe concerned a referral and did not convert it.
        ReferralNotConverted = "referral.not_converted",
        /// Another endpoint is sent nothing any more.
        WebhookEndpointDisabled = "webhook_endpoint.disabled",
        /// Another endpoint has not taken anything for a day.
        WebhookEndpointFailing = "webhook_endpoint.failing",
    }
}

/// What the log calls each type. A grant that is held begins in the log as any other does.
const TOLD: &[(&str, Type)] = &[
    ("budget.exhausted", Type::BudgetExhausted),
    ("budget.low", Type::BudgetLow),
    ("code.created", Type::CodeCreated),
    ("code.deactivated", Type::CodeDeactivated),
    ("code.renamed", Type::CodeRenamed),
    ("credit.applied", Type::CreditApplied),
    ("credit.delivered", Type::CreditDelivered),
    (GRANTED, Type::CreditGranted),
    ("credit.put_back", Type::CreditPutBack),
    ("credit.released", Type::CreditReleased),
    ("credit.restored", Type::CreditRestored),
    ("credit.reversed", Type::CreditReversed),
    ("credit.settled", Type::CreditSettled),
    ("credit.shortfall", Type::CreditShortfall),
    ("credit.shortfall_canceled", Type::CreditShortfallCanceled),
    ("credit.unapplied", Type::CreditUnapplied),
    ("customer.created", Type::CustomerCreated),
    ("customer.erased", Type::CustomerErased),
    ("customer.linked", Type::CustomerLinked),
    ("customer.updated", Type::CustomerUpdated),
    ("delivery.fell_short", Type::CreditDeliveryFellShort),
    ("delivery.needs_attention", Type::CreditNeedsAttention),
    ("delivery.requested", Type::CreditDeliveryRequested),
    ("delivery.retried", Type::CreditDeliveryRetried),
    ("program.updated", Type::ProgramUpdated),
    ("referral.applied", Type::ReferralApplied),
    ("referral.converted", Type::ReferralConverted),
    ("referral.credit_withheld", Type::ReferralCreditWithheld),
    ("referral.expired", Type::ReferralExpired),
    ("referral.not_converted", Type::ReferralNotConverted),
    ("webhook_endpoint.disabled", Type::WebhookEndpointDisabled),
    ("webhook_endpoint.failing", Type::WebhookEndpointFailing),
];

const GRANTED: &str = "credit.granted";

/// The member of a grant's facts that says until when it is held.
const HELD_UNTIL: &str = "heldUntil";

/// The types in the log of whatever is told, in alphabetical order.
pub fn logged() -> impl Iterator<Item = &'static str> {
    TOLD.iter().map(|(logged, _)| *logged)
}

impl Type {
    /// As what an event is told, if it is.
    pub fn of(event: &Event<'_>) -> Option<Type> {
        let is_held = matches!(
            event,
            Event::CreditGranted {
                held_until: Some(_),
                ..
            }
        );
        told_as(event.kind(), is_held)
    }

    /// As what an event of the log is told, by its type there and its facts.
    pub fn of_logged(logged: &str, facts: &Facts) -> Option<Type> {
        told_as(logged, facts.number(HELD_UNTIL).is_some())
    }

    /// As what an event of the log is told, by its type there and whether it is a grant that is held.
    pub fn of_logged_if(logged: &str, is_held: bool) -> Option<Type> {
        told_as(logged, is_held)
    }

    /// What the log calls it; none for what is not in the log.
    pub fn logged(self) -> Option<&'static str> {
        if self == Type::CreditHeld {
            return Some(GRANTED);
        }
        let told = TOLD.iter().find(|(_, told)| *told == self);
        told.map(|(logged, _)| *logged)
    }
}

fn told_as(logged: &str, is_held: bool) -> Option<Type> {
    let found = TOLD.binary_search_by(|(other, _)| (*other).cmp(logged));
    let (_, told) = TOLD.get(found.ok()?)?;
    Some(match told {
        Type::CreditGranted if is_held => Type::CreditHeld,
        told => *told,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Amount, Currency};
    use crate::time::Micros;

    /// Events of a project that are nobody's business outside, and those of a team.
    const NOT_TOLD: &[&str] = &[
        "api_key.created",
        "api_key.revoked",
        "attention.dismissed",
        "invitation.accepted",
        "invitation.created",
        "invitation.revoked",
        "links.updated",
        "member.joined",
        "member.removed",
        "member.role_changed",
        "portal.sessions_ended",
        "portal.updated",
        "project.clock_advanced",
        "project.created",
        "stripe.connected",
        "stripe.disconnected",
        "stripe.webhook_secret_rolled",
        "team.created",
        "user.password_set",
        "webhook_endpoint.created",
        "webhook_endpoint.deleted",
        "webhook_endpoint.enabled",
        "webhook_endpoint.replayed",
        "webhook_endpoint.secret_rotated",
        "webhook_endpoint.updated",
    ];

    #[test]
    fn every_event_of_the_log_is_told_or_not_on_purpose() {
        for kind in Event::KINDS {
            let is_told = told_as(kind, false).is_some();
            assert_ne!(is_told, NOT_TOLD.contains(kind), "{kind}");
        }
        assert!(logged().is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn every_type_but_one_that_is_asked_for_is_in_the_log() {
        for kind in Type::ALL {
            assert_eq!(kind.logged().is_none(), *kind == Type::Ping, "{kind}");
        }
        let names: Vec<_> = Type::ALL.iter().map(Type::as_str).collect();
        assert!(names.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_grant_that_is_held_is_a_type_of_its_own() {
        let granted = |held_until| Event::CreditGranted {
            amount: Amount::new(50).unwrap(),
            credit_id: "cr_1",
            currency: Currency::USD,
            customer_id: "pc_1",
            held_until,
            reason: None,
            side: None,
        };
        for (held_until, is) in [
            (None, Type::CreditGranted),
            (Some(Micros(1)), Type::CreditHeld),
        ] {
            let event = granted(held_until);
            assert_eq!(Type::of(&event), Some(is));
            let facts = Facts::read(&serde_json::to_string(&event).unwrap());
            assert_eq!(Type::of_logged(event.kind(), &facts), Some(is));
            assert_eq!(is.logged(), Some("credit.granted"));
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_not_told() {
        assert_eq!(Type::of_logged("credit.burnt", &Facts::read("{}")), None);
    }
}
