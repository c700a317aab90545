//! Asking Stripe for what its events have not told of payments.
//!
//! Whatever cannot go on without an answer puts a row into `work`, in the transaction in which it waits: which invoice
//! a payment was for, what that invoice is, which refunds a charge has of which only a total was told, and when a
//! subscription began. With a secret key the row is due at once; without one it sleeps for as long as facts are kept,
//! and is woken when a key is connected. Whoever works on it asks outside of any transaction, and brings what Stripe
//! answers to [`payment_answers`](crate::payment_answers).

mod later;
mod questions;

use billstack_core::ids::TeamId;
use billstack_core::time::{DAY, Micros};
use serde::{Deserialize, Serialize};

use crate::operations::work::Leased;
use crate::seam::Fault;

pub(crate) use later::{for_beginning, is_answered};
pub(super) use later::{for_invoice, for_refunds, for_subscription};
pub(crate) use questions::names;
pub use questions::question;

/// The kind of work; its subjects are ids of Stripe's things.
pub const KIND: &str = "payment_question";

/// How long a question sleeps after what waits for it is forgotten, and at least.
pub(crate) const SLEEP: i64 = DAY;

/// How long one sleeps of which nothing is ever forgotten.
pub(crate) const LONG_SLEEP: i64 = 30 * DAY;

/// What kind of thing a question is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Thing {
    Charge,
    Intent,
    Invoice,
    Subscription,
}

/// What the work knows besides its subject.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    team_id: String,
    thing: Thing,
}

/// What Stripe is to be asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Nothing any more.
    Nothing,
    /// About a payment.
    Payment {
        /// Its charge.
        charge: Option<String>,
        /// The payment intents that it is known to belong to.
        intents: Vec<String>,
        /// Until when something is kept that waits for the invoice which it paid; `None` when nothing waits.
        waits_until: Option<Micros>,
        /// When a refund of the charge was told that may be known by its total only.
        refunded_at: Option<Micros>,
    },
    /// What an invoice is.
    Invoice(String),
    /// When a subscription began.
    Beginning(String),
}

fn facts_of(leased: &Leased) -> Result<(TeamId, Thing), Fault> {
    let facts: Facts =
        serde_json::from_str(&leased.work.facts).map_err(|e| Fault::Defect(e.to_string()))?;
    Ok((TeamId::from(facts.team_id), facts.thing))
}

/// The team that a question is of.
///
/// # Errors
/// When a hand has changed the row.
pub fn team_of(leased: &Leased) -> Result<TeamId, Fault> {
    facts_of(leased).map(|(team_id, _)| team_id)
}
