//! States as people call them: a word, and a sign that does not need colours.

use billstack_core::attribution::Outcome;
use billstack_core::credit::{CreditStatus, Side};
use billstack_core::program::ConversionTrigger;
use billstack_core::referral::{Referral, Status};
use billstack_core::source::Attribution;
use billstack_store::credits::Credit;
use maud::{Markup, html};

/// A sentence in which commands stand between backticks.
pub(in crate::pages) fn with_code(sentence: &str) -> Markup {
    html! {
        @for (number, part) in sentence.split('`').enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Where a referral stands.
pub(in crate::pages) fn of_referral(status: Status) -> Markup {
    match status {
        Status::Pending => html! { span.state.off { "Waiting" } },
        Status::Converted => html! { span.state.on { "Converted" } },
        Status::Expired => html! { span.state.ended { "Ended" } },
        Status::Other(word) => html! { span.state.off { (word.as_str()) } },
    }
}

/// For what a referral still waits.
pub(in crate::pages) fn still_missing(referral: &Referral) -> &'static str {
    match (referral.status, referral.terms.conversion_trigger) {
        (Status::Pending, ConversionTrigger::SubscriptionCreated) => "for a subscription",
        (Status::Pending, ConversionTrigger::FirstPaidInvoice) => "for a paid invoice",
        _ => "",
    }
}

/// What became of the credits that a referral promises: `2 promised`, or `1 granted, 1 taken back`.
pub(in crate::pages) fn of_credits(referral: &Referral, credits: &[Credit]) -> String {
    let terms = &referral.terms;
    let amounts = [terms.referrer_credit_amount, terms.referee_credit_amount];
    let promised = amounts.iter().filter(|amount| amount.get() > 0).count();
    let mut words: Vec<(usize, String)> = Vec::new();
    for credit in credits {
        let word = credit_word(credit.status).to_lowercase();
        match words.iter_mut().find(|(_, known)| *known == word) {
            Some((count, _)) => *count += 1,
            None => words.push((1, word)),
        }
    }
    match (referral.status, words.is_empty()) {
        (Status::Pending, _) if promised > 0 => format!("{promised} promised"),
        (_, true) => "–".to_owned(),
        (_, false) => {
            let words = words.iter().map(|(count, word)| format!("{count} {word}"));
            words.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Where a credit stands.
pub(in crate::pages) fn of_credit(status: CreditStatus) -> Markup {
    let word = credit_word(status);
    match status {
        CreditStatus::Granted | CreditStatus::Applied => html! { span.state.on { (word) } },
        CreditStatus::PartiallyReversed | CreditStatus::Reversed => {
            html! { span.state.ended { (word) } }
        }
        _ => html! { span.state.off { (word) } },
    }
}

fn credit_word(status: CreditStatus) -> String {
    match status {
        CreditStatus::Held => "Held",
        CreditStatus::Granted => "Granted",
        CreditStatus::Applied => "Used",
        CreditStatus::PartiallyReversed => "Taken back in part",
        CreditStatus::Reversed => "Taken back",
        other => return other.as_str().to_owned(),
    }
    .to_owned()
}

/// What became of each part of a credit that is in several.
pub(in crate::pages) fn parts_of(credit: &Credit) -> Option<String> {
    let parts = &credit.parts;
    let all = [
        (parts.held, "held"),
        (parts.available, "owed"),
        (parts.delivered, "in Stripe"),
        (parts.applied, "used"),
        (parts.settled, "paid"),
        (parts.reversed, "taken back"),
    ];
    let told = all.iter().filter(|(units, _)| *units > 0);
    let told = told.map(|(units, what)| format!("{} {what}", credit.currency.text(*units)));
    let told: Vec<_> = told.collect();
    (told.len() > 1).then(|| told.join(", "))
}

/// What became of an event of Stripe.
pub(in crate::pages) fn of_outcome(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Converted => html! { span.state.on { "Converted" } },
        Outcome::Recorded => html! { span.state.on { "Payment kept" } },
        Outcome::Waiting => html! { span.state.off { "Waiting" } },
        Outcome::NoReferral => html! { span.state.ended { "No referral" } },
        Outcome::NoCustomer => html! { span.state.ended { "Nobody's" } },
        Outcome::Ignored => html! { span.state.ended { "Not for us" } },
        Outcome::Ambiguous => html! { span.state.bad { "Ambiguous" } },
        Outcome::Failed => html! { span.state.bad { "Failed" } },
        other => html! { span.state.off { (other.as_str()) } },
    }
}

/// Which side of a referral has a credit.
pub(in crate::pages) fn of_side(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Referrer) => "referred somebody",
        Some(Side::Referee) => "was referred",
        _ => "given by hand",
    }
}

/// By what way a link had reached people.
pub(in crate::pages) fn of_channel(channel: &str) -> &str {
    match channel {
        "qr" => "QR code",
        "whatsapp" => "link, by WhatsApp",
        "mail" => "link, by mail",
        other => other,
    }
}

/// By what a referral came about.
pub(in crate::pages) fn of_source(attribution: &Attribution) -> String {
    let channel = attribution.channel.as_deref();
    match (attribution.source.as_str(), channel) {
        ("click", Some(channel @ ("qr" | "whatsapp" | "mail"))) => of_channel(channel).to_owned(),
        ("click", _) => "link".to_owned(),
        ("code", Some(_)) => "typed, after a click".to_owned(),
        ("code", None) => "typed".to_owned(),
        (other, _) => other.to_owned(),
    }
}
