//! The catalogue of our own events: what can happen, and what is told of it.
//!
//! Every change writes one of these in its own transaction. The log is the audit trail and the answer
//! to "why?". It holds ids and amounts, never names or addresses of customers.

mod credits;
#[macro_use]
mod declare;
#[macro_use]
mod teams_and_webhooks;
mod facts;
mod program;

pub use credits::WithStanding;
pub use facts::Facts;
pub use program::ProgramFacts;

use serde::Serialize;

use crate::access::{Role, Scopes};
use crate::credit::Side;
use crate::delivery::Reason;
use crate::ids::ProjectId;
use crate::money::{Amount, Currency};
use crate::portal::Names;
use crate::referral::Status;
use crate::source::{Ignored, Source};
use crate::time::Micros;

with_teams_and_webhooks! {{
    /// An API key was made.
    "api_key.created" ApiKeyCreated {
        /// From when on it is refused.
        expires_at: Option<Micros>,
        /// The one project it is good for.
        project_id: Option<&'a ProjectId>,
        /// What it may do.
        scopes: &'a Scopes,
    }
    /// An API key was revoked.
    "api_key.revoked" ApiKeyRevoked {}
    /// Somebody dismissed a line of what needs attention in a project.
    "attention.dismissed" AttentionDismissed {
        /// Which.
        line: &'a str,
        /// Until when it is not shown.
        until: Micros,
    }
    /// Nothing is left of a program's budget, or not enough for a credit.
    "budget.exhausted" BudgetExhausted {
        /// The budget, in minor units.
        budget: i64,
        /// What of it is out.
        budget_out: i64,
        /// Of which currency.
        currency: Currency,
    }
    /// Four fifths of a program's budget are out.
    "budget.low" BudgetLow {
        /// The budget, in minor units.
        budget: i64,
        /// What of it is out.
        budget_out: i64,
        /// Of which currency.
        currency: Currency,
    }
    /// A customer got a code.
    "code.created" CodeCreated {
        /// Its owner.
        customer_id: &'a str,
    }
    /// A code can no longer be applied.
    "code.deactivated" CodeDeactivated {}
    /// A code got another name. The log keeps no name: it may be a person's.
    "code.renamed" CodeRenamed {}
    /// An invoice of Stripe was paid with a credit, in whole or in part.
    "credit.applied" CreditApplied (amount credit_id currency) {
        /// The invoice, where the line names one.
        #[serde(skip_serializing_if = "Option::is_none")]
        stripe_object_id: Option<&'a str>,
        /// The line of the balance.
        stripe_transaction_id: &'a str,
    }
    /// A credit was put into the customer's balance in Stripe.
    "credit.delivered" CreditDelivered (amount credit_id currency) {
        /// The line of the balance.
        stripe_transaction_id: &'a str,
    }
    /// A conversion granted a credit.
    "credit.granted" CreditGranted (amount credit_id currency) {
        /// Who has it.
        customer_id: &'a str,
        /// Until when it is held.
        #[serde(skip_serializing_if = "Option::is_none")]
        held_until: Option<Micros>,
        /// Why it was given, when a person says so; never personal data.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        /// Which side of the referral that is.
        #[serde(skip_serializing_if = "Option::is_none")]
        side: Option<Side>,
    }
    /// What was taken back of a credit had been used meanwhile, and is given again.
    "credit.put_back" CreditPutBack (amount credit_id currency) {}
    /// What was held of a credit became the customer's.
    "credit.released" CreditReleased (amount credit_id currency) {
        /// Why, when a person ended the hold.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    }
    /// What had been taken back of a credit was given again, because the payment was not lost after all.
    "credit.restored" CreditRestored (amount credit_id currency) {
        /// What in Stripe told so.
        #[serde(skip_serializing_if = "Option::is_none")]
        stripe_object_id: Option<&'a str>,
    }
    /// A credit was taken back, in whole or in part.
    "credit.reversed" CreditReversed (amount credit_id currency) {
        /// Why.
        reason: &'a str,
        /// What in Stripe told of the loss, when that is why.
        #[serde(skip_serializing_if = "Option::is_none")]
        stripe_object_id: Option<&'a str>,
    }
    /// A credit was paid to the customer, in whole or in part.
    "credit.settled" CreditSettled (amount credit_id currency) {
        /// Why.
        reason: &'a str,
        /// What the payment is called elsewhere.
        #[serde(skip_serializing_if = "Option::is_none")]
        reference: Option<&'a str>,
    }
    /// A credit should have been taken back, and could not be any more.
    "credit.shortfall" CreditShortfall (amount credit_id currency) {
        /// What in Stripe told of the loss.
        #[serde(skip_serializing_if = "Option::is_none")]
        stripe_object_id: Option<&'a str>,
    }
    /// What could not be taken back of a credit need not be, because the payment was not lost after all.
    "credit.shortfall_canceled" CreditShortfallCanceled (amount credit_id currency) {
        /// What in Stripe told so.
        #[serde(skip_serializing_if = "Option::is_none")]
        stripe_object_id: Option<&'a str>,
    }
    /// What an invoice had used of a credit came back into the balance.
    "credit.unapplied" CreditUnapplied (amount credit_id currency) {
        /// The invoice, where the line names one.
        #[serde(skip_serializing_if = "Option::is_none")]
        stripe_object_id: Option<&'a str>,
        /// The line of the balance.
        stripe_transaction_id: &'a str,
    }
    /// A customer was created.
    "customer.created" CustomerCreated {
        /// How the customer in Stripe was found, when we looked for one.
        stripe: Option<&'a str>,
        /// The customer in Stripe, when there is one.
        stripe_customer_id: Option<&'a str>,
    }
    /// A customer's personal data were erased.
    "customer.erased" CustomerErased {}
    /// It became known which customer in Stripe this one is.
    "customer.linked" CustomerLinked {
        /// The names of members that were changed with it; the log keeps no personal values.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changed: Vec<&'static str>,
        /// The one it was linked to before.
        #[serde(skip_serializing_if = "Option::is_none")]
        instead_of: Option<&'a str>,
        /// The customer in Stripe.
        stripe_customer_id: &'a str,
    }
    /// Members of a customer were changed.
    "customer.updated" CustomerUpdated {
        /// Their names; the log keeps no personal values.
        changed: Vec<&'static str>,
    }
    /// So much of what somebody wanted to take back of a balance in Stripe had been used there before.
    "delivery.fell_short" DeliveryFellShort (amount credit_id currency) {
        /// What they gave as their reason.
        reason: &'a str,
    }
    /// The delivery of a credit does not go on until somebody has seen to it.
    "delivery.needs_attention" DeliveryNeedsAttention {
        /// The credit.
        credit_id: &'a str,
        /// Why.
        reason: Reason,
    }
    /// Somebody decided that a credit is put into a balance in Stripe.
    "delivery.requested" DeliveryRequested {
        /// The credit.
        credit_id: &'a str,
        /// Why.
        reason: &'a str,
    }
    /// Somebody decided that the delivery of a credit goes on.
    "delivery.retried" DeliveryRetried {
        /// The credit.
        credit_id: &'a str,
        /// Why.
        reason: &'a str,
    }
    /// An invitation was accepted.
    "invitation.accepted" InvitationAccepted {
        /// By whom.
        user_id: &'a str,
    }
    /// Somebody was invited to a team.
    "invitation.created" InvitationCreated {
        /// The role they will have.
        role: Role,
    }
    /// An invitation was taken back.
    "invitation.revoked" InvitationRevoked {}
    /// The links of a project were set up.
    "links.updated" LinksUpdated {
        /// Whether they bring their code along.
        enabled: bool,
        /// Where they lead.
        landing_url: Option<&'a str>,
        /// For how many days a click may count.
        window_days: i64,
    }
    /// A user joined a team.
    "member.joined" MemberJoined {
        /// Their role.
        role: Role,
    }
    /// A user left a team, or was removed.
    "member.removed" MemberRemoved {
        /// The role they had.
        role: Role,
    }
    /// A member got another role.
    "member.role_changed" MemberRoleChanged {
        /// The role before.
        from: Role,
        /// The role since.
        to: Role,
    }
    /// All sessions of customers on their own pages were ended.
    "portal.sessions_ended" PortalSessionsEnded {}
    /// The pages of the customers of a project were set up.
    "portal.updated" PortalUpdated {
        /// Whether customers may give their code another name.
        allow_vanity: bool,
        /// The origins that may show such a page.
        allowed_origins: &'a [String],
        /// What customers see of the names of their friends.
        names: Names,
        /// Whether whoever follows a link is told the first name of who recommends.
        offer_name: bool,
    }
    /// A program was changed.
    "program.updated" ProgramUpdated {
        /// What it is since.
        #[serde(flatten)]
        program: ProgramFacts<'a>,
    }
    /// The clock of a test project was moved forward.
    "project.clock_advanced" ProjectClockAdvanced {
        /// What it showed before.
        from: Micros,
        /// What it has shown since.
        to: Micros,
    }
    /// A project was created.
    "project.created" ProjectCreated {
        /// Its display name.
        name: &'a str,
    }
    /// A code was applied: the referral begins.
    "referral.applied" ReferralApplied {
        /// Why the click that came with the code tells nothing.
        #[serde(skip_serializing_if = "Option::is_none")]
        click_ignored: Option<Ignored>,
        /// The code.
        code: &'a str,
        /// The currency of both amounts.
        currency: Currency,
        /// What the referee is promised.
        referee_credit_amount: Amount,
        /// Who applied the code.
        referee_customer_id: &'a str,
        /// What the referrer is promised.
        referrer_credit_amount: Amount,
        /// Who owns the code.
        referrer_customer_id: &'a str,
        /// By what it came about, where that was no code.
        #[serde(skip_serializing_if = "Option::is_none")]
        source: Option<Source>,
    }
    /// A referral converted.
    "referral.converted" ReferralConverted {
        /// The budget in force, in minor units; left out where there is none, like the other limits.
        #[serde(skip_serializing_if = "Option::is_none")]
        budget: Option<i64>,
        /// What of it was out before.
        #[serde(skip_serializing_if = "Option::is_none")]
        budget_out: Option<i64>,
        /// How many conversions pay a referrer in a month.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_conversions_per_month: Option<i64>,
        /// How many conversions pay a referrer in all.
        #[serde(skip_serializing_if = "Option::is_none")]
        max_conversions_total: Option<i64>,
        /// How many of this month had paid the referrer before.
        #[serde(skip_serializing_if = "Option::is_none")]
        paid_before_in_month: Option<i64>,
        /// How many in all had.
        #[serde(skip_serializing_if = "Option::is_none")]
        paid_before_total: Option<i64>,
        /// The event of Stripe that converted it.
        stripe_event_id: &'a str,
        /// The type of that event.
        stripe_event_type: &'a str,
        /// The subscription or session it tells of.
        stripe_object_id: &'a str,
    }
    /// A side of a conversion got no credit, because the program gives no more.
    "referral.credit_withheld" ReferralCreditWithheld {
        /// What it was promised, in minor units.
        amount: Amount,
        /// Of which currency.
        currency: Currency,
        /// Who would have had it.
        customer_id: &'a str,
        /// `cap_reached` or `budget_exhausted`.
        reason: &'a str,
        /// Which side of the referral that is.
        side: Side,
    }
    /// A referral was closed without a conversion.
    "referral.expired" ReferralExpired {
        /// The customer it was closed for.
        customer_id: &'a str,
        /// Why.
        reason: &'a str,
    }
    /// An event of Stripe concerned a referral and did not convert it.
    "referral.not_converted" ReferralNotConverted {
        /// Why.
        reason: &'a str,
        /// Where the referral stands.
        status: Status,
        /// The event.
        stripe_event_id: &'a str,
        /// Its type.
        stripe_event_type: &'a str,
        /// The subscription or session it tells of.
        stripe_object_id: &'a str,
    }
}}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read_by_name() {
        let event = Event::CreditGranted {
            amount: Amount::new(50).unwrap(),
            credit_id: "cr_1",
            currency: Currency::USD,
            customer_id: "pc_1",
            held_until: None,
            reason: None,
            side: Some(Side::Referee),
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            text,
            r#"{"amount":50,"creditId":"cr_1","currency":"usd","customerId":"pc_1","side":"referee"}"#
        );
        let facts = Facts::read(&text);
        assert!(facts.tell("amount", 50) && facts.tell("side", "referee"));
        assert!(!facts.tell("amount", 5) && !facts.tell("code", "K7M2QX9D"));
        assert!(!Facts::read("no JSON").tell("amount", 50));
        assert_eq!(event.kind(), "credit.granted");
    }

    #[test]
    fn an_event_without_facts_is_an_empty_object() {
        let event = Event::CodeDeactivated {};
        assert_eq!(serde_json::to_string(&event).unwrap(), "{}");
    }

    #[test]
    fn every_event_has_a_name_of_its_own() {
        assert!(Event::KINDS.is_sorted_by(|a, b| a < b));
        let of_credits = Event::KINDS
            .iter()
            .filter(|kind| kind.starts_with("credit."));
        assert!(of_credits.eq(Event::OF_CREDITS));
    }
}
