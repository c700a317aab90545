//! What is known of subscriptions, against the Stripe events that told of them.

use billstack_core::attribution::Outcome;
use billstack_core::stripe_event::{Source, Start};
use billstack_core::time::Micros;

use super::{Reads, Rule};
use crate::params;
use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::tables::teams::team_of;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "start_as_told",
        holds: "what is known of the start of a subscription is what its Stripe event tells",
        // A page is of so many keys, since a row alone is known by three columns.
        sql: concat!(
            "SELECT s.object_id, ",
            team_of!("s"),
            ", s.team_id, s.match_key, ",
            team_of!("s"),
            ", '', s.object_id, s.match_key, s.began_at, s.counted_at, s.existed, e.start, e.id FROM (\
             SELECT DISTINCT team_id, match_key FROM subscription_starts \
             WHERE (team_id, match_key) > ($1, $2) ORDER BY team_id, match_key LIMIT $3) k \
             JOIN subscription_starts s ON s.team_id = k.team_id AND s.match_key = k.match_key \
             LEFT JOIN stripe_events e ON e.team_id = s.team_id AND e.id = s.event_id \
             ORDER BY s.team_id, s.match_key"
        ),
        reads: Reads::OneByOne(is_told_by_none),
        breaks: |row| Ok(Known::read(row, 6)?.told() != Told::Yes),
    },
    Rule {
        name: "start_kept",
        holds: "what a Stripe event tells of the start of a subscription is kept for everybody it names",
        sql: concat!(
            "SELECT e.id, ",
            team_of!("e"),
            ", e.team_id, e.id, e.start, e.outcome, e.reason FROM stripe_events e WHERE e.start IS NOT NULL \
             AND (e.team_id, e.id) > ($1, $2) ORDER BY e.team_id, e.id LIMIT $3"
        ),
        reads: Reads::Together(told_of),
        breaks: |_| Ok(true),
    },
];

const OF_KEY: &str = "SELECT s.object_id, s.match_key, s.began_at, s.counted_at, s.existed, e.start, e.id \
    FROM subscription_starts s \
    LEFT JOIN stripe_events e ON e.team_id = s.team_id AND e.id = s.event_id \
    WHERE s.team_id = $1 AND s.match_key = $2";
/// Reads all events of a team: for what its own event does not tell, which is rare.
const NAMING: &str = "SELECT start FROM stripe_events WHERE team_id = $1 \
    AND REPLACE(start, $2, '') <> start";
const KEPT: &str = "SELECT existed, counted_at FROM subscription_starts \
    WHERE team_id = $1 AND match_key = $2 AND object_id = $3";

/// Every statement of this module that is not the one of a rule.
pub(super) const STATEMENTS: &[(&str, &str)] = &[
    ("start_as_told of a key", OF_KEY),
    ("start_as_told by another", NAMING),
    ("start_kept", KEPT),
];

/// What is known of a subscription under one key, and what its event tells.
struct Known {
    object_id: String,
    match_key: String,
    began_at: Micros,
    counted_at: Option<Micros>,
    existed: bool,
    start: Option<Start>,
    is_emptied: bool,
}

/// Whether an event tells what is known.
#[derive(PartialEq)]
enum Told {
    Yes,
    No,
    /// All but when it began, which an earlier event may have told.
    ButTheTime,
}

impl Known {
    fn read(row: &dyn Row, first: usize) -> Result<Known, Fault> {
        let text = row.opt_text(first + 5)?;
        Ok(Known {
            object_id: row.string(first)?,
            match_key: row.string(first + 1)?,
            began_at: row.time(first + 2)?,
            counted_at: row.opt_time(first + 3)?,
            existed: row.flag(first + 4)?,
            start: text.and_then(read),
            is_emptied: text.is_none() && row.opt_text(first + 6)?.is_some(),
        })
    }

    /// One whose event is missing, or cannot be read, breaks another rule.
    fn told(&self) -> Told {
        let Some(start) = &self.start else {
            return if self.is_emptied { Told::No } else { Told::Yes };
        };
        // An event that was read anew may not count any more; what it told stays.
        let is_counted = match self.counted_at {
            Some(at) => at == start.occurred_at,
            None => start.counted_at().is_none(),
        };
        if !is_counted || !self.is_about(start) || (start.existed() && !self.existed) {
            return Told::No;
        }
        match start.source {
            _ if self.began_at == start.customer_since() => Told::Yes,
            // It was completed before it was paid, as another event told.
            Source::Session if self.began_at < start.customer_since() => Told::Yes,
            _ => Told::ButTheTime,
        }
    }

    fn is_about(&self, start: &Start) -> bool {
        start.object_id == self.object_id && start.match_keys().contains(&self.match_key)
    }
}

fn read(text: &str) -> Option<Start> {
    serde_json::from_str(text).ok()
}

fn is_told_by_none(tx: &mut dyn Tx, place: &Place, match_key: &str) -> Result<bool, Fault> {
    let team_id = &place.team_id;
    let known = tx.all(OF_KEY, params![team_id, match_key], |row| {
        Known::read(row, 0)
    })?;
    for known in known {
        match known.told() {
            Told::Yes => continue,
            Told::No => return Ok(true),
            Told::ButTheTime => {}
        }
        let mut is_told = false;
        tx.query(NAMING, params![team_id, &known.object_id], &mut |row| {
            let told = read(row.text(0)?).filter(|start| known.is_about(start));
            is_told |= told.is_some_and(|start| start.customer_since() == known.began_at);
            Ok(())
        })?;
        if !is_told {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What must be kept of a subscription for somebody whom an event names.
pub(super) struct MustBeKept {
    match_key: String,
    object_id: String,
    existed: bool,
    counts: bool,
}

/// What an event tells and was kept: nothing of one that could not be read, nor of one of the other mode, whose
/// reason is not its own.
fn told_of(row: &dyn Row) -> Result<Vec<MustBeKept>, Fault> {
    let Some(start) = read(row.text(4)?) else {
        return Ok(Vec::new());
    };
    let was_kept = match row.read(5, Outcome::read)? {
        Outcome::Failed | Outcome::Other(_) => false,
        Outcome::Ignored => row.opt_text(6)? == start.reason.as_deref(),
        _ => true,
    };
    let names = if was_kept {
        names_of(&start)
    } else {
        Vec::new()
    };
    let names = names.into_iter();
    Ok(names
        .map(|match_key| must_be_kept(&start, match_key))
        .collect())
}

fn must_be_kept(start: &Start, match_key: String) -> MustBeKept {
    MustBeKept {
        match_key,
        object_id: start.object_id.clone(),
        existed: start.existed(),
        counts: start.counted_at().is_some(),
    }
}

/// Whether each of these is kept, asked in one flight. The number is that of the team.
pub(super) fn are_kept(tx: &mut dyn Tx, told: &[(i64, MustBeKept)]) -> Result<Vec<bool>, Fault> {
    let keys = told.iter().map(|(team, told)| {
        let (key, object) = (Val::from(&told.match_key), Val::from(&told.object_id));
        [Val::from(*team), key, object]
    });
    let keys: Vec<_> = keys.collect();
    let queries: Vec<_> = keys.iter().map(|key| (KEPT, &key[..])).collect();
    let mut are_kept = vec![false; told.len()];
    tx.query_together(&queries, &mut |number, row| {
        let told = &told[number].1;
        let (existed, counts) = (row.flag(0)?, row.opt_time(1)?.is_some());
        are_kept[number] = (existed || !told.existed) && (counts || !told.counts);
        Ok(())
    })?;
    Ok(are_kept)
}

/// Those whom an event names for certain. Whether a reference that buyers can set was believed depended on who
/// was known then.
fn names_of(start: &Start) -> Vec<String> {
    let mut names = start.match_keys();
    let reference = start.client_reference_id.as_deref();
    if reference != start.billstack_customer_id.as_deref() {
        names.retain(|name| name.strip_prefix("customer:") != reference || reference.is_none());
    }
    names
}
