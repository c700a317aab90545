//! What a person may do to a credit, as forms say it. Each is the operation of the call of the same name.

use billstack_core::credit::Parts;
use billstack_core::delivery::DeliveryState;
use billstack_core::money::{Amount, Currency};
use billstack_store::credit_moves::{self, Asked};
use billstack_store::credits::Credit;
use billstack_store::credits::delivery::by_hand;
use billstack_store::{Abort, Act, Place, Tx};
use maud::Markup;
use serde::Deserialize;

use crate::api::referrals::credits::Why;
use crate::error::ApiError;
use crate::http::json::Text;
use crate::pages::form::Form;
use crate::pages::parts::form::{Field, field};

/// A move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Release,
    Reverse,
    Settle,
    Retry,
    Deliver,
}

/// What a form says of a move, but for the credit.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) what: Move,
    pub(super) amount: Option<Amount>,
    pub(super) reason: String,
    pub(super) reference: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    reason: Why,
    reference: Option<Text<1, 255>>,
}

impl Move {
    pub(super) const ALL: [Move; 5] = [
        Move::Release,
        Move::Reverse,
        Move::Settle,
        Move::Retry,
        Move::Deliver,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Move::Release => "release",
            Move::Reverse => "reverse",
            Move::Settle => "settle",
            Move::Retry => "retry",
            Move::Deliver => "deliver",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Move::Release => "Release: end the hold now",
            Move::Reverse => "Reverse: take it back",
            Move::Settle => "Settle: it was paid elsewhere",
            Move::Retry => "Retry: go on with the delivery",
            Move::Deliver => "Deliver: put it into the balance in Stripe",
        }
    }

    /// What is done, on a button.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Move::Release => "Release",
            Move::Reverse => "Reverse",
            Move::Settle => "Settle",
            Move::Retry => "Retry",
            Move::Deliver => "Deliver",
        }
    }

    /// What comes of it.
    pub(super) const fn means(self) -> &'static str {
        match self {
            Move::Release => {
                "The hold ends now: the customer is owed it, and what delivers credits goes on with it."
            }
            Move::Reverse => {
                "It is taken back from the customer, also out of the balance in Stripe as far as no invoice has used it. \
                 A credit that was taken back is not given again."
            }
            Move::Settle => {
                "It is booked as paid elsewhere: the customer is owed it no longer, and nothing is sent to Stripe."
            }
            Move::Retry => {
                "The delivery to Stripe goes on from where it stopped; nothing is put there twice."
            }
            Move::Deliver => {
                "It is put into the customer's balance in Stripe, and the next invoice there uses it."
            }
        }
    }

    /// How much of a credit it moves, where nothing else is said.
    pub(super) const fn moves(self, credit: &Credit) -> i64 {
        let Parts {
            held,
            available,
            delivered,
            ..
        } = credit.parts;
        match self {
            Move::Release => held,
            Move::Reverse => held + available + delivered,
            Move::Settle => available,
            Move::Retry | Move::Deliver => held + available,
        }
    }

    /// Whether a part of a credit can be moved so.
    pub(super) const fn takes_part(self) -> bool {
        matches!(self, Move::Release | Move::Reverse | Move::Settle)
    }

    /// What was done, in a word.
    pub(super) const fn done(self) -> &'static str {
        match self {
            Move::Release => "Released.",
            Move::Reverse => "Taken back, as far as nothing in Stripe has used it.",
            Move::Settle => "Settled.",
            Move::Retry => "The delivery goes on.",
            Move::Deliver => "It is put into the balance in Stripe.",
        }
    }

    /// Whether anything of a credit could be moved so. The operation decides.
    pub(super) fn is_for(self, credit: &Credit) -> bool {
        let Parts {
            held,
            available,
            delivered,
            ..
        } = credit.parts;
        match self {
            Move::Release => held > 0,
            Move::Reverse => held + available + delivered > 0,
            Move::Settle => available > 0,
            Move::Retry => credit.delivery == DeliveryState::NeedsAttention,
            Move::Deliver => !credit.by_stripe && held + available > 0,
        }
    }

    /// The move that a form names.
    pub(super) fn read(form: &Form) -> Result<Move, ApiError> {
        let text = form.text("move");
        let found = Move::ALL.into_iter().find(|one| one.as_str() == text);
        found.ok_or_else(|| ApiError::invalid("move", "Choose what to do."))
    }
}

impl Wish {
    /// Reads what a form says. Amounts are typed in whole units of the currency of the credit, where it is about one.
    pub(super) fn read(form: &Form, currency: Option<Currency>) -> Result<Wish, ApiError> {
        form.is_meant()?;
        let what = Move::read(form)?;
        // A payment elsewhere has a name there; nothing else has.
        let names: &[&str] = match what {
            Move::Settle => &["reason", "reference"],
            _ => &["reason"],
        };
        let said: Said = form.read(names)?;
        let amount = match (form.text("amount"), currency) {
            ("", _) | (_, None) => None,
            (text, Some(currency)) => {
                let units = currency.units(text).filter(|units| *units > 0);
                let amount = units.and_then(Amount::new);
                Some(amount.ok_or_else(|| not_an_amount(currency))?)
            }
        };
        Ok(Wish {
            what,
            amount,
            reason: said.reason.0,
            reference: said.reference.map(|Text(text)| text),
        })
    }

    /// Moves a credit.
    pub(super) fn make(
        &self,
        tx: &mut dyn Tx,
        act: &mut Act,
        place: &Place,
        credit_id: &str,
    ) -> Result<Credit, Abort> {
        let asked = Asked {
            credit_id: credit_id.to_owned(),
            amount: self.amount,
            reason: self.reason.clone(),
            reference: self.reference.clone(),
        };
        match self.what {
            Move::Release => credit_moves::release(tx, act, place, &asked),
            Move::Reverse => credit_moves::reverse(tx, act, place, &asked),
            Move::Settle => credit_moves::settle(tx, act, place, &asked),
            Move::Retry => by_hand::retry(tx, act, place, credit_id, &asked.reason),
            Move::Deliver => by_hand::deliver(tx, act, place, credit_id, &asked.reason),
        }
    }
}

fn not_an_amount(currency: Currency) -> ApiError {
    let (example, most) = (currency.text(1_000), currency.text(Amount::MAX.get()));
    let message = format!(
        "Amount must be a number such as that of {example}, above zero and at most {most}."
    );
    ApiError::invalid("amount", message)
}

/// Why money moves.
pub(super) fn reason_field(typed: &Form, error: Option<&ApiError>) -> Markup {
    let why = Field {
        label: "Reason",
        name: "reason",
        hint: Some("Kept with the booking for ever: no names, no addresses."),
        longest: 500,
        ..Field::default()
    };
    field(&why, typed, error)
}

/// What a payment is called elsewhere.
pub(super) fn reference_field(typed: &Form, error: Option<&ApiError>) -> Markup {
    let reference = Field {
        label: "Reference",
        name: "reference",
        hint: Some("What the payment is called where it was made."),
        is_optional: true,
        ..Field::default()
    };
    field(&reference, typed, error)
}
