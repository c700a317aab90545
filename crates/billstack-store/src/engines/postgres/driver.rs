//! The runtime under a connection: it runs on the thread that asks, and only while that waits for an answer.

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
        let runtime = Builder::new_current_thread().enable_all().build();
        let failed = |error| Fault::Unavailable(format!("cannot start a runtime: {error}"));
        Ok(Driver {
            runtime: runtime.map_err(failed)?,
            connection: None,
            ended: None,
            silence: None,
        })
    }

    /// From here on, a server that takes so long to answer is gone, and so is the connection. The kernel tells
    /// when a host is dead, but not when a process on it hangs.
    pub(super) fn give_up_after(&mut self, silence: Option<Duration>) {
        self.silence = silence;
    }

    /// Moves the bytes of a connection whenever something is waited for.
    pub(super) fn drive(
        &mut self,
        connection: impl Future<Output = Result<(), Error>> + Send + 'static,
    ) {
        self.connection = Some(self.runtime.spawn(connection));
    }

    /// Why the connection ended, when it has.
    pub(super) fn ended(&mut self) -> Option<&Fault> {
        if let Some(connection) = self.connection.take_if(|c| c.is_finished()) {
            let end = self.runtime.block_on(connection);
            self.ended = end.ok().and_then(Result::err).map(|why| fault(&why));
        }
        self.ended.as_ref()
    }

    /// Waits for work of this connection. A fault means that the server did not answer.
    pub(super) fn run<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Fault> {
        let Some(silence) = self.silence else {
            return Ok(self.runtime.block_on(work));
        };
        // Made inside the runtime, whose clock it needs.
        let done = self
            .runtime
            .block_on(async { timeout(silence, work).await });
        done.map_err(|_| {
            if let Some(connection) = &self.connection {
                connection.abort();
            }
            Fault::Unavailable(format!("the server has said nothing for {silence:?}"))
        })
    }
}

impl Drop for Driver {
    /// Takes leave of the server, when the client is gone and everything has been answered.
    fn drop(&mut self) {
        self.runtime.block_on(tokio::task::yield_now());
    }
}
