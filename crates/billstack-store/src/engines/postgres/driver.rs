//! The runtime of a connection. It runs on the calling thread, and only while that waits for an answer.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_postgres::Error;

use super::fault::fault;
use crate::seam::Fault;

type Connection = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// The runtime of one connection.
pub(super) struct Driver {
    runtime: Runtime,
    connection: Option<Connection>,
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

    /// Takes over the input and output of a connection.
    pub(super) fn drive(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }

    /// Why the connection ended, if it has.
    pub(super) fn ended(&self) -> Option<&Fault> {
        self.ended.as_ref()
    }

    /// Waits for the answers to requests of this connection. A fault means that the server did not answer.
    pub(super) fn answers<T>(&mut self, requests: impl Future<Output = T>) -> Result<T, Fault> {
        let mut requests = pin!(requests);
        // Only the connection ever has news for them, and it is always polled first.
        let mut deaf = Context::from_waker(Waker::noop());
        if let Poll::Ready(answers) = requests.as_mut().poll(&mut deaf) {
            return Ok(answers);
        }
        let (connection, ended) = (&mut self.connection, &mut self.ended);
        let answers = poll_fn(|context| {
            turn(connection, ended, context);
            requests.as_mut().poll(&mut deaf)
        });
        match self.silence {
            Some(silence) => wait(&self.runtime, silence, answers),
            None => Ok(self.runtime.block_on(answers)),
        }
    }

    /// Waits for a log-in, for a limited time.
    pub(super) fn log_in<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = T>,
    ) -> Result<T, Fault> {
        wait(&self.runtime, limit, work)
    }
}

fn wait<T>(runtime: &Runtime, limit: Duration, work: impl Future<Output = T>) -> Result<T, Fault> {
    // The timer is created inside the runtime, because it needs its clock.
    let done = runtime.block_on(async { timeout(limit, work).await });
    done.map_err(|_| Fault::Unavailable(format!("the server has not answered for {limit:?}")))
}

fn turn(connection: &mut Option<Connection>, ended: &mut Option<Fault>, context: &mut Context<'_>) {
    let end = connection.as_mut().map(|c| c.as_mut().poll(context));
    if let Some(Poll::Ready(end)) = end {
        // Without its connection the client answers everything with "closed".
        *connection = None;
        *ended = end.err().map(|why| fault(&why));
    }
}

impl Drop for Driver {
    /// Lets the connection say goodbye to the server, now that the client is gone.
    fn drop(&mut self) {
        let (connection, ended) = (&mut self.connection, &mut self.ended);
        let goodbye = poll_fn(|context| {
            turn(connection, ended, context);
            Poll::Ready(())
        });
        self.runtime.block_on(goodbye);
    }
}
