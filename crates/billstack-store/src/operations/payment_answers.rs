//! What Stripe answers to a question about payments is taken in as an event is.

use billstack_core::ids::{IdKind, TeamId};
use billstack_core::payments::Told;
use billstack_core::stripe_event::{Hint, Start};
use billstack_core::time::{MINUTE, Micros, SECOND};

use super::intake::{self, Delivery, Incoming};
use super::payments::asking::{self, Question, question};
use super::refusal::Abort;
use super::work::Leased;
use crate::seam::{Act, Fault, Tx};
use crate::tables::{money_facts, work};

/// How the ids of events begin that are answers to a question of ours; those of Stripe begin with `evt_`.
pub(in crate::operations) const ANSWERED: &str = "asked_";

/// How soon a charge is asked about again of which a refund was told in the second of the last answer, or later.
const SOON: i64 = 10 * SECOND;

/// How far Stripe's clock may be ahead of ours. What is told of a time beyond that is of one of Stripe's test clocks,
/// and no list would ever be later.
const FAST: i64 = 10 * MINUTE;

/// What came of asking.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nobody can be asked: no secret key is connected.
    NobodyToAsk,
    /// What Stripe showed of a payment or an invoice.
    Payments {
        /// When it was asked.
        asked_at: Micros,
        /// What that says.
        told: Told,
        /// What it may mean besides.
        hints: Vec<Hint>,
        /// What the key may not read.
        lacks: Option<String>,
    },
    /// The subscription; `None` when Stripe knows none.
    Beginning {
        /// When it was asked.
        asked_at: Micros,
        /// As it is.
        start: Option<Box<Start>>,
    },
}

/// What becomes of the question.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// Its row says so already: it is gone, or sleeps.
    Settled,
    /// It has to be asked again; the text says why.
    StillOpen(String),
}

/// Takes an answer in, and ends the lease in the same transaction if that is for it to say. An answer that comes twice
/// has no effect.
///
/// # Errors
/// As taking in an event, or [`asking::team_of`].
pub fn answered(
    tx: &mut dyn Tx,
    act: &mut Act,
    leased: &Leased,
    answer: &Answer,
) -> Result<Answered, Abort> {
    let team_id = asking::team_of(leased)?;
    let event = incoming(tx, act, &team_id, &leased.key.subject, answer)?;
    match &event {
        Some(event) => {
            intake::receive(tx, act, &team_id, event, Delivery::Delivered)?;
        }
        // Whoever puts something in that waits for the same holds the same names.
        None => {
            let names = asking::names(tx, leased)?;
            act.hold(tx, &team_id, names)?;
        }
    }
    let left = match question(tx, leased)? {
        Question::Beginning(_) if event.is_some() => Question::Nothing,
        left => left,
    };
    if let (Some(why), true) = (answer.lacks(), left != Question::Nothing) {
        return Ok(Answered::StillOpen(why.to_owned()));
    }
    match due_again(&left, answer, act.real()) {
        None => work::done(tx, &leased.key)?,
        Some(until) => {
            let why = answer.why_asleep();
            work::later(tx, &leased.key, &leased.work.facts, until, Some(why))?
        }
    };
    Ok(Answered::Settled)
}

/// When what is left of a question is asked again; `None` when it is over.
fn due_again(left: &Question, answer: &Answer, now: Micros) -> Option<Micros> {
    let was_asked = !matches!(answer, Answer::NobodyToAsk);
    match left {
        Question::Nothing => None,
        Question::Payment {
            refunded_at: Some(at),
            ..
        } if was_asked && *at <= now.plus(FAST) => Some(now.plus(SOON)),
        Question::Payment { waits_until, .. } => {
            waits_until.map(|until| until.max(now).plus(asking::SLEEP))
        }
        // Stripe knows no such invoice.
        Question::Invoice(_) if was_asked => None,
        Question::Invoice(_) | Question::Beginning(_) => Some(now.plus(asking::LONG_SLEEP)),
    }
}

impl Answer {
    /// What the key may not read.
    fn lacks(&self) -> Option<&str> {
        match self {
            Answer::Payments { lacks, .. } => lacks.as_deref(),
            Answer::NobodyToAsk | Answer::Beginning { .. } => None,
        }
    }

    const fn why_asleep(&self) -> &'static str {
        match self {
            Answer::NobodyToAsk => "the team is not connected with a secret key",
            Answer::Payments { .. } | Answer::Beginning { .. } => "Stripe tells no more of it",
        }
    }
}

/// The answer as an event, when it says anything.
fn incoming(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    id: &str,
    answer: &Answer,
) -> Result<Option<Incoming>, Fault> {
    Ok(match answer {
        Answer::NobodyToAsk => None,
        Answer::Beginning { asked_at, start } => {
            let start = start.as_deref();
            start.map(|start| Incoming::asked(start, *asked_at))
        }
        Answer::Payments {
            asked_at,
            told,
            hints,
            ..
        } => {
            let mut told = told.clone();
            for hint in hints {
                for customer in &hint.stripe_customers {
                    if money_facts::is_of(tx, team_id, &hint.link.to, customer)? {
                        told.links.push(hint.link.clone());
                    }
                }
            }
            (!told.is_empty()).then(|| found(act, id, told, *asked_at))
        }
    })
}

/// What Stripe told of payments when it was asked about something, as an event.
pub(in crate::operations) fn found(
    act: &mut Act,
    subject: &str,
    told: Told,
    asked_at: Micros,
) -> Incoming {
    let number = act.id(IdKind::Event);
    let number = number.trim_start_matches(IdKind::Event.prefix());
    Incoming::payment_asked(format!("{ANSWERED}{subject}_{number}"), told, asked_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use billstack_core::time::DAY;

    const NOW: Micros = Micros::from_secs(1_800_000_000);

    fn payment(waits_until: Option<Micros>, refunded_at: Option<Micros>) -> Question {
        Question::Payment {
            charge: Some("ch_1".to_owned()),
            intents: Vec::new(),
            waits_until,
            refunded_at,
        }
    }

    fn told() -> Answer {
        Answer::Payments {
            asked_at: NOW,
            told: Told::default(),
            hints: Vec::new(),
            lacks: None,
        }
    }

    #[test]
    fn what_is_left_of_a_question_is_asked_again_or_sleeps() {
        let soon = Some(NOW.plus(SOON));
        let (nobody, told) = (Answer::NobodyToAsk, told());
        let long = Some(NOW.plus(asking::LONG_SLEEP));
        let later = NOW.plus(200 * DAY);
        let invoice = Question::Invoice("in_1".to_owned());
        let beginning = Question::Beginning("sub_1".to_owned());
        for (left, answer, due) in [
            (Question::Nothing, &told, None),
            (payment(None, Some(NOW)), &told, soon),
            (payment(Some(later), Some(NOW)), &told, soon),
            (payment(None, Some(NOW)), &nobody, None),
            // One of Stripe's test clocks is a month ahead.
            (payment(None, Some(NOW.plus(30 * DAY))), &told, None),
            (payment(Some(later), None), &told, Some(later.plus(DAY))),
            (
                payment(Some(later), Some(NOW)),
                &nobody,
                Some(later.plus(DAY)),
            ),
            // What waits should have been forgotten, and is not yet.
            (
                payment(Some(NOW.plus(-DAY)), None),
                &told,
                Some(NOW.plus(DAY)),
            ),
            (invoice.clone(), &told, None),
            (invoice, &nobody, long),
            (beginning.clone(), &told, long),
            (beginning, &nobody, long),
        ] {
            assert_eq!(due_again(&left, answer, NOW), due, "{left:?} {answer:?}");
        }
    }
}
