//! Keeps the gauges that must be asked of the database near what they show.

use std::time::Duration;

use billstack_core::time::SECOND;
use billstack_store::{Abort, intake, upkeep, webhooks};

use crate::app::{App, Shared};
use crate::telemetry;

/// As often as they are usually collected.
const EVERY: Duration = Duration::from_secs(15);

/// Runs until the server stops and drops it, which may happen at any `await`.
pub async fn run(app: Shared) {
    let started = app.now();
    loop {
        if let Err(abort) = look(&app, started.0).await {
            // The database is down, which others tell of.
            tracing::debug!(?abort, "the gauges of the database stay as they are");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn look(app: &App, started: i64) -> Result<(), Abort> {
    let (database, log) = app.store.sizes().await?;
    telemetry::database_bytes(database, log);
    let newest = app.store.point(|tx| Ok(intake::newest(tx)?)).await?;
    let since = newest.map_or(started, |newest| newest.0);
    let age = (app.now().0 - since).max(0) as f64 / SECOND as f64;
    telemetry::last_event_age(age);
    let now = app.now();
    let overdue = app.store.scan(move |tx| Ok(webhooks::overdue(tx, now)?));
    let (number, oldest) = overdue.await?;
    let oldest = oldest.map_or(0, |oldest| now.since(oldest));
    telemetry::webhooks_due(number, oldest as f64 / SECOND as f64);
    telemetry::upkeep(&app.store.point(|tx| Ok(upkeep::last(tx)?)).await?);
    Ok(())
}
