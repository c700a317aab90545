//! What has become of the credits of a referral, in words.

use std::fmt;

use super::{Sentence, reasons};
use crate::credit::{Parts, Side};
use crate::delivery::{DeliveryState, Pause, Reason};
use crate::money::Currency;
use crate::payments::LossCause;
use crate::time::Micros;

/// A credit of the referral.
#[derive(Clone, Debug)]
pub struct CreditFacts {
    /// Whose it is.
    pub side: Option<Side>,
    /// Of which currency.
    pub currency: Currency,
    /// What became of its amount.
    pub parts: Parts,
    /// What of the reversed part somebody of the team took back.
    pub reversed_by_hand: i64,
    /// By what the rest of it was taken back, as far as that is known.
    pub lost_by: Vec<LossCause>,
    /// When its hold ends.
    pub held_until: Option<Micros>,
    /// Until when at most its release is put off because an inquiry or a dispute about the payment is open.
    pub put_off_until: Option<Micros>,
    /// The time by the clock of its project.
    pub now: Micros,
    /// How far its delivery to Stripe has come.
    pub delivery: DeliveryState,
    /// Why that needs attention.
    pub delivery_reason: Option<Reason>,
    /// Why nothing of the team is delivered at present.
    pub pause: Option<Pause>,
    /// The permission that the key of the team lacks, where Stripe named it.
    pub lacks: Option<String>,
}

/// A credit that the program did not give.
#[derive(Clone, Debug)]
pub struct WithheldFacts {
    /// Whose it would have been.
    pub side: Option<Side>,
    /// `cap_reached` or `budget_exhausted`.
    pub reason: String,
    /// How many conversions of one referrer the program paid then, if that is why.
    pub cap: Option<Cap>,
}

/// How many conversions of one referrer a program pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// In all.
    Total(i64),
    /// In a month.
    PerMonth(i64),
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Cap::Total(count) | Cap::PerMonth(count)) = self;
        let what = if *count == 1 {
            "conversion"
        } else {
            "conversions"
        };
        let time = match self {
            Cap::Total(_) => "in all",
            Cap::PerMonth(_) => "a month",
        };
        write!(f, "{count} {what} of one referrer {time}")
    }
}

impl WithheldFacts {
    pub(super) fn sentence(&self) -> String {
        let why = match (self.reason.as_str(), self.cap) {
            ("cap_reached", Some(cap)) => {
                &format!("the program pays {cap}, and that many had been paid")
            }
            ("cap_reached", None) => "the program pays no more conversions of one referrer",
            ("budget_exhausted", _) => "the budget of the program was used up",
            (other, _) => other,
        };
        format!("The {} got no credit: {why}.", who(self.side))
    }
}

impl CreditFacts {
    /// What the credit is, and what of it was used, paid or taken back.
    pub fn standing(&self) -> String {
        let parts = &self.parts;
        let whole = self.money(parts.amount());
        let mut said = format!("The {} got {whole}", who(self.side));
        let lost = reasons::of_losses(&self.lost_by);
        let became = [
            (parts.applied, "was used for invoices"),
            (parts.settled, "was paid"),
            (parts.reversed - self.reversed_by_hand, &lost),
            (self.reversed_by_hand, "was taken back by the team"),
            (parts.delivered, "is in the balance in Stripe"),
            (parts.held, "is held"),
            (parts.available, "is owed"),
        ];
        let became: Vec<_> = became.into_iter().filter(|(units, _)| *units > 0).collect();
        match became.as_slice() {
            // What is owed as a whole is what a credit is.
            [] => {}
            [(units, _)] if *units == parts.available => {}
            [(_, what)] => said += &format!(", which {what}"),
            [several @ .., (units, what)] => {
                let several = several
                    .iter()
                    .map(|(units, what)| format!("{} {what}", self.money(*units)));
                let several = several.collect::<Vec<_>>().join(", ");
                said += &format!(": {several} and {} {what}", self.money(*units));
            }
        }
        said.push('.');
        if parts.shortfall > 0 {
            let short = self.money(parts.shortfall);
            said += &format!(" {short} more should have been taken back, and could not be.");
        }
        said
    }

    /// What must happen before it has reached the customer.
    pub fn next(&self) -> Option<Sentence> {
        let what = format!("The credit of the {}", who(self.side));
        if self.parts.held > 0 {
            return Some(self.hold(&what).and("."));
        }
        let said = match (self.delivery, self.pause) {
            (DeliveryState::NeedsAttention, _) => {
                let reason = reasons::of_delivery(self.delivery_reason);
                format!("{what} needs somebody: {reason}.")
            }
            (DeliveryState::Waiting | DeliveryState::Queued, Some(pause)) => format!(
                "{what} waits, as all of the team do: {}.",
                reasons::of_pause(pause, self.lacks.as_deref())
            ),
            (DeliveryState::Waiting | DeliveryState::Queued | DeliveryState::InFlight, _) => {
                format!("{what} is on its way into the balance in Stripe; nobody need do anything.")
            }
            (DeliveryState::Unknown, _) => format!(
                "It must become known whether {} has reached the balance in Stripe; that is looked into.",
                what.replacen("The", "the", 1)
            ),
            (DeliveryState::None | DeliveryState::Delivered | DeliveryState::Other(_), _) => {
                return None;
            }
        };
        Some(said.into())
    }

    /// How long it is held, and why that is longer than it should be.
    fn hold(&self, what: &str) -> Sentence {
        let Some(until) = self.held_until else {
            return format!("{what} is held until somebody releases it").into();
        };
        let open = "while an inquiry or a dispute about the payment is open, until ";
        let said = |words: &str| Sentence::from(format!("{what} {words} ")).at(until);
        match self.put_off_until {
            None => said("is held until"),
            Some(most) if self.now < until => said("is held until")
                .and(format!(", and after that {open}"))
                .at(most)
                .and(" at most"),
            Some(most) => said("was to be held until")
                .and(format!(" and is held on {open}"))
                .at(most)
                .and(" at most"),
        }
    }

    fn money(&self, units: i64) -> String {
        self.currency.text(units)
    }
}

fn who(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Referrer) => "referrer",
        Some(Side::Referee) => "friend",
        Some(Side::Other(_)) | None => "customer",
    }
}
