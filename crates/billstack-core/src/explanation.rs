//! Why a referral is where it is, and what must still happen, in words.
//!
//! The sentences are made of facts alone, so that two who ask at the same moment read the same. They name nobody: no
//! id, no address and no name, only the friend, who applied the code, and the referrer, who owns it. Times are of the
//! clock of the project.

mod credits;
mod reasons;

pub use credits::{CreditFacts, WithheldFacts};

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
    /// Why it was closed, as its story says.
    pub closed_because: Option<String>,
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
    pub why: String,
    /// What must still happen, a sentence each; empty when nothing must.
    pub next: Vec<String>,
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
            ),
            next: Vec::new(),
        },
    }
}

fn pending(facts: &Facts<'_>) -> Explanation {
    let referral = facts.referral;
    let applied = referral.created_at.minute_text();
    let mut why = format!("The friend applied the code on {applied}. ");
    why += &match (&facts.looked_at, referral.question_since) {
        (_, Some(_)) => {
            "Stripe has not told yet whether the friend was new then, and nothing converts the \
                         referral before that is known."
                .to_owned()
        }
        (Some(looked_at), None) => format!(
            "An event of Stripe ({}) was looked at on {} and did not convert the referral: {}.",
            looked_at.kind,
            looked_at.at.minute_text(),
            reasons::of_event(&looked_at.reason)
        ),
        (None, None) => {
            "No event of Stripe has told of a subscription of the friend since.".to_owned()
        }
    };
    let mut next = Vec::new();
    if referral.question_since.is_some() {
        next.push(
            "Stripe must tell whether the friend was new. It is asked until it does.".to_owned(),
        );
    }
    if !facts.is_connected {
        next.push("The team must connect Stripe, or no event can come.".to_owned());
    }
    if !facts.is_linked {
        next.push(
            "It must become known which customer of Stripe the friend is: by an event that names the friend, or by \
             somebody who says so."
                .to_owned(),
        );
    }
    let of_event = facts
        .looked_at
        .as_ref()
        .map(|looked_at| looked_at.reason.as_str());
    next.push(match of_event == Some(INCOMPLETE) {
        true => format!(
            "The first payment of that subscription must succeed, of which Stripe tells. Another one counts as well: {}",
            what_converts(referral)
        ),
        false => what_converts(referral),
    });
    next.extend(deadline(facts));
    Explanation { why, next }
}

/// Why an event of a subscription counts only later.
const INCOMPLETE: &str = "subscription incomplete";

/// What converts a pending referral.
fn what_converts(referral: &Referral) -> String {
    let terms = &referral.terms;
    // Stripe tells times by the time of day.
    let earliest = referral.applied().plus(-terms.grace).minute_text();
    let subscription = format!("a subscription that began on {earliest} or later");
    let minimum = terms.minimum_paid_amount;
    match terms.conversion_trigger {
        ConversionTrigger::FirstPaidInvoice if minimum.is_zero() => {
            format!("The friend must pay an invoice of {subscription}, with real money.")
        }
        ConversionTrigger::FirstPaidInvoice => format!(
            "The friend must pay an invoice of {subscription}, with real money, at least {}.",
            terms.currency.text(minimum.get())
        ),
        _ if terms.exclude_trials => {
            format!("Stripe must tell of {subscription} and is not in its trial any more.")
        }
        _ => format!("Stripe must tell of {subscription}."),
    }
}

/// Until when that may happen.
fn deadline(facts: &Facts<'_>) -> Option<String> {
    let end = facts.referral.expires_at()?;
    let text = end.minute_text();
    Some(match facts.now < end {
        true => format!("This must happen before {text}; then the referral is closed."),
        false => format!("Its time ended on {text}; it is closed at any moment."),
    })
}

fn converted(facts: &Facts<'_>) -> Explanation {
    let at = facts.referral.converted_at;
    let at = at.map_or(String::new(), |at| format!(" on {}", at.minute_text()));
    let how = match facts.referral.terms.conversion_trigger {
        ConversionTrigger::FirstPaidInvoice => {
            "Stripe told that the friend paid for a subscription"
        }
        _ => "Stripe told that the friend subscribed",
    };
    let mut why = vec![format!("It converted{at}: {how}.")];
    why.extend(facts.withheld.iter().map(WithheldFacts::sentence));
    if facts.credits.is_empty() && facts.withheld.is_empty() {
        why.push("Its terms promised nothing to either side.".to_owned());
    }
    why.extend(facts.credits.iter().map(CreditFacts::standing));
    let next = facts.credits.iter().filter_map(CreditFacts::next);
    Explanation {
        why: why.join(" "),
        next: next.collect(),
    }
}

fn closed(facts: &Facts<'_>) -> String {
    let why = facts.closed_because.as_deref();
    format!(
        "It was closed without a conversion, and nothing can convert it any more: {}.",
        why.map_or("its story does not say why".to_owned(), reasons::of_end)
    )
}

#[cfg(test)]
mod tests;
