//! Payments: what is kept of them, and that credits are where it says.

use billstack_core::payments::Fact;

use super::{Reads, Rule};
use crate::operations::payments::is_not_as_told;
use crate::seam::{Fault, Row};
use crate::tables::projects::project_of;
use crate::tables::teams::team_of;

declare_rules! {
    payment_waits, "no event waits for a link between a payment and an invoice that is known" =
        concat!("SELECT w.to_id, ", team_of!("w"), " FROM payment_links w JOIN payment_links l \
        ON l.team_id = w.team_id AND l.from_id = w.from_id AND l.kind IN ('charge_invoice', 'intent_invoice') \
        WHERE w.kind = 'event_waits' LIMIT 100");
    payment_asked, "whatever waits for the invoice of a payment is in the queue, to be asked of Stripe" =
        concat!("SELECT w.to_id, ", team_of!("w"), " FROM payment_links w WHERE w.kind = 'event_waits' \
        AND NOT EXISTS (SELECT 1 FROM payment_links o JOIN work q ON q.team_id = o.team_id AND q.project_id = 0 \
        AND q.kind = 'payment_question' AND q.subject = o.from_id \
        WHERE o.team_id = w.team_id AND o.to_id = w.to_id AND o.kind = 'event_waits') LIMIT 100");
}

/// Rules that must look at the rows themselves.
pub(super) const AS_TOLD: &[Rule] = &[
    Rule {
        name: "taken_back_as_told",
        holds: "of the credits of a converted referral as much was taken back, besides what a person took, as is lost \
                of its payment by what Stripe told",
        // Only where something may have been taken, or was.
        sql: concat!(
            "SELECT r.id, ",
            place_of!("r"),
            ", r.team_id, r.id, ",
            team_of!("r"),
            ", ",
            project_of!("r"),
            " FROM (SELECT p.id, p.team_id, p.project_id FROM referrals p \
             JOIN terms t ON t.team_id = p.team_id AND t.id = p.terms_id \
             WHERE p.status = 'converted' AND (p.id, p.team_id) > ($2, $1) AND (t.clawback <> 'none' \
             OR EXISTS (SELECT 1 FROM credits c WHERE c.team_id = p.team_id AND c.project_id = p.project_id \
             AND c.referral_id = p.id AND (c.reversed <> c.reversed_by_hand OR c.shortfall <> 0))) \
             ORDER BY p.id, p.team_id LIMIT $3) r ORDER BY r.id, r.team_id"
        ),
        reads: Reads::OneByOne(is_not_as_told),
        breaks: |_| Ok(true),
    },
    Rule {
        name: "readable_payment",
        holds: "what Stripe told of a payment can be read, and is kept under what it is about",
        sql: concat!(
            "SELECT fact_key, ",
            team_of!("money_facts"),
            ", team_id, fact_key, fact, charge_id, payment_intent_id, invoice_id, subscription_id \
             FROM money_facts WHERE (team_id, fact_key) > ($1, $2) ORDER BY team_id, fact_key LIMIT $3"
        ),
        reads: Reads::InPages,
        breaks: is_no_fact,
    },
];

/// It may be found by more than it tells: by what an earlier version of it told.
fn is_no_fact(row: &dyn Row) -> Result<bool, Fault> {
    let Ok(fact) = serde_json::from_str::<Fact>(row.text(4)?) else {
        return Ok(true);
    };
    let about = fact.subjects();
    let told = [
        about.charge,
        about.payment_intent,
        about.invoice,
        about.subscription,
    ];
    let mut is_found = fact.key() == row.text(3)?;
    for (column, told) in (5..).zip(told) {
        is_found &= told.is_none() || row.opt_text(column)? == told;
    }
    Ok(!is_found)
}
