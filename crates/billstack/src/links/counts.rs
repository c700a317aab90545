//! How often links were followed: counted in memory, written every few seconds and at the end.
//!
//! A crash may cost what was counted in these seconds, and never an attribution: the token is the record of a click.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use billstack_store::links::{self, Counted};
use billstack_store::{Abort, Actor, Fault, Place};
use metrics::{Unit, counter, describe_counter};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Shared};

/// How often what was counted is written.
const EVERY: Duration = Duration::from_secs(5);

/// What is counted apart at once. When there is more, it goes uncounted until it is written.
const MOST: usize = 20_000;

/// How much is written in one transaction: others must not wait long behind it.
const AT_ONCE: usize = 200;

/// How long the end of the server waits for the last of it.
const LONGEST_END: Duration = Duration::from_secs(3);

/// The pause between two tries at the end.
const A_MOMENT: Duration = Duration::from_millis(200);

/// Counts clicks on share links by what became of them.
const CLICKS: &str = "billstack_clicks_total";
const OUTCOMES: [&str; 2] = ["counted", "dropped"];

type Counting = HashMap<(Place, Counted), i64>;

/// What was counted and not written yet.
#[derive(Debug, Default)]
pub struct Counts(Mutex<Counting>);

impl Counts {
    /// Counts a click.
    pub fn add(&self, place: &Place, counted: Counted) {
        let is_counted = self.put(place.clone(), counted, 1);
        counter!(CLICKS, "outcome" => OUTCOMES[usize::from(!is_counted)]).increment(1);
    }

    fn put(&self, place: Place, counted: Counted, clicks: i64) -> bool {
        let mut counting = self.lock();
        let key = (place, counted);
        if counting.len() >= MOST && !counting.contains_key(&key) {
            return false;
        }
        let sum = counting.entry(key).or_default();
        *sum = sum.saturating_add(clicks);
        true
    }

    /// Takes what was counted, in the one order in which every node writes it.
    fn take(&self) -> Vec<(Place, Counted, i64)> {
        let taken = std::mem::take(&mut *self.lock());
        let mut all: Vec<_> = taken
            .into_iter()
            .map(|((place, counted), clicks)| (place, counted, clicks))
            .collect();
        let key = |place: &Place| (place.team_id.number(), place.project_id.number());
        all.sort_unstable_by(|one, other| (key(&one.0), &one.1).cmp(&(key(&other.0), &other.1)));
        all
    }

    fn lock(&self) -> MutexGuard<'_, Counting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes what is counted, every few seconds until the server stops.
pub async fn run(app: Shared, stopped: CancellationToken) {
    let about = "Clicks on share links, by what became of them.";
    describe_counter!(CLICKS, Unit::Count, about);
    for outcome in OUTCOMES {
        counter!(CLICKS, "outcome" => outcome).increment(0);
    }
    // A write that was begun is ended: to cut it off would leave open whether it counted.
    while tokio::time::timeout(EVERY, stopped.cancelled())
        .await
        .is_err()
    {
        write(&app).await;
    }
}

/// Ends [`run`], and writes what is left. A database that does not answer is not waited for long.
pub async fn finish(app: &App, stop: CancellationToken, running: JoinHandle<()>) {
    stop.cancel();
    let other = running.abort_handle();
    let all = async {
        // A panic has been logged.
        let _ = running.await;
        while !write(app).await {
            tokio::time::sleep(A_MOMENT).await;
        }
    };
    if tokio::time::timeout(LONGEST_END, all).await.is_err() {
        other.abort();
        tracing::warn!("clicks that were counted could not be written");
    }
}

/// Writes what is counted, and tells whether nothing is left. What could not be written is counted on.
async fn write(app: &App) -> bool {
    let all = app.clicks.take();
    let mut parts = all.chunks(AT_ONCE);
    for part in parts.by_ref() {
        let rows = part.to_vec();
        let origin = app.origin(Actor::System, "links");
        let done = app
            .store
            .write(origin, move |tx, _| Ok(links::count(tx, &rows)?));
        match done.await {
            Ok(()) => {}
            // Whether they were counted nobody knows; to write them again might count them twice.
            Err(Abort::Fault(Fault::Unknown(_))) => {
                tracing::warn!(rows = part.len(), "clicks may not have been counted");
            }
            Err(abort) => {
                tracing::warn!(?abort, "clicks are written later");
                for (place, counted, clicks) in part.iter().chain(parts.flatten()) {
                    app.clicks.put(place.clone(), counted.clone(), *clicks);
                }
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(number: usize) -> Counted {
        Counted {
            code: format!("CODE{number}"),
            day: 20_000,
            channel: "link".to_owned(),
        }
    }

    #[test]
    fn clicks_add_up_until_they_are_taken() {
        let (counts, place) = (Counts::default(), Place::new("team_a", "proj_a"));
        for number in [1, 0, 1] {
            counts.add(&place, counted(number));
        }
        let expected = vec![
            (place.clone(), counted(0), 1),
            (place.clone(), counted(1), 2),
        ];
        assert_eq!(counts.take(), expected);
        assert_eq!(counts.take(), []);
    }

    #[test]
    fn memory_is_bounded() {
        let (counts, place) = (Counts::default(), Place::new("team_a", "proj_a"));
        for number in 0..=MOST {
            counts.add(&place, counted(number));
        }
        counts.add(&place, counted(0));
        let taken = counts.take();
        assert_eq!(taken.len(), MOST);
        let sum: i64 = taken.iter().map(|(_, _, clicks)| clicks).sum();
        assert_eq!(usize::try_from(sum), Ok(MOST + 1));
    }
}
