//! Conversions: what must have happened, and whether it happened as Stripe told.

use billstack_core::attribution::time_within_grace;
use billstack_core::event::Facts;
use billstack_core::stripe_event::Start;

use super::{Reads, Rule};
use crate::operations::missed::is_missed;
use crate::seam::{Fault, Row};
use crate::tables::projects::project_of;
use crate::tables::teams::team_of;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "missed_conversion",
        holds: "no Stripe event that counts was kept beside a pending referral that it converts",
        // Only who is named by an event at all is asked about.
        sql: concat!(
            "SELECT r.id, ",
            place_of!("r"),
            ", r.team_id, r.id, ",
            team_of!("r"),
            ", ",
            project_of!("r"),
            " FROM (SELECT p.id, p.team_id, p.project_id FROM referrals p \
         JOIN customers c ON c.team_id = p.team_id AND c.project_id = p.project_id \
         AND c.id = p.referee_customer_id \
         WHERE p.status = 'pending' AND (p.id, p.team_id) > ($2, $1) AND (\
         EXISTS (SELECT 1 FROM subscription_starts s WHERE s.team_id = p.team_id \
         AND s.match_key = 'customer:' || c.id) \
         OR EXISTS (SELECT 1 FROM subscription_starts s WHERE s.team_id = p.team_id \
         AND s.match_key = 'stripe:' || c.stripe_customer_id)) \
         ORDER BY p.id, p.team_id LIMIT $3) r ORDER BY r.id, r.team_id"
        ),
        reads: Reads::OneByOne(is_missed),
        breaks: |_| Ok(true),
    },
    Rule {
        name: "conversion_as_told",
        holds: "a converted referral has the time, the Stripe customer and the subscription that its Stripe \
                event tells, within its grace and as far ahead as the clock of its project may have been, and its \
                referral.converted in the log names that event",
        sql: concat!(
            "SELECT r.id, ",
            place_of!("r"),
            ", r.team_id, r.id, s.start, r.created_at - r.clock_offset, r.converted_at, t.grace, \
             r.stripe_customer_id, r.stripe_subscription_id, s.id, s.type, e.facts, p.clock_offset FROM (\
             SELECT * FROM referrals WHERE status = 'converted' AND (id, team_id) > ($2, $1) \
             ORDER BY id, team_id LIMIT $3) r \
             LEFT JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
             LEFT JOIN projects p ON p.team_id = r.team_id AND p.project_id = r.project_id \
             LEFT JOIN stripe_events s ON s.team_id = r.team_id AND s.id = r.stripe_event_id \
             LEFT JOIN events e ON e.team_id = r.team_id AND e.referral_id = r.id \
             AND e.type = 'referral.converted' ORDER BY r.id, r.team_id"
        ),
        reads: Reads::InPages,
        breaks: is_not_as_told,
    },
];

/// One whose event, terms or story are missing breaks another rule.
fn is_not_as_told(row: &dyn Row) -> Result<bool, Fault> {
    let start = row
        .opt_text(4)?
        .and_then(|text| serde_json::from_str::<Start>(text).ok());
    let (Some(start), Some(grace)) = (start, row.opt_int(7)?) else {
        return Ok(false);
    };
    let told = time_within_grace(row.time(5)?, grace, &start);
    let ahead = row.opt_time(6)?.zip(told).map(|(at, told)| at.since(told));
    let furthest = row.opt_int(13)?.unwrap_or(0);
    let is_told = ahead.is_some_and(|ahead| (0..=furthest).contains(&ahead))
        && row.opt_text(8)? == start.stripe_ids().next()
        && row.opt_text(9)? == Some(start.subscription());
    let Some(facts) = row.opt_text(12)? else {
        return Ok(!is_told);
    };
    let facts = Facts::read(facts);
    let is_named = facts.tell("stripeEventId", row.text(10)?)
        && facts.tell("stripeEventType", row.text(11)?)
        && facts.tell("stripeObjectId", start.object_id);
    Ok(!(is_told && is_named))
}
