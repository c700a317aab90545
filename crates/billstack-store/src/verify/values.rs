//! Values that the program must be able to read: whoever asks for a row with another one gets an error.

use billstack_core::stripe_event::Start;

use super::{Reads, Rule};
use crate::teams::team_of;
use crate::tx::{Fault, Row};

/// Rules that must look at the rows themselves.
pub(super) const READ_ROWS: &[Rule] = &[Rule {
    name: "readable_start",
    holds: "what a Stripe event tells of the start of a subscription can be read",
    sql: concat!(
        "SELECT id, ",
        team_of!("stripe_events"),
        ", team_id, start FROM stripe_events WHERE start IS NOT NULL \
         AND (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3"
    ),
    reads: Reads::InPages,
    breaks: is_no_start,
}];

fn is_no_start(row: &dyn Row) -> Result<bool, Fault> {
    Ok(serde_json::from_str::<Start>(row.text(3)?).is_err())
}
