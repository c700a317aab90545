//! The words that rules name.

use billstack_core::access::Role;
use billstack_core::attribution::Outcome;
use billstack_core::credit::{CreditKind, CreditStatus, Side};
use billstack_core::event::Event;
use billstack_core::ledger::{Account, Cause};
use billstack_core::link::CHANNELS;
use billstack_core::money::{Amount, Currency};
use billstack_core::program::{Clawback, ClawbackApplied, ConversionTrigger, CreditDelivery};
use billstack_core::project::ProjectMode;
use billstack_core::referral::Status;
use billstack_core::source::Source;
use billstack_core::time::DAY;

use crate::tables::upkeep::Kind;

/// The words that this version knows, by the name that a rule calls them: `billstack_core` alone spells them
/// out.
pub(super) fn known() -> [(&'static str, String); 21] {
    let quoted = |texts: Vec<&str>| format!("'{}'", texts.join("', '"));
    let statuses = Status::ALL.iter().map(|status| status.as_str());
    let sides = Side::ALL.iter().map(|side| side.as_str());
    let accounts = Account::ALL.iter().map(|account| account.as_str());
    let pairs = Account::moves().map(|(from, to)| format!("'{from} {to}'"));
    let pairs: Vec<String> = pairs.collect();
    let of_credits = CreditStatus::ALL.iter().map(|status| status.as_str());
    [
        ("{statuses}", quoted(statuses.collect())),
        ("{sides}", quoted(sides.collect())),
        ("{accounts}", quoted(accounts.collect())),
        ("{credit_statuses}", quoted(of_credits.collect())),
        ("{currencies}", quoted(Currency::ever().collect())),
        ("{roles}", quoted(texts(Role::ALL, Role::as_str))),
        ("{outcomes}", quoted(texts(Outcome::ALL, Outcome::as_str))),
        ("{causes}", quoted(texts(Cause::ALL, Cause::as_str))),
        (
            "{credit_kinds}",
            quoted(texts(CreditKind::ALL, CreditKind::as_str)),
        ),
        (
            "{triggers}",
            quoted(texts(ConversionTrigger::ALL, ConversionTrigger::as_str)),
        ),
        (
            "{deliveries}",
            quoted(texts(CreditDelivery::ALL, CreditDelivery::as_str)),
        ),
        (
            "{clawbacks}",
            quoted(texts(Clawback::ALL, Clawback::as_str)),
        ),
        (
            "{clawbacks_applied}",
            quoted(texts(ClawbackApplied::ALL, ClawbackApplied::as_str)),
        ),
        (
            "{project_modes}",
            quoted(texts(ProjectMode::ALL, ProjectMode::as_str)),
        ),
        ("{sources}", quoted(texts(Source::ALL, Source::as_str))),
        ("{channels}", quoted(CHANNELS.to_vec())),
        ("{moves}", pairs.join(", ")),
        ("{credit_events}", quoted(Event::OF_CREDITS.to_vec())),
        (
            "{upkeep_kinds}",
            quoted(Kind::ALL.iter().map(|kind| kind.as_str()).collect()),
        ),
        ("{day}", DAY.to_string()),
        ("{most}", Amount::MAX.get().to_string()),
    ]
}

fn texts<T>(words: &'static [T], text: fn(&T) -> &str) -> Vec<&'static str> {
    words.iter().map(text).collect()
}
