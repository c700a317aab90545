//! What in a project needs a person: which lines there can be, and what each is called.
//!
//! The id of a line follows from what it tells. So whoever looks twice sees the same ids, and a line that was dismissed
//! stays so until it tells of something else.

use std::fmt;

use crate::delivery::{Pause, Reason};
use crate::ids::is_id;
use crate::money::Currency;
use crate::time::{DAY, Micros};

/// For how long a line that was dismissed is not shown.
pub const DISMISSED_FOR: i64 = 7 * DAY;

/// How old an event of Stripe may be to be told of: until then Stripe can be asked for it again.
pub const EVENTS_FOR: i64 = 30 * DAY;

/// Why calls to a team's webhook address were refused, by the words of the connection's state.
pub const REFUSALS: [&str; 5] = [
    "no_secret",
    "no_signature",
    "malformed_signature",
    "wrong_secret",
    "out_of_time",
];

/// The longest id of an event of Stripe that a line names.
const LONGEST_EVENT_ID: usize = 255;

text_enum! {
    /// What a line tells of.
    pub enum Kind {
        /// Nothing is put into balances in Stripe: its key does not serve.
        DeliveriesPaused = "deliveries_paused",
        /// Calls to the webhook address of the team were refused within the last hour.
        StripeCallsRefused = "stripe_calls_refused",
        /// Events of Stripe could not be read to the end.
        StripeEventsFailed = "stripe_events_failed",
        /// Events of Stripe could mean several referrals.
        StripeEventsAmbiguous = "stripe_events_ambiguous",
        /// Credits do not reach Stripe until somebody has seen to it.
        CreditsNeedAttention = "credits_need_attention",
        /// A webhook endpoint is sent nothing any more.
        EndpointDisabled = "webhook_endpoint_disabled",
        /// A webhook endpoint has done nothing but fail for a day.
        EndpointFailing = "webhook_endpoint_failing",
        /// Nothing is left of the budget.
        BudgetExhausted = "budget_exhausted",
        /// Four fifths of the budget are out.
        BudgetLow = "budget_low",
        /// The last comparison with Stripe found differences that are left.
        ReconcileFound = "reconcile_found",
    }
}

/// What a line is called: what it tells of, and what in particular.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId {
    /// What it tells of.
    pub kind: Kind,
    /// A reason, a currency, or an id: of the newest event, the endpoint, the comparison.
    pub subject: String,
}

impl LineId {
    /// The id of a line.
    pub fn new(kind: Kind, subject: &str) -> LineId {
        LineId {
            kind,
            subject: subject.to_owned(),
        }
    }

    /// Reads an id as a caller sends it: that of a line which there can be, or `None`.
    pub fn parse(text: &str) -> Option<LineId> {
        let (kind, subject) = text.split_once('.')?;
        let kind = Kind::parse(kind)?;
        kind.can_be_of(subject).then(|| LineId::new(kind, subject))
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.subject)
    }
}

impl Kind {
    /// Whether a line of this kind may be about this.
    fn can_be_of(self, subject: &str) -> bool {
        match self {
            Kind::DeliveriesPaused => Pause::parse(subject).is_some(),
            Kind::StripeCallsRefused => REFUSALS.contains(&subject),
            Kind::StripeEventsFailed | Kind::StripeEventsAmbiguous => {
                (1..=LONGEST_EVENT_ID).contains(&subject.chars().take(256).count())
            }
            Kind::CreditsNeedAttention => Reason::parse(subject).is_some(),
            Kind::EndpointDisabled | Kind::EndpointFailing | Kind::ReconcileFound => is_id(subject),
            Kind::BudgetExhausted | Kind::BudgetLow => Currency::ever().any(|one| one == subject),
            Kind::Other(_) => false,
        }
    }
}

/// Until when a line is not shown that was dismissed at a time.
pub const fn dismissed_until(at: Micros) -> Micros {
    at.plus(DISMISSED_FOR)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        for text in [
            "deliveries_paused.stripe_key_invalid",
            "stripe_calls_refused.wrong_secret",
            "stripe_events_failed.evt_1P.x/y",
            "credits_need_attention.customer_deleted",
            "webhook_endpoint_failing.whe_1",
            "budget_low.usd",
            "reconcile_found.run_1",
        ] {
            let id = LineId::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn a_line_that_there_cannot_be_has_no_id() {
        for text in [
            "",
            "budget_low",
            "budget_low.",
            "budget_low.xyz",
            "budget_low.USD",
            "nonsense.usd",
            "stripe_calls_refused.else",
            "credits_need_attention.else",
            "deliveries_paused.else",
            "webhook_endpoint_failing.a b",
            "stripe_events_failed.",
        ] {
            assert_eq!(LineId::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_alike(text in ".{0,80}") {
            if let Some(id) = LineId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn every_event_of_stripe_has_a_line(id in "[!-~]{1,255}") {
            let line = LineId::new(Kind::StripeEventsFailed, &id);
            prop_assert_eq!(LineId::parse(&line.to_string()), Some(line));
        }
    }
}
