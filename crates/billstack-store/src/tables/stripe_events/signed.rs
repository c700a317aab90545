//! Events by the secret that they were signed with.

use billstack_core::ids::TeamId;

use super::super::projects::project_of;
use super::{StripeEvent, decode};
use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    /// Among the newest of a team. Nothing has an index for it: each event would pay for what is asked while a secret is
    /// new and few have come.
    NEWEST = concat!("SELECT id, type, created_at, received_at, livemode, outcome, reason, ",
        project_of!("e"), ", customer_id, referral_id, CAST(NULL AS TEXT) FROM (SELECT id, type, created_at, \
        received_at, livemode, outcome, reason, team_id, project_id, customer_id, referral_id, signed_with \
        FROM stripe_events WHERE team_id = $1 ORDER BY received_at DESC, id DESC LIMIT 1000) e \
        WHERE signed_with = $2 ORDER BY received_at DESC, id DESC LIMIT 1");
}

/// The newest event of a team that was signed with the secret of this number, among the last thousand.
pub fn newest(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    secret_version: i64,
) -> Result<Option<StripeEvent>, Fault> {
    tx.one(NEWEST, params![team_id, secret_version], decode)
}
