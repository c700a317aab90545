//! The books of a program, open for its own operations while no server runs.

use std::sync::atomic::{AtomicU64, Ordering};

use billstack_core::ids::IdSeed;
use billstack_core::time::{Micros, SECOND};
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Act, Actor, Origin, Tx};

use crate::seed::Random;
use crate::workloads::now;

/// The books, open for writing while no server runs.
pub(crate) struct Books {
    pub(crate) store: Store,
    pub(crate) runtime: tokio::runtime::Runtime,
    run: AtomicU64,
}

impl Books {
    /// Opens them.
    pub(crate) fn open(url: &str) -> Result<Books, String> {
        let text = |error: &dyn std::fmt::Debug| format!("{error:?}");
        let target = Target::from_url(url).map_err(|error| text(&error))?;
        let options = Options {
            write_lanes: 4,
            ..Options::default()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        Ok(Books {
            store: Store::open(&target, &options).map_err(|error| text(&error))?,
            runtime: runtime.map_err(|error| text(&error))?,
            run: AtomicU64::new(0),
        })
    }

    /// Every operation happens now, and its ids are its own.
    pub(crate) fn origin(&self) -> Origin {
        let run = self.run.fetch_add(1, Ordering::Relaxed);
        let (mut seed, mut random) = ([0; 16], Random::new(now() ^ (run << 32)));
        seed[..8].copy_from_slice(&random.next().to_be_bytes());
        seed[8..].copy_from_slice(&random.next().to_be_bytes());
        Origin {
            seed: IdSeed::new(Micros(now() as i64 * SECOND + run as i64 % SECOND), seed),
            actor: Actor::System,
            request_id: "bench".to_owned(),
        }
    }

    /// Runs an operation.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, String> {
        let done = self.store.write_blocking(self.origin(), op);
        done.map_err(|abort| format!("{abort:?}"))
    }
}
