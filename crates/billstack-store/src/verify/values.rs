//! Values that the program must be able to read: whoever asks for a row with another one gets an error.

use billstack_core::stripe_event::Start;

use super::{Reads, Rule};
use crate::projects::project_of;
use crate::teams::team_of;
use crate::tx::{Fault, Row};

declare_rules! {
    program_values, "a program has a known currency, and amounts within their bounds" =
        concat!("SELECT ", project_of!("programs"), ", ", team_of!("programs"), " FROM programs \
        WHERE currency NOT IN ({currencies}) OR referrer_credit_amount NOT BETWEEN 0 AND {most} \
        OR referee_credit_amount NOT BETWEEN 0 AND {most} LIMIT 100");

    referral_values, "a referral has a known status and currency, and amounts within their bounds" =
        concat!("SELECT id, ", place_of!("referrals"), " FROM referrals \
        WHERE status NOT IN ({statuses}) OR currency NOT IN ({currencies}) \
        OR referrer_credit_amount NOT BETWEEN 0 AND {most} \
        OR referee_credit_amount NOT BETWEEN 0 AND {most} LIMIT 100");

    credit_values, "a credit has a known side, status and currency, and an amount within its bounds" =
        concat!("SELECT id, ", place_of!("credits"), " FROM credits \
        WHERE side NOT IN ({sides}) OR status NOT IN ({credit_statuses}) \
        OR currency NOT IN ({currencies}) OR amount NOT BETWEEN 1 AND {most} LIMIT 100");
}

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
