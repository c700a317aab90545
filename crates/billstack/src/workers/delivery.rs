//! Delivering credits to Stripe: many customers of Stripe side by side, one call at a time for each.

mod balance;
mod first_look;
mod look;
mod steps;

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use billstack_core::delivery::operation::Effect;
use billstack_core::time::SECOND;
use billstack_store::credits::delivery::cure;
use billstack_store::credits::delivery::turns::{self, Served};
use billstack_store::stripe_lane::{self as lane, Job, Lane, Turn};
use billstack_store::work::{Key, Leased};
use billstack_store::{Abort, Actor, Origin, Tx};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use self::steps::Taken;
use super::{AFTER_A_FAILURE, AFTER_WORK, LOOK_EVERY, Next, finish};
use crate::app::App;

/// How many customers of Stripe are served at once.
const AT_ONCE: usize = 512;

/// How many of them may be one team's.
const OF_A_TEAM: usize = 64;

/// How soon a customer's first call could be made, or the customer is left to wait: whoever is served holds a lease,
/// and many would let theirs run out in a long line.
const SOON: i64 = 300_000;

/// How much longer than a call a lease is held.
const BEYOND_A_CALL: u32 = 5;

/// Serves whoever is due, again and again: the teams by turns, and of each as many as its rate has room for.
pub(super) async fn go_round(app: &App) {
    let (mut lanes, mut serving) = (FuturesUnordered::new(), Serving::default());
    let mut moves = app.clock.moves();
    loop {
        let looked = Instant::now();
        let mut claiming = pin!(claim(app, serving.clone()));
        let claimed = loop {
            tokio::select! {
                claimed = &mut claiming => break claimed,
                Some(key) = lanes.next() => serving.ended(&key),
            }
        };
        let pause = match claimed {
            Ok((after, claimed)) => {
                serving.after = after;
                for leased in claimed {
                    serving.begun(&leased.key);
                    lanes.push(serve(app, leased));
                }
                LOOK_EVERY
            }
            Err(abort) => {
                tracing::warn!(?abort, "the queue of deliveries could not be looked at");
                AFTER_A_FAILURE
            }
        };
        tokio::select! {
            Some(key) = lanes.next() => serving.ended(&key),
            () = tokio::time::sleep(pause) => {}
            () = app.store.enqueued().notified() => {}
            () = moves.next() => {}
        }
        // One look for all that end or are enqueued in a moment.
        let mut moment = pin!(tokio::time::sleep_until(looked + AFTER_WORK));
        loop {
            tokio::select! {
                Some(key) = lanes.next() => serving.ended(&key),
                () = &mut moment => break,
            }
        }
    }
}

/// Whom this node serves, and which team comes next.
#[derive(Clone)]
struct Serving {
    after: i64,
    /// The customers of Stripe that are served, by the number of their team.
    served: HashMap<i64, HashSet<String>>,
}

impl Default for Serving {
    fn default() -> Serving {
        Serving {
            after: i64::MIN,
            served: HashMap::new(),
        }
    }
}

impl Serving {
    fn begun(&mut self, key: &Key) {
        let of_team = self.served.entry(key.team).or_default();
        of_team.insert(key.subject.clone());
    }

    fn ended(&mut self, key: &Key) {
        if let Some(of_team) = self.served.get_mut(&key.team) {
            of_team.remove(&key.subject);
            if of_team.is_empty() {
                self.served.remove(&key.team);
            }
        }
    }
}

/// Leases rows that are due. Returns the team that was looked at last, too.
async fn claim(app: &App, serving: Serving) -> Result<(i64, Vec<Leased>), Abort> {
    let all: usize = serving.served.values().map(HashSet::len).sum();
    let (now, rates) = (app.now(), Arc::clone(&app.stripe_rates));
    let found = app.store.scan(move |tx: &mut dyn Tx| {
        let room = |team: i64| {
            let of_team = serving.served.get(&team).map_or(0, HashSet::len);
            rates
                .room(team, SOON)
                .min(OF_A_TEAM.saturating_sub(of_team))
        };
        let served = Served {
            after: serving.after,
            lanes: &serving.served,
            room: AT_ONCE.saturating_sub(all),
            room_of: &room,
        };
        Ok(turns::next(tx, now, &served)?)
    });
    let (after, due) = found.await?;
    if due.is_empty() {
        return Ok((after, Vec::new()));
    }
    let lease = lease(app);
    let claimed = app.store.write(origin(app), move |tx, act| {
        let until = act.real().plus(lease);
        Ok(turns::take(tx, act, &due, until)?)
    });
    Ok((after, claimed.await?))
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

/// Goes along a lane until nothing is due, and tells which it was. Whatever goes wrong with the database, its lease runs
/// out, and somebody takes it over.
async fn serve(app: &App, leased: Leased) -> Key {
    let served = match leased.key.subject.is_empty() {
        true => resume(app, &leased).await,
        false => go_along(app, &leased).await,
    };
    if let Err(abort) = served {
        tracing::warn!(subject = leased.key.subject, ?abort, "a delivery waits");
    }
    leased.key
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
