//! Why a referral is where it is, and what must still happen, in words.
//!
//! The sentences are made of facts alone, so that two who ask at the same moment read the same. They name nobody: no
//! id, no address and no name, only the friend, who applied the code, and the referrer, who owns it. Times are of the
//! clock of the project.

mod credits;
mod reasons;
mod sentence;

pub use credits::{Cap, CreditFacts, WithheldFacts};
pub use reasons::of_event;
pub use sentence::{Part, Sentence};

use crate::program::ConversionTrigger;
use crate::referral::{Referral, Status};
use crate::time::Micros;

/// What is known of a referral.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What it is and where it stands.
    pub referral: &'a Referral,
    /// The time by the clock of its project.
    pub now: Micros,
    /// Whether the team is connected to Stripe.
    pub is_connected: bool,
    /// Whether it is known which customer of Stripe the friend is.
    pub is_linked: bool,
    /// The last event of Stripe that was looked at for it and did not convert it.
    pub looked_at: Option<LookedAt>,
    /// Whether its code has been deactivated since.
    pub is_code_off: bool,
    /// Whether the program is switched off.
    pub is_program_off: bool,
    /// Why it was closed and when, as its story says.
    pub closed: Option<(String, Micros)>,
    /// The credits that it has earned, the referrer's first.
    pub credits: Vec<CreditFacts>,
    /// The credits that it would have earned if the program had given more.
    pub withheld: Vec<WithheldFacts>,
}

/// An event of Stripe that did not convert a referral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookedAt {
    /// Its type.
    pub kind: String,
    /// Why not, as the story says.
    pub reason: String,
    /// When it was looked at.
    pub at: Micros,
}

/// What is said of a referral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Why it is where it is: one sentence or more.
    pub why: Sentence,
    /// What must still happen, a sentence each; empty when nothing must.
    pub next: Vec<Sentence>,
}

/// Explains a referral.
pub fn explain(facts: &Facts<'_>) -> Explanation {
    match facts.referral.status {
        Status::Pending => pending(facts),
        Status::Converted => converted(facts),
        Status::Expired => Explanation {
            why: closed(facts),
            next: Vec::new(),
        },
        Status::Other(word) => Explanation {
            why: format!(
                "A newer version of the program has made it {}.",
                word.as_str()
            )
            .into(),
            next: Vec::new(),
        },
    }
}

fn pending(facts: &Facts<'_>) -> Explanation {
    let referral = facts.referral;
    let applied = Sentence::from("The friend applied the code on ").at(referral.created_at);
    let since = match (&facts.looked_at, referral.question_since) {
        (_, Some(_)) => {
            "Stripe has not told yet whether the friend was new then, and nothing converts the \
                         referral before that is known."
                .into()
        }
        (Some(looked_at), None) => {
            let why_not = reasons::of_event(&looked_at.reason);
            Sentence::from(format!(
                "An event of Stripe ({}) was looked at on ",
                looked_at.kind
            ))
            .at(looked_at.at)
            .and(format!(" and did not convert the referral: {why_not}."))
        }
        (None, None) => "No event of Stripe has told of a subscription of the friend since.".into(),
    };
    let mut why = applied.and(". ").with(since);
    let off = match (facts.is_code_off, facts.is_program_off) {
        (false, false) => None,
        (true, false) => Some("The code has been deactivated since"),
        (false, true) => Some("The program is switched off"),
        (true, true) => {
            Some("The code has been deactivated since, and the program is switched off")
        }
    };
    if let Some(off) = off {
        why = why.and(format!(
            " {off}: that changes nothing for whoever applied before."
        ));
    }
    let mut next = Vec::new();
    if referral.question_since.is_some() {
        next.push("Stripe must tell whether the friend was new. It is asked until it does.".into());
    }
    if !facts.is_connected {
        next.push("The team must connect Stripe, or no event can come.".into());
    }
    if !facts.is_linked {
        next.push(
            "It must become known which customer of Stripe the friend is: by an event that names the friend, or by \
             somebody who says so."
                .into(),
        );
    }
    let of_event = facts
        .looked_at
        .as_ref()
        .map(|looked_at| looked_at.reason.as_str());
    if of_event == Some(AMBIGUOUS) {
        next.push(
            "Somebody must say which referral is meant: by metadata.project_id on the object in Stripe, or by the right \
             link of a customer; then the event is replayed."
                .into(),
        );
    }
    next.push(match of_event == Some(INCOMPLETE) {
        true => Sentence::from(
            "The first payment of that subscription must succeed, of which Stripe tells. Another one counts as well: ",
        )
        .with(what_converts(referral)),
        false => what_converts(referral),
    });
    next.extend(deadline(facts));
    Explanation { why, next }
}

/// Why an event converts none of several referrals.
const AMBIGUOUS: &str = "ambiguous";

/// Why an event of a subscription counts only later.
const INCOMPLETE: &str = "subscription incomplete";

/// What converts a pending referral.
fn what_converts(referral: &Referral) -> Sentence {
    let terms = &referral.terms;
    let minimum = terms.minimum_paid_amount;
    let (begin, end) = match terms.conversion_trigger {
        ConversionTrigger::FirstPaidInvoice if minimum.is_zero() => (
            "The friend must pay an invoice of",
            ", with real money.".to_owned(),
        ),
        ConversionTrigger::FirstPaidInvoice => {
            let minimum = terms.currency.text(minimum.get());
            (
                "The friend must pay an invoice of",
                format!(", with real money, at least {minimum}."),
            )
        }
        _ if terms.exclude_trials => (
            "Stripe must tell of",
            " and is not in its trial any more.".to_owned(),
        ),
        _ => ("Stripe must tell of", ".".to_owned()),
    };
    // Stripe tells times by the time of day.
    let earliest = referral.applied().plus(-terms.grace);
    Sentence::from(format!("{begin} a subscription that began on "))
        .at(earliest)
        .and(format!(" or later{end}"))
}

/// Until when that may happen.
fn deadline(facts: &Facts<'_>) -> Option<Sentence> {
    let end = facts.referral.expires_at()?;
    let (before, after) = match facts.now < end {
        true => ("This must happen before ", "; then the referral is closed."),
        false => ("Its time ended on ", "; it is closed at any moment."),
    };
    Some(Sentence::from(before).at(end).and(after))
}

fn converted(facts: &Facts<'_>) -> Explanation {
    let how = match facts.referral.terms.conversion_trigger {
        ConversionTrigger::FirstPaidInvoice => {
            "Stripe told that the friend paid for a subscription"
        }
        _ => "Stripe told that the friend subscribed",
    };
    let converted = match facts.referral.converted_at {
        Some(at) => Sentence::from("It converted on ").at(at),
        None => "It converted".into(),
    };
    let mut why = vec![format!(": {how}.")];
    why.extend(facts.withheld.iter().map(WithheldFacts::sentence));
    if facts.credits.is_empty() && facts.withheld.is_empty() {
        why.push("Its terms promised nothing to either side.".to_owned());
    }
    why.extend(facts.credits.iter().map(CreditFacts::standing));
    let next = facts.credits.iter().filter_map(CreditFacts::next);
    Explanation {
        why: converted.and(why.join(" ")),
        next: next.collect(),
    }
}

fn closed(facts: &Facts<'_>) -> Sentence {
    let Some((why, at)) = &facts.closed else {
        return "It was closed without a conversion, and nothing can convert it any more: its story does not say why."
            .into();
    };
    Sentence::from("It was closed without a conversion on ")
        .at(*at)
        .and(format!(
            ", and nothing can convert it any more: {}.",
            reasons::of_end(why)
        ))
}

#[cfg(test)]
mod tests;
