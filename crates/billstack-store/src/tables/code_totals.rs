//! What the codes of a project have brought, added up.
//!
//! Referrals are added to a row by the worker that adds up the log, up to its [mark](super::program_marks), and clicks
//! as they are written; see [`program_days`](super::program_days). Nothing else is told by these rows: they could be
//! made anew. A code has a row as soon as the mark has passed its beginning, so that a list in the order of a figure
//! is one range of an index.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::events::Counted;
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    ADD = "INSERT INTO code_totals (team_id, project_id, code, clicks, applied, converted) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (team_id, project_id, code) DO UPDATE SET \
        clicks = code_totals.clicks + excluded.clicks, applied = code_totals.applied + excluded.applied, \
        converted = code_totals.converted + excluded.converted";
}

/// What a code has brought.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CodeTotal {
    /// How often its links were followed.
    pub clicks: i64,
    /// How often it was applied.
    pub applied: i64,
    /// How many of these referrals converted.
    pub converted: i64,
}

impl CodeTotal {
    /// Reads three columns from this one on.
    pub(crate) fn decode(row: &dyn Row, first: usize) -> Result<CodeTotal, Fault> {
        Ok(CodeTotal {
            clicks: row.int(first)?,
            applied: row.int(first + 1)?,
            converted: row.int(first + 2)?,
        })
    }

    pub(crate) fn add(&mut self, other: CodeTotal) {
        self.clicks += other.clicks;
        self.applied += other.applied;
        self.converted += other.converted;
    }
}

/// What codes of a project have brought, by the code.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct CodeTotals(BTreeMap<String, CodeTotal>);

impl CodeTotals {
    /// Counts an event of the log.
    pub(crate) fn count(&mut self, event: &Counted) {
        let Some(code) = &event.code else {
            return;
        };
        let total = self.0.entry(code.clone()).or_default();
        match event.kind.as_str() {
            "referral.applied" => total.applied += 1,
            "referral.converted" => total.converted += 1,
            _ => {}
        }
    }

    /// What one of them has brought.
    pub(crate) fn of(&self, code: &str) -> CodeTotal {
        self.0.get(code).copied().unwrap_or_default()
    }

    /// Those that have brought most, the codes in order where they stand alike.
    pub(crate) fn most(&self, limit: usize) -> impl Iterator<Item = (&str, CodeTotal)> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, total)| Reverse((total.converted, total.applied)));
        let all = all.into_iter().take(limit);
        all.map(|(code, total)| (code.as_str(), *total))
    }

    /// Adds these to what is kept of the project with these numbers, in the order in which everybody does.
    pub(crate) fn keep(&self, tx: &mut dyn Tx, team: i64, project: i64) -> Result<(), Fault> {
        for (code, total) in &self.0 {
            let row = params![
                team,
                project,
                code,
                total.clicks,
                total.applied,
                total.converted,
            ];
            tx.must_later(ADD, row)?;
        }
        Ok(())
    }
}

/// Adds clicks on the links of a code.
pub(crate) fn add_clicks(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    clicks: i64,
) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        code,
        clicks,
        0_i64,
        0_i64
    ];
    tx.must(ADD, row)
}
