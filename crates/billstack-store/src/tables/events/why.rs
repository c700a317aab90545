//! What the story of a referral tells of it that its row does not.

use billstack_core::event::Facts;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    LAST = "SELECT facts, created_at FROM events WHERE team_id = $1 AND referral_id = $2 AND type = $3 \
        ORDER BY sequence DESC LIMIT $4";
}

/// The last events of a type in the story of a referral, so many at most: their facts, and when each was.
pub(crate) fn last(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    referral_id: &str,
    kind: &str,
    limit: i64,
) -> Result<Vec<(Facts, Micros)>, Fault> {
    let scope = params![team_id, referral_id, kind, limit];
    tx.all(LAST, scope, |row| {
        Ok((Facts::read(row.text(0)?), row.time(1)?))
    })
}
