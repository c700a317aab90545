//! Sending webhooks. Each endpoint has a lane of its own, so whoever is slow holds nobody else up.
//!
//! A row is leased before it is sent and concluded after it was answered. When a node dies in between, the lease runs
//! out and another sends the same event under the same id: at least once, not exactly once.

mod lane;
mod slots;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use billstack_core::time::SECOND;
use billstack_core::webhook::attempt::AttemptError;
use billstack_store::told::{self, EventKey};
use billstack_store::webhooks::{self, Concluded, Job, Told};
use billstack_store::{Abort, Actor, Lane, Origin};
use futures_util::FutureExt as _;
use tokio::sync::{Notify, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::{AFTER_A_FAILURE, LOOK_EVERY};
use crate::app::{App, Shared};
use crate::webhooks::out::body::body;
use crate::webhooks::out::send::Contents;
use slots::Slots;

/// For how long a delivery is leased: an attempt, and time to keep what came of it.
const LEASE: i64 = 25 * SECOND;

/// How long it may take to keep what came of the last ones.
const LAST_WRITES: Duration = Duration::from_secs(3);

/// When the server is told to stop, and how long what is under way may go on then.
#[derive(Clone)]
pub struct Stop {
    told: watch::Receiver<bool>,
    grace: Duration,
}

impl Stop {
    /// Told through this channel.
    pub fn new(told: watch::Receiver<bool>, grace: Duration) -> Stop {
        Stop { told, grace }
    }

    fn is_told(&self) -> bool {
        *self.told.borrow()
    }

    /// Waits until it is told. Whoever would tell being gone says the same.
    async fn told(&self) {
        let _ = self.told.clone().wait_for(|told| *told).await;
    }

    /// Waits until nothing may go on any more.
    async fn is_over(&self) {
        self.told().await;
        tokio::time::sleep(self.grace).await;
    }
}

/// Sends what is due until it is told to stop, and then finishes what is under way or gives it back. A database that
/// does not answer keeps nobody from stopping.
pub async fn run(app: Shared, stop: Stop) {
    let mut lanes = Lanes::new(app, stop.clone());
    let at_last = async {
        stop.is_over().await;
        tokio::time::sleep(LAST_WRITES).await;
    };
    tokio::select! {
        () = lanes.go_round() => {}
        () = at_last => {}
    }
    // They hold the state; wait until they have dropped it.
    lanes.looking.shutdown().await;
    lanes.running.shutdown().await;
}

async fn give_back_all(app: &App) -> Result<(), Abort> {
    let given = app
        .store
        .write(origin(app), |tx, _| Ok(webhooks::give_back_all(tx)?));
    match given.await? {
        0 => {}
        leases => tracing::info!(leases, "webhooks that were under way are sent again"),
    }
    Ok(())
}

async fn look(app: Shared) -> Result<Vec<Lane>, Abort> {
    let now = app.now();
    app.store.scan(move |tx| Ok(webhooks::due(tx, now)?)).await
}

fn origin(app: &App) -> Origin {
    app.origin(Actor::System, "job:webhooks")
}

/// The lanes that are served now.
struct Lanes {
    app: Shared,
    stop: Stop,
    slots: Arc<Slots>,
    served: HashMap<Lane, Served>,
    running: JoinSet<Lane>,
    looking: JoinSet<Result<Vec<Lane>, Abort>>,
}

struct Served {
    /// There is more to send.
    more: Arc<Notify>,
    task: AbortHandle,
}

impl Lanes {
    fn new(app: Shared, stop: Stop) -> Lanes {
        Lanes {
            app,
            stop,
            slots: Arc::default(),
            served: HashMap::new(),
            running: JoinSet::new(),
            looking: JoinSet::new(),
        }
    }

    async fn go_round(&mut self) {
        let (app, stop) = (Arc::clone(&self.app), self.stop.clone());
        while let Err(abort) = give_back_all(&app).await {
            tracing::warn!(
                ?abort,
                "webhooks under way before the start stay leased for now"
            );
            tokio::select! {
                () = tokio::time::sleep(AFTER_A_FAILURE) => {}
                () = stop.told() => return,
            }
        }
        let (mut next_look, mut moves) = (Instant::now(), app.clock.moves());
        loop {
            tokio::select! {
                () = stop.told() => break,
                () = moves.next() => next_look = Instant::now(),
                filled = app.store.filled().take() => self.wake(filled),
                Some(ended) = self.running.join_next() => self.ended(ended.ok()),
                () = tokio::time::sleep_until(next_look), if self.looking.is_empty() => {
                    // It looks while the lanes go on.
                    self.looking.spawn(look(Arc::clone(&app)));
                }
                Some(found) = self.looking.join_next() => {
                    next_look = Instant::now() + self.found(found.ok());
                }
            }
        }
        while self.running.join_next().await.is_some() {}
    }

    /// Serves the lanes that were found, and says how long to wait until the next look.
    fn found(&mut self, found: Option<Result<Vec<Lane>, Abort>>) -> Duration {
        match found {
            Some(Ok(due)) => {
                self.wake(due);
                LOOK_EVERY
            }
            Some(Err(abort)) => {
                tracing::warn!(?abort, "the queue of webhooks could not be looked at");
                AFTER_A_FAILURE
            }
            None => LOOK_EVERY,
        }
    }

    fn wake(&mut self, lanes: Vec<Lane>) {
        for lane in lanes {
            match self.served.get(&lane) {
                Some(served) if !served.task.is_finished() => served.more.notify_one(),
                _ => self.begin(lane),
            }
        }
    }

    fn begin(&mut self, lane: Lane) {
        let more = Arc::new(Notify::new());
        let serving = lane::serve(lane::Serving {
            app: Arc::clone(&self.app),
            lane: lane.clone(),
            more: Arc::clone(&more),
            slots: Arc::clone(&self.slots),
            stop: self.stop.clone(),
        });
        let task = self.running.spawn(serving);
        self.served.insert(lane, Served { more, task });
    }

    /// Forgets a lane that is through; none of them panicked.
    fn ended(&mut self, lane: Option<Lane>) {
        let Some(lane) = lane else {
            self.served.retain(|_, served| !served.task.is_finished());
            return;
        };
        // Somebody may have come while it was ending.
        let again = |served: &Served| served.more.notified().now_or_never().is_some();
        match self.served.remove(&lane) {
            Some(served) if !served.task.is_finished() => {
                self.served.insert(lane, served);
            }
            Some(served) if again(&served) => self.begin(lane),
            _ => {}
        }
    }
}

impl App {
    /// Sends a delivery that is leased, and keeps what came of it.
    pub async fn deliver_now(&self, job: &Job) -> Result<(Told, Concluded), Abort> {
        let body = self.webhook_bodies(std::slice::from_ref(job)).await?;
        let told = self.send_job(job, body.into_iter().flatten().next()).await;
        let (job, kept) = (job.clone(), told.clone());
        let concluded = self.store.write(origin(self), move |tx, act| {
            Ok(webhooks::conclude(tx, act, &job, &kept)?)
        });
        Ok((told, concluded.await?))
    }

    /// What is said by each of these; `None` for an event that cannot be read.
    async fn webhook_bodies(&self, jobs: &[Job]) -> Result<Vec<Option<Bytes>>, Abort> {
        let keys: Vec<EventKey> = jobs
            .iter()
            .map(|job| EventKey {
                place: job.to_send.place.clone(),
                at: job.to_send.event.created_at,
                id: job.to_send.event.id.clone(),
            })
            .collect();
        let told = self.store.point(move |tx| Ok(told::load(tx, &keys)?));
        let written = |told: Option<told::Told>| {
            let body = body(&told?)?;
            serde_json::to_vec(&body).ok().map(Bytes::from)
        };
        Ok(told.await?.into_iter().map(written).collect())
    }

    async fn send_job(&self, job: &Job, body: Option<Bytes>) -> Told {
        let to_send = &job.to_send;
        let contents = Contents {
            team_id: &to_send.place.team_id,
            endpoint_id: &to_send.delivery.endpoint_id,
            url: &to_send.url,
            secrets: &to_send.secrets,
            event_id: &to_send.delivery.event_id,
            attempt: job.attempt(),
        };
        let letter = body.ok_or(AttemptError::Event);
        let letter = letter.and_then(|body| self.webhook_letter(contents, body));
        self.send_letter(letter.as_ref().map_err(|error| *error))
            .await
    }
}
