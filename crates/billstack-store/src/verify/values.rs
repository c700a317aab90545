//! Values that this version knows. It shows a row with another word as it is, and never acts on it.

use billstack_core::stripe_event::Start;

use super::{Reads, Rule};
use crate::seam::{Fault, Row};
use crate::tables::teams::team_of;

declare_rules! {
    terms_values, "terms have a known currency, and amounts within their bounds" =
        concat!("SELECT id, ", team_of!("terms"), " FROM terms \
        WHERE currency NOT IN ({currencies}) OR referrer_credit_amount NOT BETWEEN 0 AND {most} \
        OR referee_credit_amount NOT BETWEEN 0 AND {most} LIMIT 100");

    referral_values, "a referral has a known status" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE status NOT IN ({statuses}) LIMIT 100");

    credit_values, "a credit has a known side, status and currency, and an amount within its bounds" =
        concat!("SELECT id, ", place_of!("credits"), " FROM credits \
        WHERE side NOT IN ({sides}) OR status NOT IN ({credit_statuses}) \
        OR currency NOT IN ({currencies}) OR amount NOT BETWEEN 1 AND {most} LIMIT 100");

    line_values, "a line of an entry is of a known account" =
        concat!("SELECT credit_id, ", place_of!("entry_lines"), " FROM entry_lines \
        WHERE account NOT IN ({accounts}) LIMIT 100");
}

/// Rules that must look at the rows themselves.
pub(super) const READ_ROWS: &[Rule] = &[Rule {
    name: "readable_start",
    holds: "what a Stripe event tells of the start of a subscription can be read",
    sql: concat!(
        "SELECT id, ",
        team_of!("stripe_events"),
        ", team_id, id, start FROM stripe_events WHERE start IS NOT NULL \
         AND (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3"
    ),
    reads: Reads::InPages,
    breaks: is_no_start,
}];

fn is_no_start(row: &dyn Row) -> Result<bool, Fault> {
    Ok(serde_json::from_str::<Start>(row.text(4)?).is_err())
}
