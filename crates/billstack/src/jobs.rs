//! Background jobs.
//!
//! Every node runs them; they share nothing but the database. A job does its work in short
//! transactions and survives every failure: what it could not do now, it does the next time.

mod retention;

use std::time::Duration;

use crate::app::Shared;
use crate::secrets::random_bytes;

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_secs(10 * 60);

/// The first round waits up to this long, by chance, so that nodes started together do not all
/// begin at once. A restart must not delay it much: some servers are restarted often.
const LARGEST_HEAD_START: Duration = Duration::from_secs(60);

/// Runs until the server stops and drops it; it waits nowhere but between two transactions.
pub async fn run(app: Shared) {
    tokio::time::sleep(LARGEST_HEAD_START * u32::from(random_bytes::<1>()[0]) / 256).await;
    loop {
        retention::round(&app).await;
        tokio::time::sleep(INTERVAL).await;
    }
}
