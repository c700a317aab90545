//! Statistics for PostgreSQL's planner, which by itself looks at a table only a minute after it has grown.

use billstack_core::time::SECOND;
use billstack_store::work::Key;
use billstack_store::{Abort, Actor};

use super::Next;
use crate::app::App;

/// The kind of work; its one subject is every table.
pub(super) const KIND: &str = "statistics";

/// Time between two looks when no table has grown.
const INTERVAL: i64 = 5 * SECOND;

/// Its standing row, where the database has statistics.
pub(super) fn standing(app: &App) -> Option<Key> {
    let key = || Key::of_server(KIND, "tables");
    app.store.has_statistics().then(key)
}

/// Sees to one table.
pub(super) async fn work(app: &App) -> Result<Next, Abort> {
    let origin = app.origin(Actor::System, "job:statistics");
    let grown = app.store.refresh_statistics(origin).await?;
    let pause = match grown {
        Some(table) => {
            tracing::debug!(table, "the database looked at a table that has grown");
            0
        }
        None => INTERVAL,
    };
    Ok(Next::Again(app.now().plus(pause), "{}".to_owned()))
}
