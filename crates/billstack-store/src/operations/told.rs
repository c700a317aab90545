//! What is told outside of events: each with what else there is to say, looked up when it is told.
//!
//! What an event changed is in its facts, as it was then. What is looked up never changes, but for the external ids
//! of customers: those are as they are now, so that no copy of them outlives an erasure.

use std::collections::BTreeMap;

use billstack_core::event::Facts;
use billstack_core::time::{MINUTE, Micros};
use billstack_core::webhook::types::Type;

use super::refusal::{Abort, Refusal, Thing};
use crate::seam::list::{Cursor, Part};
use crate::seam::tx::Query;
use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::tables::codes::{self, Code};
use crate::tables::credits::{self, Credit};
use crate::tables::events::log;
use crate::tables::projects::clock;
use crate::tables::referrals::told as referrals;
use crate::tables::{customers, events};

pub use crate::tables::events::log::Recorded;
pub use crate::tables::referrals::told::ToldReferral;

/// How many look-ups are asked together.
const TOGETHER: usize = 100;

/// How much later than its id an event may be in the log: its story may be ahead of the clock that made the id, by as
/// much as the clocks of nodes differ or were set back.
pub(super) const LAG: i64 = 10 * MINUTE;

/// Where an event is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventKey {
    /// In which project it happened.
    pub place: Place,
    /// When it was recorded.
    pub at: Micros,
    /// `evt_…`.
    pub id: String,
}

/// An event that is told outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// In which project it happened.
    pub place: Place,
    /// As what it is told.
    pub kind: Type,
    /// The event.
    pub event: Recorded,
    /// The referral that it is about.
    pub referral: Option<ToldReferral>,
    /// The credit that it is about, as it is now.
    pub credit: Option<Credit>,
    /// The code that it is about, as it is now.
    pub code: Option<Code>,
    /// What the team calls those it is about, by their ids.
    pub external_ids: BTreeMap<String, Option<String>>,
}

impl Told {
    fn new(place: &Place, event: Recorded) -> Option<Told> {
        let kind = Type::of_logged(&event.kind, &Facts::read(&event.facts))?;
        Some(Told {
            place: place.clone(),
            kind,
            event,
            referral: None,
            credit: None,
            code: None,
            external_ids: BTreeMap::new(),
        })
    }

    fn is(&self, resource: &str) -> bool {
        let (of, _) = self.kind.as_str().split_once('.').unwrap_or_default();
        of == resource
    }

    /// Whom it is about.
    fn customers(&self) -> Vec<String> {
        let mut ids = Vec::new();
        if self.is("customer") {
            ids.push(self.event.subject.clone());
        }
        if let Some(referral) = &self.referral {
            ids.push(referral.referrer_customer_id.clone());
            ids.push(referral.referee_customer_id.clone());
        }
        ids.extend(self.credit.iter().map(|credit| credit.customer_id.clone()));
        ids.extend(self.code.iter().map(|code| code.customer_id.clone()));
        ids
    }
}

/// The events at these places, in their order; none where an event is not there or not told.
pub fn load(tx: &mut dyn Tx, keys: &[EventKey]) -> Result<Vec<Option<Told>>, Fault> {
    let mut found: Vec<Option<Told>> = vec![None; keys.len()];
    let scopes = keys.iter().map(|key| {
        let id = Val::from(&*key.id);
        [Val::from(&key.place.team_id), Val::from(key.at), id]
    });
    each(tx, events::log::GET, scopes.collect(), |number, row| {
        found[number] = Told::new(&keys[number].place, log::decode(row)?);
        Ok(())
    })?;
    complete(tx, &mut found)?;
    Ok(found)
}

/// The events of a project that are told, after one of its log and before a time, oldest first.
///
/// The time is that of the day; by the clock of a test project it is as much later as that is ahead.
///
/// # Errors
/// The refusal that there is no such event in the project.
pub fn after(
    tx: &mut dyn Tx,
    place: &Place,
    after: Option<&str>,
    before: Micros,
    limit: i64,
) -> Result<Part<Told>, Abort> {
    let ahead = clock(tx, place)?.unwrap_or(0);
    let from = match after {
        None => Cursor {
            at: i64::MIN,
            key: String::new(),
        },
        Some(id) => {
            let at = place_of(tx, place, id, ahead)?;
            let at = at.ok_or(Refusal::NotFound(Thing::Event))?;
            Cursor {
                at: at.0,
                key: id.to_owned(),
            }
        }
    };
    let mut recorded = log::after(tx, place, &from, before.plus(ahead), limit + 1)?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let is_more = recorded.len() > limit;
    recorded.truncate(limit);
    let last = recorded.last().filter(|_| is_more).map(|last| Cursor {
        at: last.at.0,
        key: last.id.clone(),
    });
    let told = recorded.into_iter().map(|event| Told::new(place, event));
    let mut told: Vec<_> = told.filter(Option::is_some).collect();
    complete(tx, &mut told)?;
    Ok(Part {
        rows: told.into_iter().flatten().collect(),
        next: last,
    })
}

/// When an event of a project was recorded.
fn place_of(tx: &mut dyn Tx, place: &Place, id: &str, ahead: i64) -> Result<Option<Micros>, Fault> {
    let Some(made) = billstack_core::ids::made_at(id) else {
        return Ok(None);
    };
    log::place_of(tx, place, id, (made, made.plus(ahead + LAG)))
}

/// Looks up what else there is to say.
fn complete(tx: &mut dyn Tx, all: &mut [Option<Told>]) -> Result<(), Fault> {
    let referral = |told: &Told| {
        let id = told.event.referral_id.clone();
        id.filter(|_| told.is("referral")).into_iter().collect()
    };
    look_up(tx, all, referrals::TOLD, referral, |told, _, row| {
        told.referral = Some(referrals::decode(row)?);
        Ok(())
    })?;
    let subject_of = |resource: &'static str| {
        move |told: &Told| match told.is(resource) {
            true => vec![told.event.subject.clone()],
            false => Vec::new(),
        }
    };
    look_up(
        tx,
        all,
        credits::GET,
        subject_of("credit"),
        |told, _, row| {
            told.credit = Some(credits::decode(row)?);
            Ok(())
        },
    )?;
    look_up(tx, all, codes::GET, subject_of("code"), |told, _, row| {
        told.code = Some(codes::decode(row)?);
        Ok(())
    })?;
    look_up(
        tx,
        all,
        customers::EXTERNAL_ID,
        Told::customers,
        |told, id, row| {
            told.external_ids.insert(id.to_owned(), row.opt_string(0)?);
            Ok(())
        },
    )
}

/// A thing: the numbers of its team and project, and its id.
type Key = ((i64, i64), String);

/// Looks up things by the ids that each event leads to, each thing once.
fn look_up(
    tx: &mut dyn Tx,
    all: &mut [Option<Told>],
    sql: &'static str,
    ids_of: impl Fn(&Told) -> Vec<String>,
    mut found: impl FnMut(&mut Told, &str, &dyn Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut asked: BTreeMap<Key, (Place, Vec<usize>)> = BTreeMap::new();
    for (number, told) in all.iter().enumerate() {
        let Some(told) = told else { continue };
        let place = &told.place;
        let project = (place.team_id.number(), place.project_id.number());
        for id in ids_of(told) {
            let entry = asked.entry((project, id));
            let (_, who) = entry.or_insert_with(|| (place.clone(), Vec::new()));
            who.push(number);
        }
    }
    let asked: Vec<_> = asked.iter().collect();
    let scopes = asked.iter().map(|((_, id), (place, _))| {
        let project_id = Val::from(&place.project_id);
        [Val::from(&place.team_id), project_id, Val::from(&**id)]
    });
    each(tx, sql, scopes.collect(), |number, row| {
        let ((_, id), (_, who)) = asked[number];
        for number in who {
            if let Some(told) = &mut all[*number] {
                found(told, id, row)?;
            }
        }
        Ok(())
    })
}

/// Runs one query for each of many scopes, and hands every row to `found` with the number of its scope.
fn each(
    tx: &mut dyn Tx,
    sql: &'static str,
    scopes: Vec<[Val<'_>; 3]>,
    mut found: impl FnMut(usize, &dyn Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for (part, scopes) in scopes.chunks(TOGETHER).enumerate() {
        let queries: Vec<Query<'_>> = scopes.iter().map(|scope| (sql, &scope[..])).collect();
        tx.query_together(&queries, &mut |number, row| {
            found(part * TOGETHER + number, row)
        })?;
    }
    Ok(())
}
