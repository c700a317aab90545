//! States as people call them: a word, and a sign that does not need colours.

use billstack_core::credit::{CreditStatus, Side};
use billstack_core::referral::Status;
use billstack_core::source::Attribution;
use maud::{Markup, html};

/// Where a referral stands.
pub(in crate::pages) fn of_referral(status: Status) -> Markup {
    match status {
        Status::Pending => html! { span.state.off { "Waiting" } },
        Status::Converted => html! { span.state.on { "Converted" } },
        Status::Expired => html! { span.state.ended { "Ended" } },
        Status::Other(word) => html! { span.state.off { (word.as_str()) } },
    }
}

/// Where a credit stands.
pub(in crate::pages) fn of_credit(status: CreditStatus) -> Markup {
    match status {
        CreditStatus::Held => html! { span.state.off { "Held" } },
        CreditStatus::Granted => html! { span.state.on { "Granted" } },
        CreditStatus::Applied => html! { span.state.on { "Used" } },
        CreditStatus::PartiallyReversed => html! { span.state.ended { "Taken back in part" } },
        CreditStatus::Reversed => html! { span.state.ended { "Taken back" } },
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

/// By what a referral came about.
pub(in crate::pages) fn of_source(attribution: &Attribution) -> String {
    let channel = attribution.channel.as_deref();
    match (attribution.source.as_str(), channel) {
        ("click", Some("qr")) => "QR code".to_owned(),
        ("click", Some("whatsapp")) => "link, by WhatsApp".to_owned(),
        ("click", Some("mail")) => "link, by mail".to_owned(),
        ("click", _) => "link".to_owned(),
        ("code", Some(_)) => "typed, after a click".to_owned(),
        ("code", None) => "typed".to_owned(),
        (other, _) => other.to_owned(),
    }
}
