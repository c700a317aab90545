//! Forgetting what is no longer needed: payloads of Stripe events, kept answers, dead sessions, old
//! invitations, tickets that nobody used, payments of strangers, webhooks that are over.

use billstack_core::time::{DAY, HOUR, MINUTE, Micros};
use billstack_store::work::{Key, Leased};
use billstack_store::{Abort, Actor, Fault, Tx, retention, sessions};

use super::Next;
use crate::app::App;
use crate::settings::Settings;
use crate::telemetry;

/// The kind of work; its subjects are the [`KINDS`].
pub(super) const KIND: &str = "retention";

/// Rows in one transaction: few enough that a webhook behind it does not notice.
const BATCH: i64 = 200;

/// A breath between two batches, for whoever waits.
const PAUSE: i64 = 50 * 1_000;

/// Time between two rounds.
const INTERVAL: i64 = 10 * MINUTE;

/// One batch of a kind: forgets at most so many rows, given the time and what the operator wants.
type Batch = fn(&mut dyn Tx, &Ages, i64) -> Result<u64, Fault>;

/// Everything that is forgotten, by the name it has in logs and metrics.
const KINDS: [(&str, Batch); 7] = [
    ("stripe_payloads", |tx, ages, limit| {
        retention::drop_old_payloads(tx, ages.payloads_before, limit)
    }),
    ("idempotent_answers", |tx, ages, limit| {
        retention::drop_answers(tx, ages.answers_before, limit)
    }),
    ("sessions", |tx, ages, limit| {
        retention::drop_sessions(tx, ages.now, sessions::IDLE, limit)
    }),
    ("invitations", |tx, ages, limit| {
        retention::drop_invitations(tx, ages.now, limit)
    }),
    ("portal_tickets", |tx, ages, limit| {
        retention::drop_tickets(tx, ages.now, limit)
    }),
    ("payments", |tx, ages, limit| {
        retention::drop_payments(tx, ages.now, limit)
    }),
    ("webhooks", |tx, ages, limit| {
        retention::drop_webhooks(tx, ages.webhooks_before, limit)
    }),
];

/// Which times are over.
#[derive(Clone, Copy)]
struct Ages {
    now: Micros,
    payloads_before: Micros,
    answers_before: Micros,
    webhooks_before: Micros,
}

impl Ages {
    fn new(now: Micros, settings: &Settings) -> Ages {
        let days = i64::from(settings.stripe_event_retention_days);
        let hours = i64::from(settings.idempotency_retention_hours);
        let webhook_days = i64::from(settings.webhook_retention_days);
        Ages {
            now,
            payloads_before: now.plus(-days * DAY),
            answers_before: now.plus(-hours * HOUR),
            webhooks_before: now.plus(-webhook_days * DAY),
        }
    }
}

/// Shows each kind among the metrics before anything was forgotten.
pub(super) fn begin_at_nothing() {
    for (kind, _) in KINDS {
        telemetry::forgotten(kind, 0);
    }
}

/// Its standing rows.
pub(super) fn standing() -> impl Iterator<Item = Key> {
    KINDS.iter().map(|(kind, _)| Key::of_server(KIND, kind))
}

/// Forgets one batch. A full one is followed by the next at once, any other by a long pause.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let subject = leased.key.subject.as_str();
    let Some(&(kind, batch)) = KINDS.iter().find(|(kind, _)| *kind == subject) else {
        // It belongs to a newer version, which runs beside this one during an upgrade.
        let facts = leased.work.facts.clone();
        return Ok(Next::Again(app.now().plus(MINUTE), facts));
    };
    let ages = Ages::new(app.now(), &app.settings);
    let origin = app.origin(Actor::System, "job:retention");
    let gone = app
        .store
        .write(origin, move |tx, _| Ok(batch(tx, &ages, BATCH)?));
    let gone = gone.await?;
    telemetry::forgotten(kind, gone);
    if gone > 0 {
        tracing::info!(kind, rows = gone, "forgot what was kept long enough");
    }
    let pause = match gone < BATCH.unsigned_abs() {
        true => INTERVAL,
        false => PAUSE,
    };
    Ok(Next::Again(app.now().plus(pause), "{}".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_follow_the_settings() {
        let now = Micros(1_000 * DAY);
        let ages = Ages::new(now, &Settings::default());
        assert_eq!(ages.now, now);
        assert_eq!(now.since(ages.payloads_before), 90 * DAY);
        assert_eq!(now.since(ages.answers_before), 24 * HOUR);
        assert_eq!(now.since(ages.webhooks_before), 30 * DAY);
    }
}
