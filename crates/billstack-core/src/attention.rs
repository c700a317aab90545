//! What in a project needs a person: which lines there can be, and what each is called.
//!
//! The id of a line follows from what it tells. So whoever looks twice sees the same ids, and a line that was dismissed
//! stays so until it tells of something else.

use std::fmt;

use crate::delivery::{Pause, Reason};
use crate::ids::is_id;
use crate::money::Currency;
use crate::time::{DAY, HOUR, Micros};

/// For how long a line that was dismissed is not shown.
pub const DISMISSED_FOR: i64 = 7 * DAY;

/// How old an event of Stripe may be to be told of: until then Stripe can be asked for it again.
pub const EVENTS_FOR: i64 = 30 * DAY;

/// For how long Stripe tries to tell of an event: after a longer silence some may be lost.
pub const SILENT_AFTER: i64 = 3 * DAY;

/// How long a team is there before it needs anybody that its data are not looked after.
pub const SETTLED_AFTER: i64 = 3 * DAY;

/// A nightly check of the books is at most this old, with one that was left out.
pub const OLDEST_CHECK: i64 = 2 * DAY;

/// A nightly backup is at most this old, with two hours to spare.
pub const OLDEST_BACKUP: i64 = 26 * HOUR;

/// What a line says of work that was never done, in place of when it was.
pub const NEVER: &str = "never";

/// What a line says of work that was done, and not lately.
pub const LATE: &str = "late";

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
        /// The last check of the whole database found rules that are broken.
        BooksBroken = "books_broken",
        /// What is owed is not what the movements of the ledger come to.
        LedgerUnexplained = "ledger_unexplained",
        /// Nothing is put into balances in Stripe: its key does not serve.
        DeliveriesPaused = "deliveries_paused",
        /// Calls to the webhook address of the team were refused within the last hour.
        StripeCallsRefused = "stripe_calls_refused",
        /// No event of Stripe has come for longer than Stripe tries to deliver one.
        StripeSilent = "stripe_silent",
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
        /// No backup was made, or none lately.
        BackupMissing = "backup_missing",
        /// The books were not checked, or not lately.
        BooksUnchecked = "books_unchecked",
    }
}

/// What a line is called: what it tells of, and what in particular.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineId {
    /// What it tells of.
    pub kind: Kind,
    /// A reason, a currency, a number of rules, or an id: of the newest event, the endpoint, the comparison.
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
    /// Whether it is about the whole server: told to whoever may see how that does, and to nobody else.
    pub const fn is_of_server(self) -> bool {
        matches!(
            self,
            Kind::BooksBroken | Kind::BackupMissing | Kind::BooksUnchecked
        )
    }

    /// Whether a line of this kind may be about this.
    fn can_be_of(self, subject: &str) -> bool {
        match self {
            Kind::DeliveriesPaused => Pause::parse(subject).is_some(),
            Kind::StripeCallsRefused => REFUSALS.contains(&subject),
            Kind::StripeSilent | Kind::StripeEventsFailed | Kind::StripeEventsAmbiguous => {
                (1..=LONGEST_EVENT_ID).contains(&subject.chars().take(256).count())
            }
            Kind::CreditsNeedAttention => Reason::parse(subject).is_some(),
            Kind::EndpointDisabled | Kind::EndpointFailing | Kind::ReconcileFound => is_id(subject),
            Kind::BooksBroken => is_number(subject),
            Kind::BackupMissing | Kind::BooksUnchecked => [NEVER, LATE].contains(&subject),
            Kind::LedgerUnexplained | Kind::BudgetExhausted | Kind::BudgetLow => {
                Currency::ever().any(|one| one == subject)
            }
            Kind::Other(_) => false,
        }
    }
}

/// Since when nothing has been heard of Stripe, if that is too long: since the last event, or since it was connected.
pub fn silent_since(
    connected_at: Micros,
    last_event_at: Option<Micros>,
    now: Micros,
) -> Option<Micros> {
    let heard = last_event_at.map_or(connected_at, |last| last.max(connected_at));
    (now.since(heard) > SILENT_AFTER).then_some(heard)
}

/// Whether work that is due regularly was never done, or is late, at a time.
pub fn neglected(last: Option<Micros>, longest: i64, now: Micros) -> Option<&'static str> {
    match last {
        None => Some(NEVER),
        Some(last) if now.since(last) > longest => Some(LATE),
        Some(_) => None,
    }
}

/// Whether this is a number above zero, as it is written.
fn is_number(text: &str) -> bool {
    text.parse()
        .is_ok_and(|number: u32| number > 0 && number.to_string() == text)
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
            "books_broken.3",
            "ledger_unexplained.usd",
            "stripe_silent.evt_1P",
            "stripe_silent.never",
            "backup_missing.late",
            "books_unchecked.never",
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
            "books_broken.0",
            "books_broken.03",
            "ledger_unexplained.xyz",
            "stripe_silent.",
            "backup_missing.soon",
        ] {
            assert_eq!(LineId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn silence_is_counted_from_the_last_event_or_from_the_connection() {
        let at = |days: i64| Micros(days * DAY);
        assert_eq!(silent_since(at(0), None, at(3)), None);
        assert_eq!(silent_since(at(0), None, at(4)), Some(at(0)));
        assert_eq!(silent_since(at(0), Some(at(2)), at(5)), None);
        assert_eq!(silent_since(at(0), Some(at(2)), at(6)), Some(at(2)));
        // Whoever connects anew has not been waiting since the events of the connection before.
        assert_eq!(silent_since(at(5), Some(at(2)), at(8)), None);
        assert_eq!(silent_since(at(5), Some(at(2)), at(9)), Some(at(5)));
    }

    #[test]
    fn what_was_never_done_is_not_late() {
        let at = |hours: i64| Micros(hours * HOUR);
        assert_eq!(neglected(None, OLDEST_BACKUP, at(0)), Some(NEVER));
        assert_eq!(neglected(Some(at(0)), OLDEST_BACKUP, at(26)), None);
        assert_eq!(neglected(Some(at(0)), OLDEST_BACKUP, at(27)), Some(LATE));
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
