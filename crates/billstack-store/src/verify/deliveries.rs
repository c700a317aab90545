//! Operations on balances in Stripe: each is one line there, and one entry here.

use billstack_core::delivery::{Kind, State};
use billstack_core::reconcile::walk::slot_of;

use super::{Reads, Rule};
use crate::operations::stripe_lane::balance::is_used_otherwise;
use crate::seam::{Fault, Row};
use crate::tables::projects::project_of;
use crate::tables::teams::team_of;

declare_rules! {
    operation_values, "an operation has a known kind, state and step" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE kind NOT IN ('grant', 'reverse', 'putback', 'restore', 'repair') \
        OR state NOT IN ('queued', 'in_flight', 'unknown', 'delivered', 'needs_attention') \
        OR step NOT IN ('call', 'look') LIMIT 100");

    operation_compared, "an operation was compared with Stripe's lines as it is or was, and whose line is gone is \
        called under a later key" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE looked_version NOT BETWEEN 0 AND version OR (lost_transaction_id IS NOT NULL AND generation < 2) \
        LIMIT 100");

    operation_repair, "only the repair of a double takes back a line, and not its own" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE (kind = 'repair') <> (takes_back IS NOT NULL) OR takes_back = transaction_id LIMIT 100");

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

    reversal_amount, "no more of a credit is taken from a balance than was put into it" =
        concat!("SELECT credit_id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE state = 'delivered' AND kind <> 'repair' GROUP BY team_id, project_id, credit_id, stripe_customer_id \
        HAVING SUM(CASE WHEN kind = 'reverse' THEN -amount ELSE amount END) < 0 LIMIT 100");

    one_reversal, "of a credit one loss is taken back at a time" =
        concat!("SELECT credit_id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE kind = 'reverse' AND state <> 'delivered' AND cause <> 'user' \
        GROUP BY team_id, project_id, credit_id HAVING COUNT(*) > 1 LIMIT 100");

    repaired_line, "a repair names the line that it takes back, and nothing else does" =
        concat!("SELECT id, ", place_of!("stripe_operations"), " FROM stripe_operations \
        WHERE (kind = 'repair') <> (takes_back IS NOT NULL) LIMIT 100");

    operation_balance, "a balance that an operation is on is followed" =
        concat!("SELECT o.id, ", place_of!("o"), " FROM stripe_operations o LEFT JOIN stripe_balances b \
        ON b.team_id = o.team_id AND b.stripe_customer_id = o.stripe_customer_id \
        WHERE b.team_id IS NULL LIMIT 100");

    balance_lane, "a balance whose lines are to be read is in the queue" =
        concat!("SELECT b.stripe_customer_id, ", team_of!("b"), " FROM stripe_balances b \
        LEFT JOIN work w ON w.team_id = b.team_id AND w.project_id = 0 AND w.kind = 'stripe_delivery' \
        AND w.subject = b.stripe_customer_id WHERE b.due IS NOT NULL AND w.subject IS NULL LIMIT 100");

    balance_line_numbers, "the lines of a customer are numbered from 1 without a gap, and each is there once" =
        concat!("SELECT stripe_customer_id, ", team_of!("stripe_balance_lines"), " FROM stripe_balance_lines \
        GROUP BY team_id, stripe_customer_id HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*) \
        OR COUNT(DISTINCT id) <> COUNT(*) LIMIT 100");

    balance_lines, "the lines of a balance follow from each other" =
        concat!("SELECT l.id, ", team_of!("l"), " FROM (SELECT team_id, id, amount, ending_balance, \
        LAG(ending_balance) OVER (PARTITION BY team_id, stripe_customer_id, currency ORDER BY number) AS before \
        FROM stripe_balance_lines) l WHERE COALESCE(l.before, 0) + l.amount <> l.ending_balance LIMIT 100");

    credit_delivery, "a credit that is put into a balance has operations for all that is available of it, or no \
        customer of Stripe; any other has none" =
        concat!("SELECT c.id, ", place_of!("c"), " FROM credits c LEFT JOIN stripe_operations o \
        ON o.team_id = c.team_id AND o.project_id = c.project_id AND o.credit_id = c.id \
        AND o.kind IN ('grant', 'restore', 'putback') WHERE c.by_stripe OR o.id IS NOT NULL \
        GROUP BY c.team_id, c.project_id, c.id, c.by_stripe, c.available, c.delivery_reason \
        HAVING NOT c.by_stripe OR (COALESCE(c.delivery_reason, '') <> 'no_stripe_customer' \
        AND COALESCE(SUM(CASE WHEN o.state <> 'delivered' AND o.lost_transaction_id IS NULL THEN o.amount END), 0) \
        <> c.available) LIMIT 100");
}

/// Rules that read the operations page by page.
pub(super) const READ_ROWS: &[Rule] = &[
    Rule {
        name: "operation_slot",
        holds: "an operation is in the slot of its customer of Stripe, by which reconcile finds it",
        sql: concat!(
            "SELECT o.id, ",
            place_of!("o"),
            ", o.team_id, o.id, o.stripe_customer_id, o.slot FROM stripe_operations o \
         WHERE (o.team_id, o.id) > ($1, $2) ORDER BY o.team_id, o.id LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: |row| Ok(slot_of(row.text(4)?) != row.int(5)?),
    },
    Rule {
        name: "operation_entry",
        holds: "an operation whose line is there or was is booked by its amount, in one entry or, where it took what was \
            used, in two; no other is, and none that takes back a line that was never booked",
        sql: concat!(
            "SELECT o.id, ",
            place_of!("o"),
            ", o.team_id, o.id, o.kind, o.state, o.amount, o.lost_transaction_id, CAST(COUNT(l.amount) AS BIGINT), \
         CAST(COALESCE(SUM(l.amount), 0) AS BIGINT) FROM (SELECT team_id, project_id, id, credit_id, kind, state, \
         amount, lost_transaction_id FROM stripe_operations WHERE (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3) o \
         LEFT JOIN entries e ON e.team_id = o.team_id AND e.project_id = o.project_id \
         AND e.credit_id = o.credit_id AND e.operation_id = o.id \
         LEFT JOIN entry_lines l ON l.team_id = e.team_id AND l.project_id = e.project_id \
         AND l.credit_id = e.credit_id AND l.seq = e.seq AND l.account IN ('stripe', 'applied') \
         GROUP BY o.team_id, o.project_id, o.id, o.kind, o.state, o.amount, \
         o.lost_transaction_id ORDER BY o.team_id, o.id"
        ),
        reads: Reads::InPages,
        breaks: is_booked_wrong,
    },
];

/// Rules that must look at the rows themselves.
pub(super) const AS_LISTED: &[Rule] = &[Rule {
    name: "used_as_listed",
    holds: "of a credit in a balance as much is used as the lines of the balance say",
    sql: concat!(
        "SELECT r.id, ",
        place_of!("r"),
        ", r.team_id, r.id, ",
        team_of!("r"),
        ", ",
        project_of!("r"),
        " FROM (SELECT id, team_id, project_id FROM credits c WHERE (applied > 0 OR (by_stripe AND EXISTS \
         (SELECT 1 FROM stripe_operations o JOIN stripe_balance_lines l ON l.team_id = o.team_id \
         AND l.stripe_customer_id = o.stripe_customer_id AND l.amount > 0 WHERE o.credit_id = c.id \
         AND o.team_id = c.team_id AND o.project_id = c.project_id))) AND (id, team_id) > ($2, $1) ORDER BY id, team_id LIMIT $3) r ORDER BY r.id, r.team_id"
    ),
    reads: Reads::OneByOne(is_used_otherwise),
    breaks: |_| Ok(true),
}];

fn is_booked_wrong(row: &dyn Row) -> Result<bool, Fault> {
    let (kind, state) = (row.read(4, Kind::read)?, row.read(5, State::read)?);
    let (amount, lost) = (row.int(6)?, row.opt_text(7)?);
    let (entries, booked) = (row.int(8)?, row.int(9)?);
    let has_line = state == State::Delivered || lost.is_some();
    let most = match kind {
        Kind::Repair => 0,
        Kind::Reverse => 2,
        _ => 1,
    };
    Ok(match has_line && most > 0 {
        true => !(1..=most).contains(&entries) || booked != -kind.signed(amount),
        false => entries != 0,
    })
}
