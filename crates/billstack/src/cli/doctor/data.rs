//! The database, the key to its secrets, and the work that waits in it.

use billstack_core::time::{MINUTE, Micros, span};
use billstack_store::store::Target;
use billstack_store::{Abort, webhooks, work};

use super::Finding;
use crate::app::App;
use crate::bytes::size;
use crate::workers;

/// A server looks at its work every second, and tries again at the latest after ten minutes.
const LATE: i64 = 15 * MINUTE;

/// Looks at what is in the database.
pub(super) async fn look(app: &App, target: &Target) -> Vec<Finding> {
    let mut found = match database(app, target).await {
        Ok(found) => found,
        Err(abort) => return vec![unread(abort)],
    };
    found.push(key(app).await);
    let waiting = async { Ok::<_, Abort>([queue(app).await?, deliveries(app).await?]) };
    match waiting.await {
        Ok(waiting) => found.extend(waiting),
        Err(abort) => found.push(unread(abort)),
    }
    found
}

pub(super) fn unread(abort: Abort) -> Finding {
    let why = crate::cli::output::Failure::from(abort);
    Finding::wrong("database", why.to_string(), "See to the database")
}

async fn database(app: &App, target: &Target) -> Result<Vec<Finding>, Abort> {
    let (bytes, log) = app.store.sizes().await?;
    let engine = match target.sqlite_file() {
        Some(_) => "SQLite",
        None => "PostgreSQL",
    };
    let log = log.map_or(String::new(), |log| format!(", its log {}", size(log)));
    let said = format!("{engine} answers; it takes {}{log}", size(bytes));
    let mut found = vec![Finding::ok("database", said)];
    let off = app.store.unsafe_settings().await?;
    if !off.is_empty() {
        found.push(Finding::wrong(
            "database",
            format!(
                "{} off: a power cut can damage or lose what was confirmed",
                is(&off)
            ),
            "Switch it on in postgresql.conf",
        ));
    }
    Ok(found)
}

fn is(names: &[String]) -> String {
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names.join(" and "))
}

async fn key(app: &App) -> Finding {
    match app.opens_secrets().await {
        Ok(true) => Finding::ok("key", "it opens the Stripe secrets in the database"),
        Ok(false) => Finding::wrong(
            "key",
            "it does not open most of the Stripe secrets in the database",
            "Set the BILLSTACK_SECRET_KEY with which they were kept, or restore the .key file of the database",
        ),
        Err(error) => Finding::wrong("key", error.to_string(), "See to the database"),
    }
}

/// Whether somebody does the work that is due.
async fn queue(app: &App) -> Result<Finding, Abort> {
    let before = Micros(app.now().0 - LATE);
    let late = app.store.scan(move |tx| {
        let mut late = Vec::new();
        for kind in workers::kinds() {
            if !work::due(tx, kind, before, 1)?.is_empty() {
                late.push(kind);
            }
        }
        Ok(late)
    });
    let late = late.await?;
    Ok(match late.is_empty() {
        true => Finding::ok("queue", "nothing is late"),
        false => Finding::wrong(
            "queue",
            format!("late by {} or more: {}", span(LATE), late.join(", ")),
            "Start a server; if one runs, its log says why",
        ),
    })
}

/// Whether webhooks to the teams' own systems are sent in time.
async fn deliveries(app: &App) -> Result<Finding, Abort> {
    let now = app.now();
    let overdue = app.store.scan(move |tx| Ok(webhooks::overdue(tx, now)?));
    let (number, oldest) = overdue.await?;
    let age = oldest.map_or(0, |oldest| now.since(oldest));
    Ok(match age > LATE {
        true => Finding::wrong(
            "webhooks",
            format!(
                "{number} should have been sent, the oldest {} ago",
                span(age)
            ),
            "Start a server; if one runs, it is too slow or its log says why",
        ),
        false => Finding::ok("webhooks", "none to your systems is late"),
    })
}
