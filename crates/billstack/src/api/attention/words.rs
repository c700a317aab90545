//! What a line means, and what to do about it, for a person.

use std::borrow::Cow;

use billstack_core::attention::{Kind, LineId, NEVER};
use billstack_core::delivery::Reason;
use billstack_store::attention::Line;

use crate::commands::{BACKUP, VERIFY};
use crate::webhooks::stripe::signature::BadSignature;

/// What a line means.
pub fn message(line: &Line) -> String {
    let detail = line.detail.as_deref().unwrap_or_default();
    let many = Many(line);
    match line.id.kind {
        Kind::DeliveriesPaused if detail.is_empty() => {
            "No credit reaches Stripe at present: Stripe does not accept the secret key any more."
                .to_owned()
        }
        Kind::DeliveriesPaused => format!(
            "No credit reaches Stripe at present: the secret key lacks the permission {detail}."
        ),
        Kind::StripeCallsRefused => format!(
            "{} refused within the last hour: {detail}.",
            many.of(
                "call to the webhook address was",
                "calls to the webhook address were"
            )
        ),
        Kind::BooksBroken => format!(
            "The last check of the database found {} broken.",
            many.of("rule", "rules")
        ),
        Kind::LedgerUnexplained => {
            format!("{detail} of what is owed is explained by no movement of the ledger.")
        }
        Kind::StripeSilent if line.at.is_none() => {
            format!("Stripe has sent no event since it was connected {detail} ago.")
        }
        Kind::StripeSilent => format!("Stripe has sent no event for {detail}."),
        Kind::BackupMissing => match line.id.subject.as_str() {
            NEVER => "No backup of the database was ever made.".to_owned(),
            _ => "The last backup of the database is older than a day.".to_owned(),
        },
        Kind::BooksUnchecked => match line.id.subject.as_str() {
            NEVER => "The books were never checked.".to_owned(),
            _ => "The books were last checked more than two days ago.".to_owned(),
        },
        Kind::StripeEventsFailed => format!(
            "{} of Stripe could not be read to the end. The latest: {}.",
            many.of("event", "events"),
            bare(detail)
        ),
        Kind::StripeEventsAmbiguous => format!(
            "{} of Stripe could mean several referrals, so none was converted. The latest: {}.",
            many.of("event", "events"),
            bare(detail)
        ),
        Kind::CreditsNeedAttention => format!(
            "{} not reach Stripe: {}.",
            many.of("credit does", "credits do"),
            why_stuck(&line.id.subject)
        ),
        Kind::EndpointDisabled => {
            format!("The webhook endpoint {detail} is switched off and is sent nothing.")
        }
        Kind::EndpointFailing => {
            format!("The webhook endpoint {detail} has done nothing but fail for more than a day.")
        }
        Kind::BudgetExhausted => format!("The budget is used up: {}.", out(line)),
        Kind::BudgetLow => format!("Four fifths or more of the budget are used: {}.", out(line)),
        Kind::ReconcileFound => format!(
            "The last comparison with Stripe left {}.",
            many.of("difference", "differences")
        ),
        Kind::Other(word) => word.as_str().to_owned(),
    }
}

/// What to do about a line.
pub fn cure(id: &LineId) -> Cow<'static, str> {
    match id.kind {
        Kind::BooksBroken => format!(
            "On the server, as its user and with its settings, run `{VERIFY}`: it names who breaks which rule."
        )
        .into(),
        Kind::LedgerUnexplained => format!(
            "Close no month before you know why: `{VERIFY}`, run on the server, as its user and with its settings, names \
             the entries."
        )
        .into(),
        Kind::BackupMissing => format!(
            "On the server, as its user and with its settings, run `{BACKUP}`, every night from a timer. If another tool \
             makes backups, dismiss this."
        )
        .into(),
        Kind::BooksUnchecked => format!(
            "On the server, as its user and with its settings, run `{VERIFY}`, every night from a timer."
        )
        .into(),
        _ => by_hand(id).into(),
    }
}

/// The same for what is mended on pages.
fn by_hand(id: &LineId) -> &'static str {
    match id.kind {
        Kind::StripeSilent => concat!(
            "See in Stripe whether its endpoint is on and what it was answered; missed events can be sent again from there ",
            "for 30 days. If nobody has bought anything meanwhile, dismiss this."
        ),
        Kind::DeliveriesPaused => {
            "In Stripe, give the key the permission; what waits is delivered within the hour. A new key is connected together with the signing secret that is in use: without it an endpoint of its own is made, and the events of the one before are refused."
        }
        Kind::StripeCallsRefused => {
            let why = BadSignature::parse(&id.subject);
            why.unwrap_or(BadSignature::NoMatch).cure()
        }
        Kind::StripeEventsFailed => {
            "Open the newest event, mend what its reason names, and replay it."
        }
        Kind::StripeEventsAmbiguous => {
            "Put metadata.project_id on the object in Stripe, or link the right customer; then replay the event."
        }
        Kind::CreditsNeedAttention => {
            "Mend the cause; the credits go on by themselves. Or open one to retry, settle or reverse it."
        }
        Kind::EndpointDisabled => {
            "Mend the receiver and enable the endpoint; what it missed can be sent then. Or delete it."
        }
        Kind::EndpointFailing => {
            "Its page says why. Mend the receiver: after five days of nothing but failures it is switched off."
        }
        Kind::BudgetExhausted | Kind::BudgetLow => {
            "Raise the budget of the program, or let it run out: referrals convert without a credit then."
        }
        Kind::ReconcileFound => {
            "Read its lines; start a comparison that may repair what it finds, and look at the rest in Stripe."
        }
        Kind::BooksBroken
        | Kind::LedgerUnexplained
        | Kind::BackupMissing
        | Kind::BooksUnchecked
        | Kind::Other(_) => "This version does not know what to do about it.",
    }
}

/// Why the delivery of a credit needs a person, to be read after a colon.
pub fn why_stuck(reason: &str) -> &str {
    match Reason::parse(reason) {
        Some(Reason::NoStripeCustomer) => "the customer is not linked to one in Stripe",
        Some(Reason::CustomerDeleted) => "the customer was deleted in Stripe",
        Some(Reason::CustomerUnknown) => {
            "the connected account does not know the customer; it is another account, or another mode"
        }
        Some(Reason::CurrencyUnset) => {
            "the customer has no currency in Stripe yet, and a credit would choose it"
        }
        Some(Reason::CurrencyMismatch) => "the customer pays in another currency",
        Some(Reason::StripeRefused) => "Stripe did not accept it",
        Some(Reason::PossibleDuplicate) => {
            "somebody gave the customer the same amount meanwhile, and it may be the same credit"
        }
        Some(Reason::AmountDiffers) => "its line in Stripe has another amount or currency",
        Some(Reason::HistoryUnclear) => {
            "the lines of the customer's balance in Stripe do not follow from each other"
        }
        Some(Reason::KeyConflict) => "its idempotency key was used for another call",
        Some(Reason::StripeUnreachable) => "Stripe has not answered for days",
        _ => reason,
    }
}

/// What to do about the delivery of a credit that needs a person.
pub fn mend(reason: &str) -> &'static str {
    match Reason::parse(reason) {
        Some(Reason::NoStripeCustomer) => {
            "Link the customer to one in Stripe; it goes on by itself then."
        }
        Some(Reason::CustomerDeleted | Reason::CustomerUnknown) => {
            "Link the customer to the right one in Stripe and it goes on by itself; or settle or reverse the credit."
        }
        Some(Reason::CurrencyUnset | Reason::CurrencyMismatch) => {
            "Once the customer is billed in this currency it goes on by itself; or settle or reverse the credit."
        }
        Some(Reason::StripeRefused) => {
            "Mend what Stripe names, then retry; or settle or reverse the credit."
        }
        Some(Reason::PossibleDuplicate) => {
            "Look at the customer's balance in Stripe. If the line there is another one, retry; if it is this credit, settle it."
        }
        Some(Reason::AmountDiffers | Reason::HistoryUnclear) => {
            "Look at the customer's balance in Stripe and decide there; then settle or reverse the credit."
        }
        Some(Reason::KeyConflict) => "Retry: it is looked for first, and told under another key.",
        Some(Reason::StripeUnreachable) => {
            "It is tried every hour. Look at the connection to Stripe."
        }
        _ => "This version does not know what to do about it.",
    }
}

fn out(line: &Line) -> String {
    let Some((budget, currency)) = line.budget else {
        return "nobody knows how much is out".to_owned();
    };
    let (out, limit) = (currency.text(budget.out), currency.text(budget.limit));
    format!("{out} of {limit} are out")
}

fn bare(sentence: &str) -> &str {
    match sentence.trim_end_matches('.') {
        "" => "no reason was kept",
        bare => bare,
    }
}

/// How many things a line is about.
struct Many<'l>(&'l Line);

impl Many<'_> {
    fn of(&self, one: &str, several: &str) -> String {
        match (self.0.count, self.0.is_more) {
            (1, _) => format!("1 {one}"),
            (count, false) => format!("{count} {several}"),
            (count, true) => format!("More than {count} {several}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::credit::limits::Budget;
    use billstack_core::money::Currency;

    use super::*;

    #[test]
    fn a_line_says_how_many_and_why() {
        let line = |kind, subject, count, is_more, detail: Option<&str>| Line {
            count,
            is_more,
            detail: detail.map(str::to_owned),
            ..Line::new(kind, subject)
        };
        let credits = line(
            Kind::CreditsNeedAttention,
            "customer_deleted",
            2,
            false,
            None,
        );
        assert_eq!(
            message(&credits),
            "2 credits do not reach Stripe: the customer was deleted in Stripe."
        );
        let events = line(
            Kind::StripeEventsFailed,
            "evt_1",
            100,
            true,
            Some("no key."),
        );
        assert_eq!(
            message(&events),
            "More than 100 events of Stripe could not be read to the end. The latest: no key."
        );
        let budget = Line {
            budget: Some((
                Budget {
                    limit: 1000,
                    out: 800,
                },
                Currency::USD,
            )),
            ..Line::new(Kind::BudgetLow, "usd")
        };
        assert_eq!(
            message(&budget),
            "Four fifths or more of the budget are used: 8.00 USD of 10.00 USD are out."
        );
        assert_eq!(why_stuck("a_newer_word"), "a_newer_word");
    }
}
