//! Taking work from the one queue, and giving it back.

use billstack_core::time::Micros;
use serde::{Deserialize, Serialize};

use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::work::{self, When};

pub use crate::tables::work::{Key, Work, done, due, enqueue, get, later};
pub(crate) use crate::tables::work::{hasten_all, hasten_in_projects};

/// Work under a lease.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leased {
    /// What it is about.
    pub key: Key,
    /// What it needs to know.
    pub work: Work,
}

/// The facts of work in a project whose subject says all but where it is: a row has only the numbers of team and
/// project.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Where {
    project_id: String,
    team_id: String,
}

/// Writes where the subject of a row is.
pub(crate) fn facts_of(place: &Place) -> Result<String, Fault> {
    let place = Where {
        project_id: place.project_id.to_string(),
        team_id: place.team_id.to_string(),
    };
    serde_json::to_string(&place).map_err(|e| Fault::Defect(e.to_string()))
}

/// Reads where the subject of a row is.
///
/// # Errors
/// When a hand has changed the facts.
pub fn place_of(work: &Work) -> Result<Place, Fault> {
    let place: Where =
        serde_json::from_str(&work.facts).map_err(|e| Fault::Defect(e.to_string()))?;
    Ok(Place::new(place.team_id, place.project_id))
}

/// Leases work of a kind that is due, the longest due first: so many rows at most, each until `until`.
///
/// Nodes that claim at the same moment read the same rows; the update of each decides whose it is.
pub fn claim(
    tx: &mut dyn Tx,
    act: &Act,
    kind: &'static str,
    limit: i64,
    until: Micros,
) -> Result<Vec<Leased>, Fault> {
    let mut leased = Vec::new();
    for key in work::due(tx, kind, act.real(), limit)? {
        leased.extend(claim_one(tx, act, key, until)?);
    }
    Ok(leased)
}

/// Leases one row that is due; `None` where it is not, or somebody works on it.
pub(super) fn claim_one(
    tx: &mut dyn Tx,
    act: &Act,
    key: Key,
    until: Micros,
) -> Result<Option<Leased>, Fault> {
    if !work::lease(tx, &key, act.real(), until, When::Due)? {
        return Ok(None);
    }
    let work = work::get(tx, &key)?;
    let work = work.ok_or_else(|| Fault::Defect("leased work is gone".to_owned()))?;
    Ok(Some(Leased { key, work }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    const KIND: &str = "test";
    const LEASE: i64 = 1_000;

    fn add(bench: &Bench, subject: &str, run_after: Micros) -> bool {
        let key = Key::of_server(KIND, subject);
        bench
            .run(|tx, act| Ok(enqueue(tx, act, &key, "{}", run_after)?))
            .unwrap()
    }

    fn take(bench: &Bench) -> Vec<(String, i64)> {
        let claimed = bench.run(|tx, act| Ok(claim(tx, act, KIND, 10, act.at.plus(LEASE))?));
        let subject = |leased: Leased| (leased.key.subject, leased.work.attempt);
        claimed.unwrap().into_iter().map(subject).collect()
    }

    #[test]
    fn work_is_taken_when_due_and_by_one() {
        let bench = Bench::new();
        let now = bench.time();
        assert!(add(&bench, "b", now.plus(500)));
        assert!(add(&bench, "a", now));
        assert!(!add(&bench, "a", now), "one row for each subject");
        assert_eq!(take(&bench), [("a".to_owned(), 1)]);
        assert_eq!(take(&bench), []);
        bench.set_time(now.plus(600));
        assert_eq!(take(&bench), [("b".to_owned(), 1)]);
        // Nobody came back with "a": its lease has run out.
        bench.set_time(now.plus(1_100));
        assert_eq!(take(&bench), [("a".to_owned(), 2)]);
    }

    #[test]
    fn tries_are_counted_from_the_last_that_went_well() {
        let bench = Bench::new();
        let (now, key) = (bench.time(), Key::of_server(KIND, "a"));
        add(&bench, "a", now);
        let later = |why| {
            bench
                .run(|tx, _| Ok(later(tx, &key, "{}", now, why)?))
                .unwrap()
        };
        assert_eq!(take(&bench), [("a".to_owned(), 1)]);
        assert!(later(Some("no answer")));
        assert_eq!(take(&bench), [("a".to_owned(), 2)]);
        assert!(later(None));
        assert_eq!(take(&bench), [("a".to_owned(), 1)]);
    }

    #[test]
    fn work_is_put_off_with_a_reason_and_done_once() {
        let bench = Bench::new();
        let now = bench.time();
        let key = Key::of_server(KIND, "a");
        add(&bench, "a", now);
        take(&bench);
        let put_off = |until: Micros| {
            bench.run(|tx, _| Ok(later(tx, &key, "{\"n\":1}", until, Some("no answer"))?))
        };
        assert_eq!(put_off(now.plus(100)), Ok(true));
        assert_eq!(take(&bench), []);
        let since = now.plus(100);
        bench.set_time(since.plus(-1));
        assert_eq!(take(&bench), []);
        bench.set_time(since);
        assert_eq!(take(&bench), [("a".to_owned(), 2)]);
        assert_eq!(bench.run(|tx, _| Ok(done(tx, &key)?)), Ok(true));
        assert_eq!(bench.run(|tx, _| Ok(done(tx, &key)?)), Ok(false));
        assert_eq!(put_off(now), Ok(false));
    }
}
