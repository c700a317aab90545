//! Forgetting what is no longer needed: bodies of Stripe events, stored answers, dead sessions, old
//! invitations, abandoned reservations.

use std::time::Duration;

use billstack_core::time::{DAY, HOUR, Micros};
use billstack_store::act::Actor;
use billstack_store::tx::{Abort, Fault, Tx};
use billstack_store::{retention, sessions, teams};

use crate::app::App;
use crate::settings::Settings;
use crate::telemetry;

/// Rows in one transaction: few enough that a webhook behind it does not notice.
const BATCH: i64 = 200;

/// A breath between two batches, for whoever waits.
const PAUSE: Duration = Duration::from_millis(50);

/// Nodes take turns: two that delete the same rows side by side would only wait for each other.
const TURN: &str = "retention";

/// One batch of a kind: forgets at most so many rows, given the time and what the operator wants.
type Batch = fn(&mut dyn Tx, &Ages, i64) -> Result<u64, Fault>;

/// Every kind, by the name it has in logs and metrics.
const KINDS: [(&str, Batch); 5] = [
    ("stripe_payloads", |tx, ages, limit| {
        retention::forget_payloads(tx, ages.payloads_before, limit)
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
    ("customer_reservations", |tx, ages, limit| {
        retention::drop_reservations(tx, ages.now, limit)
    }),
];

/// Which times are over.
#[derive(Clone, Copy)]
struct Ages {
    now: Micros,
    payloads_before: Micros,
    answers_before: Micros,
}

impl Ages {
    fn new(now: Micros, settings: &Settings) -> Ages {
        let days = i64::from(settings.stripe_event_retention_days);
        let hours = i64::from(settings.idempotency_retention_hours);
        Ages {
            now,
            payloads_before: now.plus(-days * DAY),
            answers_before: now.plus(-hours * HOUR),
        }
    }
}

/// Forgets everything whose time is over and tells how many rows that were. A failure of one kind
/// leaves the others alone.
pub(super) async fn round(app: &App) -> u64 {
    let mut total = 0;
    let ages = Ages::new(app.now(), &app.settings);
    for (kind, batch) in KINDS {
        let (rows, ended) = forget(app, kind, ages, batch).await;
        total += rows;
        if rows > 0 {
            tracing::info!(kind, rows, "forgot what was kept long enough");
        }
        if let Err(abort) = ended {
            tracing::warn!(
                kind,
                ?abort,
                "could not forget; it will be tried again in the next round"
            );
        }
    }
    total
}

/// Batch after batch, until one is not full. Tells how many rows went, also when it failed half-way.
async fn forget(
    app: &App,
    kind: &'static str,
    ages: Ages,
    batch: Batch,
) -> (u64, Result<(), Abort>) {
    let mut rows = 0;
    loop {
        let origin = app.origin(Actor::System, "job:retention");
        let gone = app.store.write(origin, move |tx, _| {
            tx.lock(&teams::none(), &[TURN])?;
            Ok(batch(tx, &ages, BATCH)?)
        });
        match gone.await {
            Ok(gone) => {
                telemetry::forgotten(kind, gone);
                rows += gone;
                if gone < BATCH.unsigned_abs() {
                    return (rows, Ok(()));
                }
            }
            Err(abort) => return (rows, Err(abort)),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use billstack_store::act::Act;
    use billstack_store::users::{self, NewUser};

    use super::*;
    use crate::app::Shared;
    use crate::clock::Clock;
    use crate::server::prepare;
    use crate::settings::DatabaseUrl;

    fn app(directory: &tempfile::TempDir, clock: Clock) -> Shared {
        let file = directory.path().join("test.db");
        let settings = Settings {
            database_url: DatabaseUrl::new(format!("sqlite://{}", file.display())),
            ..Settings::default()
        };
        prepare(settings, clock, String::new(), Arc::new(|_: &str| {})).expect("an app")
    }

    fn open_sessions(app: &App, number: i64) {
        let open = move |tx: &mut dyn Tx, act: &mut Act| {
            let new = NewUser {
                email: "a@example.com".to_owned(),
                name: "A".to_owned(),
                password_hash: "hash".to_owned(),
            };
            let user = users::create_first(tx, act, &new)?;
            for token in 0..number {
                let hash = format!("token {token}");
                sessions::create(tx, act, &user.id, &hash, sessions::LIFETIME)?;
            }
            Ok(())
        };
        let origin = app.origin(Actor::System, "test");
        app.store.write_blocking(origin, open).expect("sessions");
    }

    #[test]
    fn a_round_forgets_more_than_a_batch_and_only_what_is_over() {
        let directory = tempfile::tempdir().expect("a directory");
        let begin = 20_000 * DAY;
        let clock = Clock::manual(begin);
        let app = app(&directory, clock.clone());
        let number = BATCH * 2 + 1;
        open_sessions(&app, number);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        assert_eq!(runtime.block_on(round(&app)), 0);
        let Clock::Manual(hands) = clock else {
            unreachable!("it was made so");
        };
        hands.store(
            begin + sessions::LIFETIME,
            std::sync::atomic::Ordering::SeqCst,
        );
        let gone = runtime.block_on(round(&app));
        assert_eq!(gone, number.unsigned_abs());
        assert_eq!(runtime.block_on(round(&app)), 0);
    }

    #[test]
    fn ages_follow_the_settings() {
        let now = Micros(1_000 * DAY);
        let ages = Ages::new(now, &Settings::default());
        assert_eq!(ages.now, now);
        assert_eq!(now.since(ages.payloads_before), 90 * DAY);
        assert_eq!(now.since(ages.answers_before), 24 * HOUR);
    }
}
