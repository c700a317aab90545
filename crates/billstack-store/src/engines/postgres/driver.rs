//! The runtime of a connection. It runs on the calling thread, and only while that waits for an answer.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::Error;

use super::fault::fault;
use crate::tx::Fault;

/// The runtime of one connection.
pub(super) struct Driver {
    runtime: Runtime,
    connection: Option<JoinHandle<Result<(), Error>>>,
    ended: Option<Fault>,
    silence: Option<Duration>,
}

impl Driver {
    /// A runtime without a connection.
    pub(super) fn new() -> Result<Driver, Fault> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build();
        let failed = |error| Fault::Unavailable(format!("cannot start a runtime: {error}"));
        Ok(Driver {
            runtime: runtime.map_err(failed)?,
            connection: None,
            ended: None,
            silence: None,
        })
    }

    /// Sets how long the server may take to answer before the connection counts as lost. The kernel notices a dead
    /// host, but not a hanging process on it.
    pub(super) fn give_up_after(&mut self, silence: Option<Duration>) {
        self.silence = silence;
    }

    /// Runs a connection's input and output whenever an answer is waited for.
    pub(super) fn drive(
        &mut self,
        connection: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        self.connection = Some(self.runtime.spawn(connection));
    }

    /// Why the connection ended, if it has.
    pub(super) fn ended(&mut self) -> Option<&Fault> {
        if let Some(connection) = self.connection.take_if(|c| c.is_finished()) {
            let end = self.runtime.block_on(connection);
            self.ended = end.ok().and_then(Result::err).map(|why| fault(&why));
        }
        self.ended.as_ref()
    }

    /// Waits for the answers to `work`. A fault means that the server did not answer.
    pub(super) fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Fault> {
        let Some(silence) = self.silence else {
            return Ok(self.runtime.block_on(work));
        };
        // The timer is created inside the runtime, because it needs its clock.
        let done = self
            .runtime
            .block_on(async { timeout(silence, work).await });
        done.map_err(|_| {
            if let Some(connection) = &self.connection {
                connection.abort();
            }
            Fault::Unavailable(format!("the server has not answered for {silence:?}"))
        })
    }
}

impl Drop for Driver {
    /// Lets the connection say goodbye to the server, now that the client is gone.
    fn drop(&mut self) {
        self.runtime.block_on(tokio::task::yield_now());
    }
}
