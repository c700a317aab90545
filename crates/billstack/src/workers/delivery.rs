//! Delivering credits to Stripe: many customers of Stripe side by side, one call at a time for each.

mod balance;
mod first_look;
mod steps;

use std::time::Duration;

use billstack_core::delivery::operation::Effect;
use billstack_core::time::SECOND;
use billstack_store::credits::delivery::{KIND, cure};
use billstack_store::stripe_lane::{self as lane, Job, Lane, Turn};
use billstack_store::work::{self, Leased};
use billstack_store::{Abort, Actor, Origin};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use self::steps::Taken;
use super::{AFTER_A_FAILURE, LOOK_EVERY, Next, due, finish};
use crate::app::App;

/// How many customers of Stripe are served at once.
const AT_ONCE: usize = 32;

/// How much longer than a call a lease is held.
const BEYOND_A_CALL: u32 = 5;

/// Serves whoever is due, again and again.
pub(super) async fn go_round(app: &App) {
    let mut lanes = FuturesUnordered::new();
    loop {
        let room = AT_ONCE - lanes.len();
        let pause = match claim(app, room).await {
            Ok(claimed) => {
                lanes.extend(claimed.into_iter().map(|leased| serve(app, leased)));
                LOOK_EVERY
            }
            Err(abort) => {
                tracing::warn!(?abort, "the queue of deliveries could not be looked at");
                AFTER_A_FAILURE
            }
        };
        tokio::select! {
            Some(()) = lanes.next() => {}
            () = tokio::time::sleep(pause) => {}
            () = app.store.enqueued().notified() => {}
        }
    }
}

/// Leases so many rows that are due.
async fn claim(app: &App, room: usize) -> Result<Vec<Leased>, Abort> {
    if room == 0 || due(app, &[KIND]).await?.is_empty() {
        return Ok(Vec::new());
    }
    let lease = lease(app);
    let claimed = app.store.write(origin(app), move |tx, act| {
        let room = i64::try_from(room).unwrap_or(1);
        Ok(work::claim(tx, act, KIND, room, act.real().plus(lease))?)
    });
    claimed.await
}

/// For how long a lane is leased each time, in microseconds.
fn lease(app: &App) -> i64 {
    let settings = &app.settings;
    let usual = settings.stripe_timeout_seconds + BEYOND_A_CALL;
    i64::from(settings.delivery_lease_seconds.unwrap_or(usual)) * SECOND
}

fn origin(app: &App) -> Origin {
    app.origin(Actor::System, "job:stripe_delivery")
}

/// Goes along a lane until nothing is due. Whatever goes wrong with the database, its lease runs out, and somebody
/// takes it over.
async fn serve(app: &App, leased: Leased) {
    let served = match leased.key.subject.is_empty() {
        true => resume(app, &leased).await,
        false => go_along(app, &leased).await,
    };
    if let Err(abort) = served {
        tracing::warn!(subject = leased.key.subject, ?abort, "a delivery waits");
    }
}

async fn go_along(app: &App, leased: &Leased) -> Result<(), Abort> {
    let mut lane = Lane::of(leased, lease(app))?;
    while let Some(turn) = next(app, lane).await? {
        let went_on = match turn {
            Turn::Step(job) => step(app, *job).await?,
            Turn::Read(reading) => app.read_balance(*reading).await?,
        };
        match went_on {
            Some(still) => lane = still,
            None => break,
        }
    }
    Ok(())
}

async fn next(app: &App, lane: Lane) -> Result<Option<Turn>, Abort> {
    let next = app
        .store
        .write(origin(app), move |tx, act| Ok(lane::next(tx, act, &lane)?));
    next.await
}

/// Does the next step of an operation, and keeps what came of it. With `None` the lane was given up.
async fn step(app: &App, job: Job) -> Result<Option<Lane>, Abort> {
    let (job, told) = match app.take_step(job).await? {
        Taken::Told(job, told) => (*job, told),
        Taken::Nothing(lane) => return Ok(lane),
    };
    let (job, effect) = conclude(app, job, told).await?;
    let Some(job) = job else {
        return Ok(None);
    };
    match effect {
        Effect::SlowDown => app.stripe_rates.slow_down(&job.lane.team_id),
        Effect::AskCustomer => {
            let told = app.ask_customer(&job).await;
            return Ok(conclude(app, job, told).await?.0.map(|job| job.lane));
        }
        Effect::None | Effect::Pause(_) => {}
    }
    Ok(Some(job.lane))
}

async fn conclude(app: &App, job: Job, told: lane::Told) -> Result<(Option<Job>, Effect), Abort> {
    let concluded = app.store.write(origin(app), move |tx, act| {
        Ok(lane::conclude(tx, act, &job, &told)?)
    });
    concluded.await
}

/// A team was connected: what waited for that goes on, some at a time.
async fn resume(app: &App, leased: &Leased) -> Result<(), Abort> {
    let team = Lane::of(leased, lease(app))?.team_id;
    let mut after = Some(String::new());
    while let Some(last) = after {
        let team = team.clone();
        let resumed = app.store.write(origin(app), move |tx, act| {
            Ok(cure::resume(tx, act, &team, &last)?)
        });
        after = resumed.await?;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    finish(app, leased, Ok(Next::Done)).await
}
