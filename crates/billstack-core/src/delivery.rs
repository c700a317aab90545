//! How a credit reaches the balance that its customer has at Stripe, and how it is taken from there.
//!
//! Each movement is one *operation*: one line of that balance, written exactly once whatever becomes of the calls.
//! Stripe remembers a call under its idempotency key, but only for a day, and it remembers failures as well. So an
//! operation is never called anew under another key before two looks have shown that its line is not there.
//!
//! - [`answer`] reads what Stripe answered.
//! - [`operation`] decides what an operation does next.
//! - [`look`] finds its line among those of the customer.
//! - [`first_look`] finds it although nobody has called, as far as we know.
//! - [`customer`] says whether the customer can be given a credit at all.
//! - [`rate`] bounds how fast a team calls.

pub mod answer;
pub mod customer;
pub mod first_look;
pub mod look;
pub mod operation;
pub mod rate;

use std::collections::BTreeMap;

use crate::money::Currency;

text_enum! {
    /// What an operation does to the balance.
    pub enum Kind {
        /// Puts a credit into it for the first time.
        Grant = "grant",
        /// Takes a credit back.
        Reverse = "reverse",
        /// Gives again what was taken back and had been used meanwhile.
        PutBack = "putback",
        /// Gives a credit again that was taken back.
        Restore = "restore",
        /// Takes away the second of two lines that one operation has.
        Repair = "repair",
    }
}

text_enum! {
    /// Where an operation stands.
    pub enum State {
        /// It has yet to be called, or nothing came of the calls so far.
        Queued = "queued",
        /// A call is under way.
        InFlight = "in_flight",
        /// A call was made, and nobody knows what came of it.
        Unknown = "unknown",
        /// Its line is there.
        Delivered = "delivered",
        /// It waits until its reason is out of the way.
        NeedsAttention = "needs_attention",
    }
}

text_enum! {
    /// How far the delivery of a credit has come.
    pub enum DeliveryState {
        /// It is not delivered: it stands in our books alone.
        None = "none",
        /// It is delivered once its hold is over.
        Waiting = "waiting",
        /// See [`State::Queued`].
        Queued = "queued",
        /// See [`State::InFlight`].
        InFlight = "in_flight",
        /// See [`State::Unknown`].
        Unknown = "unknown",
        /// All that was to be done is done.
        Delivered = "delivered",
        /// See [`State::NeedsAttention`].
        NeedsAttention = "needs_attention",
    }
}

text_enum! {
    /// Why an operation needs attention.
    pub enum Reason {
        /// The customer is not linked to one of Stripe.
        NoStripeCustomer = "no_stripe_customer",
        /// The customer was deleted in Stripe.
        CustomerDeleted = "customer_deleted",
        /// The account does not know the customer: another account, or another mode.
        CustomerUnknown = "customer_unknown",
        /// The customer has no currency yet, and a credit would choose it.
        CurrencyUnset = "currency_unset",
        /// The customer pays in another currency.
        CurrencyMismatch = "currency_mismatch",
        /// Stripe did not accept it.
        StripeRefused = "stripe_refused",
        /// Somebody gave the customer the same amount meanwhile; it may be the same credit.
        PossibleDuplicate = "possible_duplicate",
        /// Its line is there, with another amount or currency.
        AmountDiffers = "amount_differs",
        /// The lines of the balance do not follow from each other.
        HistoryUnclear = "history_unclear",
        /// Its key was used for another call.
        KeyConflict = "key_conflict",
        /// Stripe has not answered for days.
        StripeUnreachable = "stripe_unreachable",
    }
}

text_enum! {
    /// Why nothing of a team is delivered at present.
    pub enum Pause {
        /// Stripe does not accept its key any more.
        KeyInvalid = "stripe_key_invalid",
        /// Its key lacks a permission.
        PermissionMissing = "stripe_permission_missing",
    }
}

impl Kind {
    /// The amount of its line: below zero where it gives.
    pub const fn signed(self, amount: i64) -> i64 {
        match self {
            Kind::Reverse | Kind::Repair => amount,
            _ => -amount,
        }
    }

    /// Whether its line is a credit that the customer may not be able to use.
    pub const fn chooses_currency(self) -> bool {
        matches!(self, Kind::Grant | Kind::Restore)
    }

    /// Whether it gives something of a credit that the customer has in our books.
    pub const fn gives(self) -> bool {
        matches!(self, Kind::Grant | Kind::Restore | Kind::PutBack)
    }
}

impl State {
    /// Whether a call may have been made whose outcome nobody knows. Until it is known, nothing else is done with
    /// the credit.
    pub const fn is_open(self) -> bool {
        matches!(self, State::InFlight | State::Unknown)
    }
}

/// How far the delivery of a credit has come, with the reason if it needs attention.
///
/// The most urgent of its operations decides, whatever their order. `waits` is whether more is to be delivered
/// once its hold is over.
pub fn of_credit(
    operations: &[(State, Option<Reason>)],
    waits: bool,
) -> (DeliveryState, Option<Reason>) {
    let all = |state: State| operations.iter().filter(move |(of, _)| *of == state);
    let any = |state| all(state).next().is_some();
    if any(State::NeedsAttention) {
        let reason = all(State::NeedsAttention).filter_map(|(_, reason)| *reason);
        return (DeliveryState::NeedsAttention, reason.min());
    }
    let state = if any(State::Unknown) {
        DeliveryState::Unknown
    } else if any(State::InFlight) {
        DeliveryState::InFlight
    } else if any(State::Queued) {
        DeliveryState::Queued
    } else if waits {
        DeliveryState::Waiting
    } else if any(State::Delivered) {
        DeliveryState::Delivered
    } else {
        DeliveryState::None
    };
    (state, None)
}

/// The idempotency key under which a generation of an operation is called.
pub fn key(operation: &str, generation: i64) -> String {
    format!("bsc_{operation}_{generation}")
}

/// What the line of an operation says. Nothing in it tells who the customer is.
#[derive(Clone, Debug)]
pub struct Body<'a> {
    /// The operation.
    pub operation: &'a str,
    /// Its credit.
    pub credit: &'a str,
    /// The project of the credit.
    pub project: &'a str,
    /// By how much the balance changes; see [`Kind::signed`].
    pub amount: i64,
    /// The currency of the credit.
    pub currency: Currency,
    /// What the customer reads.
    pub description: &'a str,
}

impl Body<'_> {
    /// The body of the call. It is stored and sent again byte for byte, since Stripe compares it under a key.
    pub fn form(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("amount", &self.amount.to_string())
            .append_pair("currency", self.currency.as_str())
            .append_pair("description", self.description)
            .append_pair("metadata[billstack_op_id]", self.operation)
            .append_pair("metadata[billstack_credit_id]", self.credit)
            .append_pair("metadata[billstack_project_id]", self.project)
            .finish()
    }
}

/// The members of the body of a call, by their names in it.
pub fn members(form: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(form.as_bytes())
        .into_owned()
        .collect()
}

#[cfg(test)]
mod tests;
