//! One lane: what goes to one endpoint.
//!
//! One transaction concludes what was answered and leases what comes next, so a busy endpoint costs about one for
//! every four deliveries.

use std::sync::Arc;

use axum::body::Bytes;
use billstack_store::webhooks::{self, Job, Told};
use billstack_store::{Act, Fault, Lane, Tx};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::Notify;

use super::slots::{Slot, Slots};
use super::{LEASE, LOOK_EVERY, Stop, origin};
use crate::app::Shared;

/// What a lane is served with.
pub(super) struct Serving {
    pub(super) app: Shared,
    pub(super) lane: Lane,
    /// There is more to send.
    pub(super) more: Arc<Notify>,
    pub(super) slots: Arc<Slots>,
    pub(super) stop: Stop,
}

/// A delivery that was sent, with what came of it; nothing where it was given up or never begun.
type Ended = (Job, Option<Told>);

/// Sends what is due in a lane until nothing is.
pub(super) async fn serve(serving: Serving) -> Lane {
    let mut sending: FuturesUnordered<BoxFuture<'static, Ended>> = FuturesUnordered::new();
    let (mut ended, mut taken) = (Vec::new(), Vec::new());
    let mut is_more = true;
    loop {
        is_more &= !serving.stop.is_told();
        let pace = serving.slots.pace(&serving.lane);
        let wanted = match is_more {
            true => pace.width.saturating_sub(sending.len()),
            false => 0,
        };
        if wanted == 0 && sending.is_empty() {
            return serving.lane;
        }
        tokio::select! {
            biased;
            Some(done) = sending.next(), if !sending.is_empty() => ended.push(done),
            slot = serving.slots.take(pace), if wanted > 0 => taken.extend(slot),
            () = serving.more.notified(), if !is_more && !serving.stop.is_told() => {
                is_more = true;
                continue;
            }
        }
        while let Some(Some(done)) = sending.next().now_or_never() {
            ended.push(done);
        }
        let free = std::iter::from_fn(|| serving.slots.try_take(pace));
        taken.extend(free.take(wanted.saturating_sub(taken.len())));
        for (_, told) in &ended {
            if let Some(told) = told {
                serving.slots.answered(&serving.lane, &told.attempt);
            }
        }
        let mut slots: Vec<Slot> = std::mem::take(&mut taken);
        if serving.stop.is_told() {
            slots.clear();
        }
        let wanted = slots.len();
        let jobs = serving.round(std::mem::take(&mut ended), wanted).await;
        is_more &= wanted == 0 || jobs.len() == wanted;
        let bodies = serving.bodies(&jobs).await;
        for ((job, body), slot) in jobs.into_iter().zip(bodies).zip(slots) {
            sending.push(serving.send(job, body, slot));
        }
    }
}

impl Serving {
    /// Keeps what came of deliveries, and leases so many others.
    async fn round(&self, ended: Vec<Ended>, wanted: usize) -> Vec<Job> {
        let (lane, all) = (self.lane.clone(), ended.clone());
        let most = i64::try_from(wanted).unwrap_or(1);
        let done = self.app.store.write(origin(&self.app), move |tx, act| {
            for ended in &all {
                keep(tx, act, ended)?;
            }
            if most == 0 {
                return Ok(Vec::new());
            }
            let until = act.real().plus(LEASE);
            Ok(webhooks::claim(tx, act, &lane, most, until)?)
        });
        match done.await {
            Ok(jobs) => jobs,
            Err(abort) => {
                tracing::warn!(?abort, "the lane of a webhook endpoint waits");
                self.keep_each(ended).await;
                Vec::new()
            }
        }
    }

    /// Keeps what came of deliveries one by one, so that one which cannot be kept does not take the others along. It is
    /// sent again when its lease runs out.
    async fn keep_each(&self, ended: Vec<Ended>) {
        for one in ended {
            let id = one.0.to_send.delivery.id.clone();
            let kept = self
                .app
                .store
                .write(origin(&self.app), move |tx, act| Ok(keep(tx, act, &one)?));
            if let Err(abort) = kept.await {
                tracing::warn!(?abort, id, "what came of a webhook could not be kept");
            }
        }
    }

    /// What each of these says; where nothing can be read now, they are given back by whoever gets this.
    async fn bodies(&self, jobs: &[Job]) -> Vec<Result<Option<Bytes>, ()>> {
        if jobs.is_empty() {
            return Vec::new();
        }
        match self.app.webhook_bodies(jobs).await {
            Ok(bodies) => bodies.into_iter().map(Ok).collect(),
            Err(abort) => {
                tracing::warn!(?abort, "what webhooks say could not be read");
                jobs.iter().map(|_| Err(())).collect()
            }
        }
    }

    /// Sends one, unless it takes longer than the server may go on.
    fn send(
        &self,
        job: Job,
        body: Result<Option<Bytes>, ()>,
        slot: Slot,
    ) -> BoxFuture<'static, Ended> {
        let (app, stop) = (Arc::clone(&self.app), self.stop.clone());
        let sending = async move {
            let _slot = slot;
            let Ok(body) = body else {
                // Given back at once, it would be leased again at once.
                tokio::time::sleep(LOOK_EVERY).await;
                return (job, None);
            };
            let told = tokio::select! {
                told = app.send_job(&job, body) => Some(told),
                () = stop.is_over() => None,
            };
            (job, told)
        };
        sending.boxed()
    }
}

/// Keeps what came of a delivery, or gives it back.
fn keep(tx: &mut dyn Tx, act: &mut Act, (job, told): &Ended) -> Result<(), Fault> {
    match told {
        // Lost: somebody else has taken it over, and what is known is theirs.
        Some(told) => webhooks::conclude(tx, act, job, told).map(drop),
        None => webhooks::give_back(tx, act, job).map(drop),
    }
}
