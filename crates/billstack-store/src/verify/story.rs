//! The event log: the story of each referral, and what it says of referral and credits.

use billstack_core::event::Facts;
use billstack_core::ledger::Cause;
use billstack_core::source::Source;

use super::{Reads, Rule};
use crate::seam::{Fault, Row};

declare_rules! {
    applied_event, "a referral has exactly one referral.applied in the log" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        WHERE (SELECT COUNT(*) FROM events e WHERE e.team_id = r.team_id AND e.referral_id = r.id \
        AND e.project_id = r.project_id AND e.type = 'referral.applied') <> 1 LIMIT 100");

    story_begins, "the story of a referral begins with referral.applied" =
        concat!("SELECT e.referral_id, ", place_of!("e"), " FROM events e \
        WHERE e.sequence = 1 AND e.type <> 'referral.applied' LIMIT 100");

    story_numbers, "the story of a referral is numbered from 1 without a gap, as the referral says" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        LEFT JOIN events e ON e.team_id = r.team_id AND e.referral_id = r.id \
        GROUP BY r.team_id, r.project_id, r.id, r.story_length \
        HAVING COUNT(e.sequence) <> r.story_length OR MAX(e.sequence) <> r.story_length \
        OR MIN(e.sequence) <> 1 LIMIT 100");

    story_times, "a referral is as old as its referral.applied in the log, and its story ends when it says" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        JOIN events a ON a.team_id = r.team_id AND a.referral_id = r.id AND a.sequence = 1 \
        JOIN events e ON e.team_id = r.team_id AND e.referral_id = r.id \
        AND e.sequence = r.story_length \
        WHERE a.created_at <> r.created_at OR e.created_at <> r.story_at LIMIT 100");

    story_order, "the story of a referral is in the order of its times" =
        concat!("SELECT e.referral_id, ", place_of!("e"), " FROM events e JOIN events n \
        ON n.team_id = e.team_id AND n.referral_id = e.referral_id AND n.sequence = e.sequence + 1 \
        WHERE n.created_at <= e.created_at LIMIT 100");

    converted_event, "a converted referral has exactly one referral.converted in the log, any \
        other none" =
        concat!("SELECT r.id, ", place_of!("r"), " FROM referrals r \
        WHERE (SELECT COUNT(*) FROM events e WHERE e.team_id = r.team_id AND e.referral_id = r.id \
        AND e.project_id = r.project_id AND e.type = 'referral.converted') \
        <> CASE WHEN r.status = 'converted' THEN 1 ELSE 0 END LIMIT 100");

    conversion_first, "the story of a referral tells of its conversion before its credits" =
        concat!("SELECT c.referral_id, ", place_of!("c"), " FROM events c \
        WHERE c.type = 'referral.converted' AND EXISTS (SELECT 1 FROM events g \
        WHERE g.team_id = c.team_id AND g.referral_id = c.referral_id \
        AND g.type = 'credit.granted' AND (g.sequence < c.sequence \
        OR g.created_at < c.created_at)) LIMIT 100");
}

/// Rules that read the facts of events by name.
pub(super) const AS_TOLD: &[Rule] = &[
    Rule {
        name: "referral_as_applied",
        holds: "a referral has the code, customers, amounts, currency and source of its referral.applied in \
                the log",
        sql: concat!(
            "SELECT r.id, ",
            place_of!("r"),
            ", r.team_id, r.id, e.facts, r.code, r.referrer_customer_id, r.referee_customer_id, \
             t.referrer_credit_amount, t.referee_credit_amount, t.currency, r.source FROM (\
             SELECT * FROM referrals WHERE (id, team_id) > ($2, $1) ORDER BY id, team_id LIMIT $3) r \
             LEFT JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
             LEFT JOIN events e ON e.team_id = r.team_id AND e.referral_id = r.id \
             AND e.type = 'referral.applied' ORDER BY r.id, r.team_id"
        ),
        reads: Reads::InPages,
        breaks: is_not_as_applied,
    },
    Rule {
        name: "credit_as_granted",
        holds: "a credit has the customer, side, amount and currency of its credit.granted in the log",
        sql: concat!(
            "SELECT c.id, ",
            place_of!("r"),
            ", r.team_id, r.id, e.facts, c.customer_id, c.side, c.amount, c.currency FROM (\
             SELECT * FROM referrals WHERE (id, team_id) > ($2, $1) ORDER BY id, team_id LIMIT $3) r \
             LEFT JOIN credits c ON c.referral_id = r.id AND c.team_id = r.team_id \
             AND c.project_id = r.project_id \
             LEFT JOIN events e ON e.team_id = r.team_id AND e.referral_id = r.id \
             AND e.subject = c.id AND e.type = 'credit.granted' ORDER BY r.id, r.team_id"
        ),
        reads: Reads::InPages,
        breaks: is_not_as_granted,
    },
    Rule {
        name: "entry_as_caused",
        holds: "the first entry of a referral's credit names the Stripe event and the time of the conversion, and is \
                as old as the credit",
        sql: concat!(
            "SELECT c.id, ",
            place_of!("r"),
            ", r.team_id, r.id, r.stripe_event_id, r.converted_at, c.created_at, e.cause, e.cause_id, \
             e.effective_at, e.created_at FROM (\
             SELECT * FROM referrals WHERE (id, team_id) > ($2, $1) ORDER BY id, team_id LIMIT $3) r \
             LEFT JOIN credits c ON c.referral_id = r.id AND c.team_id = r.team_id \
             AND c.project_id = r.project_id \
             LEFT JOIN entries e ON e.team_id = c.team_id AND e.project_id = c.project_id \
             AND e.credit_id = c.id AND e.seq = 1 ORDER BY r.id, r.team_id"
        ),
        reads: Reads::InPages,
        breaks: is_not_as_caused,
    },
    Rule {
        name: "credit_as_given",
        holds: "a credit given by hand has the customer, amount and currency of its credit.granted in the log",
        sql: concat!(
            "SELECT c.id, ",
            place_of!("c"),
            ", c.team_id, c.id, e.facts, c.customer_id, c.side, c.amount, c.currency FROM (\
             SELECT * FROM credits WHERE kind = 'manual' AND (team_id, id) > ($1, $2) \
             ORDER BY team_id, id LIMIT $3) c \
             LEFT JOIN events e ON e.team_id = c.team_id AND e.created_at = c.created_at \
             AND e.subject = c.id AND e.type = 'credit.granted' ORDER BY c.team_id, c.id"
        ),
        reads: Reads::InPages,
        breaks: is_not_as_granted,
    },
];

/// One without the event or the terms breaks another rule.
fn is_not_as_applied(row: &dyn Row) -> Result<bool, Fault> {
    let (Some(facts), Some(currency)) = (row.opt_text(4)?, row.opt_text(10)?) else {
        return Ok(false);
    };
    let facts = Facts::read(facts);
    Ok(!(facts.tell("code", row.text(5)?)
        && facts.tell("referrerCustomerId", row.text(6)?)
        && facts.tell("refereeCustomerId", row.text(7)?)
        && facts.tell("referrerCreditAmount", row.int(8)?)
        && facts.tell("refereeCreditAmount", row.int(9)?)
        && facts.tell("currency", currency)
        && (row.text(11)? == Source::Code.as_str() || facts.tell("source", row.text(11)?))))
}

/// One without the entry, or of a referral that has not converted, breaks another rule.
fn is_not_as_caused(row: &dyn Row) -> Result<bool, Fault> {
    let (Some(event), Some(cause)) = (row.opt_text(4)?, row.opt_text(7)?) else {
        return Ok(false);
    };
    Ok(Cause::parse(cause) != Some(Cause::Event)
        || row.text(8)? != event
        || row.opt_time(5)? != row.opt_time(9)?
        || row.time(6)? != row.time(10)?)
}

/// One of a referral without the event breaks another rule.
fn is_not_as_granted(row: &dyn Row) -> Result<bool, Fault> {
    let Some(facts) = row.opt_text(4)? else {
        return Ok(false);
    };
    let facts = Facts::read(facts);
    let side = row.opt_text(6)?;
    Ok(!(facts.tell("customerId", row.text(5)?)
        && side.is_none_or(|side| facts.tell("side", side))
        && facts.tell("amount", row.int(7)?)
        && facts.tell("currency", row.text(8)?)))
}
