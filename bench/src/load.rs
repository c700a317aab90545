//! Load: a number of connections for a time, as fast as answers come, or at a fixed rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::client::Client;

/// Makes the bytes of the next request, and tells which status is right. Called from many tasks.
pub(crate) type Next = Arc<dyn Fn() -> (Vec<u8>, u16) + Send + Sync>;

/// How hard to push.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends its next request when it has its answer.
    Closed,
    /// So many requests per second over all connections. Times count from when a request was due,
    /// so a stall is charged to every request that it held up.
    PerSecond(f64),
}

/// What a run measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// Right answers per second.
    pub(crate) per_second: f64,
    /// Median time of an answer, in microseconds.
    pub p50_us: f64,
    /// 99th percentile, in microseconds.
    pub p99_us: f64,
    /// 99.9th percentile, in microseconds.
    pub p999_us: f64,
    /// Right answers.
    pub(crate) answers: usize,
    /// Wrong statuses and broken connections.
    pub(crate) errors: usize,
}

/// Pushes for `time` after `warm_up` and measures.
pub(crate) async fn run(
    address: SocketAddr,
    connections: usize,
    pace: Pace,
    (warm_up, time): (Duration, Duration),
    next: Next,
) -> Measured {
    let stop = Arc::new(AtomicBool::new(false));
    let counting = Arc::new(AtomicBool::new(false));
    let mut tasks = Vec::new();
    for number in 0..connections {
        let (next, stop, counting) = (Arc::clone(&next), Arc::clone(&stop), Arc::clone(&counting));
        let interval = match pace {
            Pace::Closed => None,
            Pace::PerSecond(rate) => Some((connections as f64 / rate, number as f64 / rate)),
        };
        tasks.push(tokio::spawn(one(address, interval, next, stop, counting)));
    }
    tokio::time::sleep(warm_up).await;
    counting.store(true, Ordering::Relaxed);
    let began = Instant::now();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let elapsed = began.elapsed();
    let mut times = Vec::new();
    let mut errors = 0;
    for task in tasks {
        if let Ok((own, wrong)) = task.await {
            times.extend(own);
            errors += wrong;
        }
    }
    summary(times, errors, elapsed)
}

async fn one(
    address: SocketAddr,
    interval: Option<(f64, f64)>,
    next: Next,
    stop: Arc<AtomicBool>,
    counting: Arc<AtomicBool>,
) -> (Vec<u32>, usize) {
    let (mut times, mut errors) = (Vec::new(), 0);
    let Ok(mut client) = Client::connect(address).await else {
        return (times, 1);
    };
    let began = Instant::now();
    let mut sent = 0_u32;
    while !stop.load(Ordering::Relaxed) {
        let mut due = Instant::now();
        if let Some((every, first)) = interval {
            due = began + Duration::from_secs_f64(first + every * f64::from(sent));
            tokio::time::sleep_until(due.into()).await;
        }
        sent += 1;
        let (request, wanted) = next();
        let answer = client.send(&request).await;
        let right = answer.as_ref().is_ok_and(|answer| answer.status == wanted);
        if counting.load(Ordering::Relaxed) {
            if right {
                times.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
            } else {
                errors += 1;
            }
        }
        if answer.is_err() {
            match Client::connect(address).await {
                Ok(fresh) => client = fresh,
                Err(_) => return (times, errors + 1),
            }
        }
    }
    (times, errors)
}

fn summary(mut times: Vec<u32>, errors: usize, elapsed: Duration) -> Measured {
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        times
            .get(place.min(times.len().saturating_sub(1)))
            .map_or(0.0, |us| f64::from(*us))
    };
    Measured {
        per_second: times.len() as f64 / elapsed.as_secs_f64(),
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
        answers: times.len(),
        errors,
    }
}
