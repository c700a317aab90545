//! Adding up the log of teams, so that the figures of a project cost the same however much has happened there.
//!
//! An event may be committed after a later one: its time is that of the operation's begin. So what is added up is
//! only as new as [`SETTLED`] says, by when every operation that began before has ended: the store keeps none that
//! began longer ago than [`LATEST`], and a transaction that still runs holds the mark back (see
//! [`Store::settled_before`](crate::store::Store::settled_before)).

use std::collections::{BTreeMap, BTreeSet};

use billstack_core::time::{Micros, SECOND};

use crate::seam::{Fault, Place, Tx};
use crate::tables::code_totals::CodeTotals;
use crate::tables::program_days::{ALL_DAYS, Figures};
use crate::tables::program_marks::{self, Mark};
use crate::tables::{booked_days, events, program_days};

/// How long after its begin an operation may be kept, in microseconds.
pub const LATEST: i64 = 20 * SECOND;

/// How old the log is where nothing can be added to it any more: [`LATEST`], and how far the clocks of nodes may
/// differ.
pub const SETTLED: i64 = LATEST + 15 * SECOND;

/// How many teams are looked at in one go.
const TEAMS: i64 = 100;

/// Events of the log of a team, added up.
#[derive(Clone, Debug)]
struct Batch {
    team: i64,
    from: Mark,
    to: Mark,
    /// By the number of the project.
    figures: BTreeMap<i64, (Figures, CodeTotals)>,
}

/// Events of some teams, added up.
#[derive(Clone, Debug)]
pub struct Round {
    batches: Vec<Batch>,
    /// The number of the team to go on with, if there is more.
    pub next: Option<i64>,
}

impl Round {
    /// Whether there was anything to add up.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }
}

/// Adds up what was recorded before a time and is not added up yet: of teams from this number on, and about so many
/// events.
pub fn read(tx: &mut dyn Tx, from: i64, before: Micros, limit: i64) -> Result<Round, Fault> {
    let mut round = Round {
        batches: Vec::new(),
        next: None,
    };
    let teams = program_marks::teams(tx, from, TEAMS)?;
    let mut left = limit;
    for team in &teams {
        if left <= 0 {
            round.next = Some(*team);
            return Ok(round);
        }
        let (batch, events) = read_team(tx, *team, before, left)?;
        if events == left {
            // There may be more of this team.
            round.next = Some(*team);
        }
        round.batches.extend(batch);
        left -= events;
        if round.next.is_some() {
            return Ok(round);
        }
    }
    let is_full = teams.len() == usize::try_from(TEAMS).unwrap_or_default();
    round.next = teams.last().filter(|_| is_full).map(|last| last + 1);
    Ok(round)
}

fn read_team(
    tx: &mut dyn Tx,
    team: i64,
    before: Micros,
    limit: i64,
) -> Result<(Option<Batch>, i64), Fault> {
    let from = program_marks::get(tx, team)?;
    let (mut to, mut events) = (from.clone(), 0);
    let mut figures: BTreeMap<i64, (Figures, CodeTotals)> = BTreeMap::new();
    events::to_count(tx, team, &from, before, limit, |event| {
        events += 1;
        if let Some(project) = event.project {
            let (figures, codes) = figures.entry(project).or_default();
            figures.count(&event);
            codes.count(&event);
        }
        to = Mark {
            at: Micros(event.at),
            event_id: event.id,
        };
    })?;
    let batch = Batch {
        team,
        from,
        to,
        figures,
    };
    Ok(((events > 0).then_some(batch), events))
}

/// Keeps what was added up. What somebody else has added up meanwhile is left out.
pub fn keep(tx: &mut dyn Tx, round: &Round) -> Result<(), Fault> {
    for batch in &round.batches {
        if !program_marks::advance(tx, batch.team, &batch.from, &batch.to)? {
            continue;
        }
        for (project, (figures, codes)) in &batch.figures {
            figures.keep(tx, batch.team, *project)?;
            codes.keep(tx, batch.team, *project)?;
            // Each entry of the ledger has its event in the log, which is not older.
            booked_days::add_up(tx, batch.team, *project, batch.to.at)?;
        }
    }
    Ok(())
}

/// The figures of a project as its log tells them now: of all days together, and of each day from `first` on.
pub(crate) fn figures(tx: &mut dyn Tx, place: &Place, first: i64) -> Result<Figures, Fault> {
    let mut figures = Figures::default();
    figures.add_kept(tx, place, (ALL_DAYS, ALL_DAYS))?;
    figures.add_kept(tx, place, (first.max(0), i64::MAX))?;
    since_mark(tx, place, |event| figures.count(event))?;
    Ok(figures)
}

/// The figures of each day from the first to the last, and of days besides.
pub(crate) fn figures_of(
    tx: &mut dyn Tx,
    place: &Place,
    first: i64,
    last: i64,
) -> Result<Figures, Fault> {
    let mut figures = Figures::default();
    figures.add_kept(tx, place, (first, last))?;
    since_mark(tx, place, |event| figures.count(event))?;
    Ok(figures)
}

/// The currencies in which credits were ever granted.
pub(crate) fn currencies(tx: &mut dyn Tx, place: &Place) -> Result<BTreeSet<String>, Fault> {
    let mut figures = Figures::default();
    since_mark(tx, place, |event| figures.count(event))?;
    let credited = figures.0.into_keys();
    let credited = credited.filter(|figure| figure.name == "credited");
    let mut currencies: BTreeSet<_> = credited.map(|figure| figure.currency).collect();
    currencies.extend(program_days::currencies(tx, place)?);
    Ok(currencies)
}

/// What codes have brought as the log tells since the mark.
pub(crate) fn codes_since_mark(tx: &mut dyn Tx, place: &Place) -> Result<CodeTotals, Fault> {
    let mut codes = CodeTotals::default();
    since_mark(tx, place, |event| codes.count(event))?;
    Ok(codes)
}

fn since_mark(
    tx: &mut dyn Tx,
    place: &Place,
    mut each: impl FnMut(&events::Counted),
) -> Result<(), Fault> {
    let mark = program_marks::get(tx, place.team_id.number())?;
    events::counted_since(tx, place, &mark, |event| each(&event))
}
