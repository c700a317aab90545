//! How far the delivery of a credit has come, as it is shown.

use billstack_core::delivery::State;
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Tx};
use crate::tables::credits::Credit;
use crate::tables::projects::clock;
use crate::tables::stripe_operations::{self, StripeOperation};

/// A credit, and what its operation in Stripe says.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The credit.
    pub credit: Credit,
    /// Whose balance it is put into.
    pub stripe_customer_id: Option<String>,
    /// The line that gave it.
    pub transaction_id: Option<String>,
    /// How many calls were made.
    pub attempts: i64,
    /// When it goes on by itself.
    pub next_attempt_at: Option<Micros>,
    /// What Stripe said when it refused.
    pub refusal: Option<String>,
}

/// A credit with its delivery: of several operations the one that is not over, or else the latest.
pub fn shown(tx: &mut dyn Tx, place: &Place, credit: Credit) -> Result<Shown, Fault> {
    let operations = match credit.by_stripe {
        true => stripe_operations::of_credit(tx, place, &credit.id)?,
        false => Vec::new(),
    };
    let is_open = |one: &&StripeOperation| one.progress.state != State::Delivered;
    let told = operations.iter().find(is_open).or(operations.last());
    // What was put back is no line that gave it.
    let given = operations
        .iter()
        .rev()
        .filter(|one| one.kind.chooses_currency());
    let transaction_id = given.filter_map(|one| one.transaction_id.clone()).next();
    Ok(Shown {
        credit,
        stripe_customer_id: told.map(|one| one.stripe_customer_id.clone()),
        transaction_id,
        attempts: told.map_or(0, |one| one.progress.attempts),
        next_attempt_at: match told.and_then(StripeOperation::due) {
            Some(due) => Some(due.plus(clock(tx, place)?.unwrap_or(0))),
            None => None,
        },
        refusal: told.and_then(|one| one.refusal.clone()),
    })
}
