//! The socket under a connection, and what moves bytes over it.
//!
//! The protocol is that of `tokio-postgres`, which can have many statements under way at once. What
//! it runs on is not a runtime but this: a plain socket that waits, on the thread that asks. A
//! question and its answer are then two system calls, one that sends and one that waits; with a
//! runtime they are four, two of them looks at what there is to wait for.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Error;

use super::fault::fault;
use crate::tx::Fault;

/// How long one wait for the server lasts before the thread looks again at what it has.
const ONE_WAIT: Duration = Duration::from_millis(500);

/// A connected socket.
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.read(into),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.read(into),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.write(bytes),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.write(bytes),
        }
    }

    fn shutdown(&self) -> std::io::Result<()> {
        match self {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
        }
    }

    fn wait_at_most(&self, time: Duration) -> std::io::Result<()> {
        match self {
            Socket::Tcp(socket) => socket.set_read_timeout(Some(time)),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.set_read_timeout(Some(time)),
        }
    }
}

/// The socket as the protocol wants to see it. A read waits when its [`Driver`] has said that there
/// is nothing else to do, and else finds nothing.
pub(super) struct Stream {
    socket: Socket,
    may_wait: Arc<AtomicBool>,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.may_wait.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        match self.socket.read(into.initialize_unfilled()) {
            Ok(count) => {
                into.advance(count);
                Poll::Ready(Ok(()))
            }
            Err(error) if is_no_answer_yet(&error) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

fn is_no_answer_yet(error: &std::io::Error) -> bool {
    let kinds = [
        ErrorKind::WouldBlock,
        ErrorKind::TimedOut,
        ErrorKind::Interrupted,
    ];
    kinds.contains(&error.kind())
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        loop {
            match self.socket.write(bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(self.socket.shutdown())
    }
}

type Connection = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Sends what a client has asked, and waits for the answers, on the calling thread.
pub(super) struct Driver {
    connection: Option<Connection>,
    may_wait: Arc<AtomicBool>,
    ended: Option<Fault>,
}

impl Driver {
    /// A driver, and the stream to open a connection over.
    pub(super) fn over(socket: Socket) -> std::io::Result<(Driver, Stream)> {
        socket.wait_at_most(ONE_WAIT)?;
        let may_wait = Arc::new(AtomicBool::new(false));
        let driver = Driver {
            connection: None,
            may_wait: may_wait.clone(),
            ended: None,
        };
        Ok((driver, Stream { socket, may_wait }))
    }

    /// Takes over the connection that was opened over its stream.
    pub(super) fn drive(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }

    /// Why the connection ended, when it has.
    pub(super) fn ended(&self) -> Option<&Fault> {
        self.ended.as_ref()
    }

    /// Runs work that waits for nothing but this connection.
    pub(super) fn run<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        // Nobody else ever has news for it: all there is to wait for is the socket.
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return done;
            }
            // Everything asked goes out before anything is waited for.
            self.turn(&mut context);
            if let Poll::Ready(done) = work.as_mut().poll(&mut context) {
                return done;
            }
            self.may_wait.store(true, Ordering::Relaxed);
            self.turn(&mut context);
        }
    }

    fn turn(&mut self, context: &mut Context<'_>) {
        let Some(connection) = &mut self.connection else {
            return;
        };
        if let Poll::Ready(end) = connection.as_mut().poll(context) {
            // Without its connection the client answers everything with "closed".
            self.connection = None;
            self.ended = end.err().map(|why| fault(&why));
        }
    }
}

impl Drop for Driver {
    /// Takes leave of the server, when the client is gone and everything has been answered.
    fn drop(&mut self) {
        self.turn(&mut Context::from_waker(Waker::noop()));
    }
}
