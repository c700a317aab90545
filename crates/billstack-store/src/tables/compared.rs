//! Which customers of Stripe are to be compared with our operations. Only reads.

use billstack_core::ids::TeamId;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    CHANGED = "SELECT DISTINCT stripe_customer_id FROM stripe_operations \
        WHERE team_id = $1 AND version <> looked_version AND stripe_customer_id > $2 \
        ORDER BY stripe_customer_id LIMIT $3";
    IN_SLOT = "SELECT DISTINCT stripe_customer_id FROM stripe_operations \
        WHERE team_id = $1 AND slot = $2 AND stripe_customer_id > $3 ORDER BY stripe_customer_id LIMIT $4";
}

/// Which customers of Stripe are to be compared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compared {
    /// Those with an operation that has changed since it last was.
    Changed,
    /// Those of a slot.
    InSlot(i64),
}

/// So many of them, in order, beginning after one.
pub(crate) fn customers(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    which: Compared,
    after: &str,
    limit: i64,
) -> Result<Vec<String>, Fault> {
    let id = |row: &dyn Row| row.string(0);
    match which {
        Compared::Changed => tx.all(CHANGED, params![team_id, after, limit], id),
        Compared::InSlot(slot) => tx.all(IN_SLOT, params![team_id, slot, after, limit], id),
    }
}
