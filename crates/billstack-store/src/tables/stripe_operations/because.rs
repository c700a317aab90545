//! Why an operation on a balance is there.

use billstack_core::ledger::Cause;

use super::LANE;

/// What caused an operation: its entries say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// What kind of thing.
    pub cause: Cause,
    /// Which one.
    pub id: String,
    /// Why, when a person said so.
    pub reason: Option<String>,
}

impl Because {
    /// Whoever delivers sees to it that the balance is what the credits say.
    pub fn job() -> Because {
        Because {
            cause: Cause::Job,
            id: LANE.to_owned(),
            reason: None,
        }
    }
}
