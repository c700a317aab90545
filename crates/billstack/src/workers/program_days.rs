//! Adding up the log of all teams, so that statistics need not count whole projects.

use billstack_core::time::SECOND;
use billstack_store::work::{Key, Leased};
use billstack_store::{Abort, Act, Actor, Tx, counting};
use serde::{Deserialize, Serialize};

use super::Next;
use crate::app::App;

/// The kind of work; its one subject is every team.
pub(super) const KIND: &str = "program_days";

/// Time between two rounds through all teams.
const INTERVAL: i64 = 10 * SECOND;

/// Events that are added up at once: what is written then is a few rows, and nobody waits behind it.
const BATCH: i64 = 2_000;

/// Batches before the work is given back: in less time than a lease lasts.
const BATCHES: usize = 20;

/// How far a round has come.
#[derive(Default, Deserialize, Serialize)]
struct Facts {
    /// The number of the team to go on with.
    from: Option<i64>,
}

/// Its standing row.
pub(super) fn standing() -> Key {
    Key::of_server(KIND, "all")
}

/// Adds up some batches, and goes on at once if there is more.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let facts: Facts = serde_json::from_str(&leased.work.facts).unwrap_or_default();
    let before = app.store.settled_before(app.now()).await?;
    let mut from = facts.from.unwrap_or(i64::MIN);
    for _ in 0..BATCHES {
        let read = move |tx: &mut dyn Tx| Ok(counting::read(tx, from, before, BATCH)?);
        // As short as a page, so that it need not wait behind those who read what it has not added up yet.
        let round = app.store.scan(read).await?;
        let next = round.next;
        if !round.is_empty() {
            let origin = app.origin(Actor::System, "job:program_days");
            let keep = move |tx: &mut dyn Tx, _: &mut Act| Ok(counting::keep(tx, &round)?);
            app.store.write(origin, keep).await?;
        }
        let Some(next) = next else {
            return Ok(Next::Again(app.now().plus(INTERVAL), "{}".to_owned()));
        };
        from = next;
    }
    let facts = Facts { from: Some(from) };
    let facts = serde_json::to_string(&facts).unwrap_or_default();
    Ok(Next::Again(app.now(), facts))
}
