//! The limits of programs: caps and budgets.

use billstack_core::credit::limits::{Budget, PaidBefore};
use billstack_core::event::Facts;
use billstack_core::program::Caps;

use super::{Reads, Rule};
use crate::seam::{Fault, Row};
use crate::tables::teams::team_of;

declare_rules! {
    budget_out, "what is out of a budget is what was granted for referrals of the program and not taken back" =
        concat!("SELECT b.program_id, ", place_of!("p"), " FROM program_budgets b \
        JOIN programs p ON p.team_id = b.team_id AND p.id = b.program_id \
        WHERE b.amount_out <> (SELECT COALESCE(SUM(c.amount - c.reversed), 0) FROM credits c \
        WHERE c.team_id = p.team_id AND c.project_id = p.project_id AND c.currency = b.currency \
        AND c.kind = 'referral') LIMIT 100");

    budget_there, "what is out is kept only of a program that has a budget" =
        concat!("SELECT b.program_id, ", team_of!("b"), " FROM program_budgets b \
        LEFT JOIN programs p ON p.team_id = b.team_id AND p.id = b.program_id \
        WHERE p.budget IS NULL LIMIT 100");
}

/// Rules that read the facts of events by name.
pub(super) const AS_TOLD: &[Rule] = &[Rule {
    name: "limits_kept",
    holds: "a credit was withheld exactly where a limit that is told with the conversion was reached",
    sql: concat!(
        "SELECT r.id, ",
        place_of!("r"),
        ", r.team_id, r.id, e.facts, t.referrer_credit_amount, t.referee_credit_amount, f.id, g.id FROM (\
         SELECT * FROM referrals WHERE (id, team_id) > ($2, $1) ORDER BY id, team_id LIMIT $3) r \
         LEFT JOIN terms t ON t.team_id = r.team_id AND t.id = r.terms_id \
         LEFT JOIN events e ON e.team_id = r.team_id AND e.referral_id = r.id \
         AND e.type = 'referral.converted' \
         LEFT JOIN credits f ON f.referral_id = r.id AND f.team_id = r.team_id \
         AND f.project_id = r.project_id AND f.side = 'referrer' \
         LEFT JOIN credits g ON g.referral_id = r.id AND g.team_id = r.team_id \
         AND g.project_id = r.project_id AND g.side = 'referee' ORDER BY r.id, r.team_id"
    ),
    reads: Reads::InPages,
    breaks: exceeds_limits,
}];

/// Whether the credits of a conversion are others than its limits allow. One without the event or the terms breaks
/// another rule.
fn exceeds_limits(row: &dyn Row) -> Result<bool, Fault> {
    let (Some(facts), Some(referrer), Some(referee)) =
        (row.opt_text(4)?, row.opt_int(5)?, row.opt_int(6)?)
    else {
        return Ok(false);
    };
    let facts = Facts::read(facts);
    let caps = Caps {
        total: facts.number("maxConversionsTotal"),
        per_month: facts.number("maxConversionsPerMonth"),
    };
    let before = PaidBefore {
        total: facts.number("paidBeforeTotal").unwrap_or_default(),
        in_month: facts.number("paidBeforeInMonth").unwrap_or_default(),
    };
    let mut budget = facts.number("budget").map(|limit| Budget {
        limit,
        out: facts.number("budgetOut").unwrap_or_default(),
    });
    let mut is_made = |promised: i64, is_capped: bool| {
        let fits = budget.is_none_or(|budget| budget.fits(promised));
        let is_made = promised > 0 && !is_capped && fits;
        if let (true, Some(budget)) = (is_made, &mut budget) {
            budget.out += promised;
        }
        is_made
    };
    let referee_made = is_made(referee, false);
    let referrer_made = is_made(referrer, caps.are_reached(before));
    Ok(row.opt_text(7)?.is_some() != referrer_made || row.opt_text(8)?.is_some() != referee_made)
}
