//! Operations on balances in Stripe: each is one line there, and one entry here.

use billstack_core::delivery::{Kind, State};

use super::{Reads, Rule};
use crate::seam::{Fault, Row};

declare_rules! {
    operation_values, "an operation has a known kind, state and step" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE kind NOT IN ('grant', 'reverse', 'putback', 'restore', 'repair') \
        OR state NOT IN ('queued', 'in_flight', 'unknown', 'delivered', 'needs_attention') \
        OR step NOT IN ('call', 'look') LIMIT 100");

    operation_line, "an operation that is delivered has its line, and no other has one" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE (state = 'delivered') <> (transaction_id IS NOT NULL) LIMIT 100");

    one_grant, "a credit is delivered for the first time once" =
        concat!("SELECT credit_id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE kind = 'grant' GROUP BY team_id, project_id, credit_id HAVING COUNT(*) > 1 LIMIT 100");

    operation_due, "an operation goes on by itself unless it is delivered or needs attention" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE (due IS NULL) <> (state = 'delivered' OR (state = 'needs_attention' \
        AND reason <> 'stripe_unreachable')) OR (state = 'needs_attention') <> (reason IS NOT NULL) LIMIT 100");

    operation_lane, "what goes on with a customer of Stripe is in the queue" =
        concat!("SELECT o.id, ", place_of!("o"), " FROM stripe_operations o \
        LEFT JOIN work w ON w.team_id = o.team_id AND w.project_id = 0 AND w.kind = 'stripe_delivery' \
        AND w.subject = o.stripe_customer_id WHERE o.due IS NOT NULL AND w.subject IS NULL LIMIT 100");

    credit_delivery, "a credit that is put into a balance has operations for all that is available of it, or no \
        customer of Stripe; any other has none" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c LEFT JOIN stripe_operations o \
        ON o.team_id = c.team_id AND o.project_id = c.project_id AND o.credit_id = c.id \
        AND o.kind IN ('grant', 'restore', 'putback') WHERE c.by_stripe OR o.id IS NOT NULL \
        GROUP BY c.team_id, c.project_id, c.id, c.by_stripe, c.available, c.delivery_reason \
        HAVING NOT c.by_stripe OR (COALESCE(c.delivery_reason, '') <> 'no_stripe_customer' \
        AND COALESCE(SUM(CASE WHEN o.state <> 'delivered' THEN o.amount END), 0) <> c.available) LIMIT 100");
}

/// Rules that read the operations page by page.
pub(super) const READ_ROWS: &[Rule] = &[Rule {
    name: "operation_entry",
    holds: "an operation that is delivered is booked by its amount, in one entry or, where it took what was used, in two; \
            no other is, and none that takes back a line that was never booked",
    sql: concat!(
        "SELECT o.id, ",
        place_of!("o"),
        ", o.team_id, o.id, o.kind, o.state, o.amount, CAST(COUNT(l.amount) AS BIGINT), \
         CAST(COALESCE(SUM(l.amount), 0) AS BIGINT) FROM (SELECT team_id, project_id, id, credit_id, kind, state, \
         amount FROM stripe_operations WHERE (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3) o \
         LEFT JOIN entries e ON e.team_id = o.team_id AND e.project_id = o.project_id \
         AND e.credit_id = o.credit_id AND e.operation_id = o.id \
         LEFT JOIN entry_lines l ON l.team_id = e.team_id AND l.project_id = e.project_id \
         AND l.credit_id = e.credit_id AND l.seq = e.seq AND l.account IN ('stripe', 'applied') \
         GROUP BY o.team_id, o.project_id, o.id, o.kind, o.state, o.amount ORDER BY o.team_id, o.id"
    ),
    reads: Reads::InPages,
    breaks: is_booked_wrong,
}];

fn is_booked_wrong(row: &dyn Row) -> Result<bool, Fault> {
    let (kind, state) = (row.read(4, Kind::read)?, row.read(5, State::read)?);
    let (amount, entries, booked) = (row.int(6)?, row.int(7)?, row.int(8)?);
    let most = match kind {
        Kind::Repair => 0,
        Kind::Reverse => 2,
        _ => 1,
    };
    Ok(match state {
        State::Delivered if most > 0 => {
            !(1..=most).contains(&entries) || booked != -kind.signed(amount)
        }
        _ => entries != 0,
    })
}
