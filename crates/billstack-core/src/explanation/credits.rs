//! What has become of the credits of a referral, in words.

use super::{Sentence, reasons};
use crate::credit::{Parts, Side};
use crate::delivery::{DeliveryState, Reason};
use crate::money::Currency;
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
    /// When its hold ends.
    pub held_until: Option<Micros>,
    /// How far its delivery to Stripe has come.
    pub delivery: DeliveryState,
    /// Why that needs attention.
    pub delivery_reason: Option<Reason>,
}

/// A credit that the program did not give.
#[derive(Clone, Debug)]
pub struct WithheldFacts {
    /// Whose it would have been.
    pub side: Option<Side>,
    /// `cap_reached` or `budget_exhausted`.
    pub reason: String,
}

impl WithheldFacts {
    pub(super) fn sentence(&self) -> String {
        let why = match self.reason.as_str() {
            "cap_reached" => "the program pays no more conversions of one referrer",
            "budget_exhausted" => "the budget of the program was used up",
            other => other,
        };
        format!("The {} got no credit: {why}.", who(self.side))
    }
}

impl CreditFacts {
    /// What the credit is, and what of it was used, paid or taken back.
    pub(super) fn standing(&self) -> String {
        let parts = &self.parts;
        let whole = self.money(parts.amount());
        let mut said = format!("The {} got {whole}", who(self.side));
        let became = [
            (parts.applied, "was used for invoices"),
            (parts.settled, "was paid"),
            (parts.reversed, "was taken back"),
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
    pub(super) fn next(&self) -> Option<Sentence> {
        let what = format!("The credit of the {}", who(self.side));
        if self.parts.held > 0 {
            return Some(match self.held_until {
                Some(until) => Sentence::from(format!("{what} is held until "))
                    .at(until)
                    .and("."),
                None => format!("{what} is held until somebody releases it.").into(),
            });
        }
        let said = match self.delivery {
            DeliveryState::NeedsAttention => {
                let reason = reasons::of_delivery(self.delivery_reason);
                format!("{what} needs somebody: {reason}.")
            }
            DeliveryState::Waiting | DeliveryState::Queued | DeliveryState::InFlight => {
                format!("{what} is on its way into the balance in Stripe; nobody need do anything.")
            }
            DeliveryState::Unknown => format!(
                "It must become known whether {} has reached the balance in Stripe; that is looked into.",
                what.replacen("The", "the", 1)
            ),
            DeliveryState::None | DeliveryState::Delivered | DeliveryState::Other(_) => {
                return None;
            }
        };
        Some(said.into())
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
