//! Load: a number of connections for a time, as fast as answers come, or at a fixed rate.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::time::sleep_until;

use crate::client::Client;
use crate::process::{Process, cpu_of};

/// Makes the bytes of the next request, and tells which status is right. Called from many tasks.
pub(crate) type Next = Arc<dyn Fn() -> (Bytes, u16) + Send + Sync>;

/// How hard to push.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends its next request when it has its answer.
    Closed,
    /// So many requests per second, each on the connection that is free first. Times count from
    /// when a request was due, so a stall is charged to every request that it held up.
    PerSecond(f64),
}

/// What a run measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    /// Right answers per second.
    pub(crate) per_second: f64,
    /// Median time of an answer, in microseconds.
    pub(crate) p50_us: f64,
    /// 99th percentile, in microseconds.
    pub(crate) p99_us: f64,
    /// 99.9th percentile, in microseconds.
    pub(crate) p999_us: f64,
    /// CPU time of the server per right answer, in microseconds.
    pub(crate) cpu_us: f64,
    /// CPU time of this program per right answer, in microseconds.
    pub(crate) generator_us: f64,
    /// Right answers.
    pub(crate) answers: usize,
    /// Wrong statuses and broken connections.
    pub(crate) errors: usize,
}

/// Pushes for `time` after `warm_up` and measures.
pub(crate) async fn run(
    process: &Process,
    connections: usize,
    pace: Pace,
    (warm_up, time): (Duration, Duration),
    next: Next,
) -> Measured {
    let schedule = Arc::new(Schedule::new(pace, warm_up, time));
    let tasks: Vec<_> = (0..connections)
        .map(|_| one(process.address, Arc::clone(&schedule), Arc::clone(&next)))
        .map(tokio::spawn)
        .collect();
    let paced = Arc::clone(&schedule);
    std::thread::spawn(move || paced.keep_time(connections));
    let spent = || (process.cpu_seconds(), cpu_of(std::process::id()));
    sleep_until(schedule.from.into()).await;
    let before = spent();
    sleep_until(schedule.to.into()).await;
    let after = spent();
    let mut all = Tally::default();
    for task in tasks {
        if let Ok(own) = task.await {
            all.times.extend(own.times);
            all.answers += own.answers;
            all.errors += own.errors;
        }
    }
    let each = |seconds: f64| seconds.max(0.0) * 1e6 / all.answers.max(1) as f64;
    Measured {
        per_second: all.answers as f64 / time.as_secs_f64(),
        cpu_us: each(after.0 - before.0),
        generator_us: each(after.1 - before.1),
        answers: all.answers,
        errors: all.errors,
        ..times(all.times)
    }
}

/// When requests are due, and what counts.
struct Schedule {
    began: Instant,
    /// Where the warm-up ends.
    from: Instant,
    /// From when on nothing is due.
    to: Instant,
    /// From one request to the next; none when they are due as soon as a connection is free.
    every: Option<Duration>,
    /// Requests that may go.
    ready: Semaphore,
    /// Requests that went.
    gone: AtomicU32,
}

impl Schedule {
    fn new(pace: Pace, warm_up: Duration, time: Duration) -> Schedule {
        let began = Instant::now();
        Schedule {
            began,
            from: began + warm_up,
            to: began + warm_up + time,
            every: match pace {
                Pace::Closed => None,
                Pace::PerSecond(rate) => Some(Duration::from_secs_f64(1.0 / rate)),
            },
            ready: Semaphore::new(0),
            gone: AtomicU32::new(0),
        }
    }

    /// Waits for the next request to be due, and tells when it was.
    async fn due(&self) -> Instant {
        let Some(every) = self.every else {
            return Instant::now();
        };
        if let Ok(permit) = self.ready.acquire().await {
            permit.forget();
        }
        self.began + every * self.gone.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets every request go when it is due. It wants a thread of its own: the timers of tokio know
    /// whole milliseconds only.
    fn keep_time(&self, connections: usize) {
        let Some(every) = self.every else { return };
        sleep_exactly();
        let all = (0..).map(|n| self.began + every * n);
        for due in all.take_while(|due| *due < self.to) {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            self.ready.add_permits(1);
        }
        // With one more each connection learns that nothing is due any longer.
        self.ready.add_permits(connections);
    }
}

/// Linux lets a sleep last 50 microseconds longer, to end several at once; not those of this thread.
fn sleep_exactly() {
    if let Ok(thread) = std::fs::read_link("/proc/thread-self") {
        let own = Path::new("/proc").join(thread.file_name().unwrap_or_default());
        let _ = std::fs::write(own.join("timerslack_ns"), "1");
    }
}

/// What one connection saw.
#[derive(Default)]
struct Tally {
    /// Times of the requests that were due after the warm-up, in microseconds.
    times: Vec<u32>,
    /// Right answers between the warm-up and the end, as CPU time is measured between them.
    answers: usize,
    errors: usize,
}

async fn one(address: SocketAddr, schedule: Arc<Schedule>, next: Next) -> Tally {
    let mut tally = Tally::default();
    let Ok(mut client) = Client::connect(address).await else {
        tally.errors += 1;
        return tally;
    };
    loop {
        let due = schedule.due().await;
        if due >= schedule.to {
            return tally;
        }
        let (request, wanted) = next();
        let answer = client.send(&request).await;
        let now = Instant::now();
        if answer.as_ref().is_ok_and(|answer| answer.status == wanted) {
            if due >= schedule.from {
                let time = now.duration_since(due).as_micros();
                tally.times.push(u32::try_from(time).unwrap_or(u32::MAX));
            }
            tally.answers += usize::from(schedule.from <= now && now < schedule.to);
        } else if due >= schedule.from {
            tally.errors += 1;
        }
        if answer.is_err() {
            match Client::connect(address).await {
                Ok(fresh) => client = fresh,
                Err(_) => {
                    tally.errors += 1;
                    return tally;
                }
            }
        }
    }
}

/// The percentiles of some times.
fn times(mut times: Vec<u32>) -> Measured {
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        times
            .get(place.min(times.len().saturating_sub(1)))
            .map_or(0.0, |us| f64::from(*us))
    };
    Measured {
        p50_us: at(0.5),
        p99_us: at(0.99),
        p999_us: at(0.999),
        ..Measured::default()
    }
}
