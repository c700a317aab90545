//! Workers: they take from the one queue what is due, and do it.
//!
//! Every node runs them; they share nothing but the table `work`. A worker holds a lease and works in short
//! transactions. Work that fails is put off with the reason, and the work of a node that died is taken over
//! when its lease runs out.

mod asking;
mod delivery;
mod holds;
mod newness;
mod payment_questions;
mod program_days;
mod reconcile;
mod referral_ends;
mod retention;
mod statistics;
mod stripe_probe;
mod thin_events;
pub mod watch;
mod webhook_replays;
pub mod webhooks;

pub use reconcile::carry_on;

use std::time::Duration;

use billstack_core::time::{MINUTE, Micros, SECOND};
use billstack_store::payments::asking as asking_of_payments;
use billstack_store::webhooks::replay;
use billstack_store::work::{self, Leased};
use billstack_store::{
    Abort, Actor, credits, customer_creation, expiry, idempotency, intake, stripe_connection,
};

use crate::app::{App, Shared};

/// How often a node looks for work that others have put into the queue.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long it waits after work that was done: a full batch leaves more that is due soon.
const AFTER_WORK: Duration = Duration::from_millis(50);

/// How long it waits when the database did not answer.
const AFTER_A_FAILURE: Duration = Duration::from_secs(10);

/// How long a worker may be silent before another takes its work over.
const LEASE: i64 = MINUTE;

/// The longest time between two tries of work that fails, in microseconds.
const LONGEST_PAUSE: i64 = 10 * MINUTE;

/// How many rows of a kind are leased at once.
const AT_ONCE: i64 = 10;

/// What becomes of work that was begun.
enum Next {
    /// It is over.
    Done,
    /// It is due again, with these facts.
    Again(Micros, String),
    /// Its row says already when it is due again.
    AsItIs,
    /// It has to wait for somebody else; the text says why. Each time it waits for longer.
    PutOff(String),
}

/// The kinds of work that this version knows. Other kinds are left to the version that wrote them.
const KINDS: [&str; 9] = [
    program_days::KIND,
    credits::HOLD_KIND,
    expiry::KIND,
    retention::KIND,
    statistics::KIND,
    customer_creation::KIND,
    idempotency::KIND,
    billstack_store::reconcile::DAILY,
    replay::KIND,
];

/// Those that ask Stripe, deliveries apart, which go round by themselves. They have a loop of their own, so that
/// nothing else waits while Stripe does not answer.
const ASKING: [&str; 5] = [
    billstack_store::newness::KIND,
    intake::TO_FETCH,
    stripe_connection::PROBE_KIND,
    asking_of_payments::KIND,
    billstack_store::reconcile::KIND,
];

/// All kinds of work that this version does, but what goes round by itself.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.into_iter().chain(ASKING)
}

/// Runs until the server stops and drops it, which may happen at any `await`.
pub async fn run(app: Shared) {
    retention::begin_at_nothing();
    while let Err(abort) = enqueue_standing(&app).await {
        tracing::warn!(?abort, "standing work could not be put into the queue");
        tokio::time::sleep(AFTER_A_FAILURE).await;
    }
    // Only what asks Stripe is ever enqueued to be done at once.
    let never = std::future::pending::<()>;
    let enqueued = || app.store.enqueued().notified();
    tokio::join!(
        go_round(&app, &KINDS, never),
        go_round(&app, &ASKING, enqueued),
        delivery::go_round(&app)
    );
}

/// Does what is due of these kinds, again and again: sooner than usual when `woken` is done, or the clock is moved.
async fn go_round<W: Future<Output = ()>>(
    app: &App,
    kinds: &[&'static str],
    woken: impl Fn() -> W,
) {
    let mut moves = app.clock.moves();
    loop {
        let pause = match round(app, kinds).await {
            Ok(0) => LOOK_EVERY,
            Ok(_) => AFTER_WORK,
            Err(abort) => {
                tracing::warn!(?abort, "the queue of work could not be looked at");
                AFTER_A_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = woken() => {}
            () = moves.next() => {}
        }
    }
}

/// Enqueues standing work in a database that has none yet. A read looks first, so that a start writes nothing
/// where it is there.
async fn enqueue_standing(app: &App) -> Result<(), Abort> {
    let standing: Vec<_> = retention::standing()
        .chain([program_days::standing()])
        .chain(statistics::standing(app))
        .collect();
    let look = app.store.scan(move |tx| {
        let mut missing = Vec::new();
        for key in &standing {
            if work::get(tx, key)?.is_none() {
                missing.push(key.clone());
            }
        }
        Ok(missing)
    });
    let missing = look.await?;
    if missing.is_empty() {
        return Ok(());
    }
    let origin = app.origin(Actor::System, "worker");
    let enqueued = app.store.write(origin, move |tx, act| {
        for key in &missing {
            let at = act.at;
            work::enqueue(tx, act, key, "{}", at)?;
        }
        Ok(())
    });
    enqueued.await
}

/// Does what is due now, and returns how many rows that was.
async fn round(app: &App, kinds: &[&'static str]) -> Result<usize, Abort> {
    let mut rows = 0;
    for kind in due(app, kinds).await? {
        let claimed = claim(app, kind).await?;
        rows += claimed.len();
        if ASKING.contains(&kind) {
            asking::all(app, claimed).await?;
            continue;
        }
        for leased in claimed {
            finish(app, &leased, work(app, &leased).await).await?;
        }
    }
    Ok(rows)
}

/// The kinds of which anything is due. Mostly there are none, so a read looks before a write claims.
async fn due(app: &App, kinds: &[&'static str]) -> Result<Vec<&'static str>, Abort> {
    let (now, kinds) = (app.now(), kinds.to_vec());
    let look = app.store.scan(move |tx| {
        let mut found = Vec::new();
        for kind in &kinds {
            let first = work::due(tx, kind, now, 1)?;
            found.extend(first.iter().map(|key| key.kind));
        }
        Ok(found)
    });
    look.await
}

/// Leases what is due of a kind.
async fn claim(app: &App, kind: &'static str) -> Result<Vec<Leased>, Abort> {
    let origin = app.origin(Actor::System, "worker");
    let claimed = app.store.write(origin, move |tx, act| {
        let until = act.at.plus(LEASE);
        Ok(work::claim(tx, act, kind, AT_ONCE, until)?)
    });
    claimed.await
}

async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    match leased.key.kind {
        program_days::KIND => program_days::work(app, leased).await,
        retention::KIND => retention::work(app, leased).await,
        credits::HOLD_KIND => holds::work(app, leased).await,
        expiry::KIND => referral_ends::work(app, leased).await,
        statistics::KIND => statistics::work(app).await,
        replay::KIND => webhook_replays::work(app, leased).await,
        billstack_store::newness::KIND => newness::work(app, leased).await,
        intake::TO_FETCH => thin_events::work(app, leased).await,
        stripe_connection::PROBE_KIND => stripe_probe::work(app, leased).await,
        asking_of_payments::KIND => payment_questions::work(app, leased).await,
        billstack_store::reconcile::KIND => reconcile::work(app, leased).await,
        billstack_store::reconcile::DAILY => reconcile::day(app, leased).await,
        // A call left it behind and nobody came back: it is given up.
        _ => Ok(Next::Done),
    }
}

/// Ends the lease: the work is over, due again, or put off because it failed.
async fn finish(app: &App, leased: &Leased, next: Result<Next, Abort>) -> Result<(), Abort> {
    let Leased { key, work } = leased.clone();
    let again = || app.now().plus(pause_after(work.attempt));
    let (next, why) = match next {
        Ok(Next::AsItIs) => return Ok(()),
        Ok(Next::PutOff(why)) => {
            tracing::debug!(kind = key.kind, subject = key.subject, why, "work waits");
            (Next::Again(again(), work.facts), Some(why))
        }
        Ok(next) => (next, None),
        Err(abort) => {
            tracing::warn!(
                kind = key.kind,
                subject = key.subject,
                ?abort,
                "work is put off"
            );
            (Next::Again(again(), work.facts), Some(format!("{abort:?}")))
        }
    };
    let origin = app.origin(Actor::System, "worker");
    let ended = app.store.write(origin, move |tx, _| {
        Ok(match &next {
            Next::Again(at, facts) => work::later(tx, &key, facts, *at, why.as_deref())?,
            Next::Done => work::done(tx, &key)?,
            Next::AsItIs | Next::PutOff(_) => false,
        })
    });
    ended.await.map(|_| ())
}

/// Twice as long after each try, up to [`LONGEST_PAUSE`].
fn pause_after(attempt: i64) -> i64 {
    let doublings = u32::try_from(attempt.clamp(0, 20)).unwrap_or_default();
    (SECOND << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
