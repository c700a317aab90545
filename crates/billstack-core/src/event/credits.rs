//! What the log tells of credits.

use serde::Serialize;

use super::Event;
use crate::credit::{CreditStatus, Parts};

/// What happened to a credit, with where it stands afterwards. It serialises as the facts of both.
#[derive(Clone, Debug, Serialize)]
pub struct WithStanding<'a> {
    /// What happened.
    #[serde(flatten)]
    pub event: &'a Event<'a>,
    /// What has become of the amount.
    pub amounts: Parts,
    /// What that comes to.
    pub status: CreditStatus,
}

impl Event<'_> {
    /// What can happen to a credit: one of these goes with each of its entries.
    pub const OF_CREDITS: &'static [&'static str] = &[
        "credit.applied",
        "credit.delivered",
        "credit.granted",
        "credit.put_back",
        "credit.released",
        "credit.restored",
        "credit.reversed",
        "credit.settled",
        "credit.shortfall",
        "credit.shortfall_canceled",
        "credit.unapplied",
    ];
}
