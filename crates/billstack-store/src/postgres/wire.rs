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
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Error;

use super::fault::fault;
use crate::tx::Fault;

/// How long one wait for the server lasts before the thread looks again at what it has.
const ONE_WAIT: Duration = Duration::from_millis(500);

/// How long the server may take nothing of what it is sent. It reads on when a statement has ended.
const LONGEST_SEND: Duration = Duration::from_secs(30);

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

    fn wait_at_most(&self, read: Duration, write: Duration) -> std::io::Result<()> {
        let (read, write) = (Some(read), Some(write));
        match self {
            Socket::Tcp(socket) => socket
                .set_read_timeout(read)
                .and_then(|()| socket.set_write_timeout(write)),
            #[cfg(unix)]
            Socket::Unix(socket) => socket
                .set_read_timeout(read)
                .and_then(|()| socket.set_write_timeout(write)),
        }
    }
}

/// How a [`Driver`] and its [`Stream`] wait.
struct Waits {
    /// Whether the next read may wait.
    may_wait: AtomicBool,
    /// How many waits in a row brought nothing, and how many there may be.
    in_vain: AtomicU32,
    most: AtomicU32,
}

impl Waits {
    fn heard(&self) {
        self.in_vain.store(0, Ordering::Relaxed);
    }

    /// Counts a wait in vain. The last one there may be is an error, which ends the connection.
    fn heard_nothing(&self) -> std::io::Result<()> {
        let in_vain = self.in_vain.fetch_add(1, Ordering::Relaxed) + 1;
        if in_vain < self.most.load(Ordering::Relaxed) {
            return Ok(());
        }
        let silent = ONE_WAIT * in_vain;
        Err(no_answer(silent))
    }
}

fn no_answer(silent: Duration) -> std::io::Error {
    let why = format!("the server has said nothing for {silent:?}");
    std::io::Error::new(ErrorKind::TimedOut, why)
}

/// The socket as the protocol wants to see it. A read waits when its [`Driver`] has said that there
/// is nothing else to do, and else finds nothing.
pub(super) struct Stream {
    socket: Socket,
    waits: Arc<Waits>,
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if !self.waits.may_wait.swap(false, Ordering::Relaxed) {
            return Poll::Pending;
        }
        match self.socket.read(into.initialize_unfilled()) {
            Ok(count) => {
                self.waits.heard();
                into.advance(count);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Poll::Pending,
            Err(error) if waited_in_vain(&error) => match self.waits.heard_nothing() {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

fn waited_in_vain(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
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
                Err(error) if waited_in_vain(&error) => {
                    return Poll::Ready(Err(no_answer(LONGEST_SEND)));
                }
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
    waits: Arc<Waits>,
    ended: Option<Fault>,
}

impl Driver {
    /// A driver, and the stream to open a connection over. It waits for ever; see [`Driver::give_up_after`].
    pub(super) fn over(socket: Socket) -> std::io::Result<(Driver, Stream)> {
        socket.wait_at_most(ONE_WAIT, LONGEST_SEND)?;
        let waits = Arc::new(Waits {
            may_wait: AtomicBool::new(false),
            in_vain: AtomicU32::new(0),
            most: AtomicU32::new(u32::MAX),
        });
        let driver = Driver {
            connection: None,
            waits: Arc::clone(&waits),
            ended: None,
        };
        Ok((driver, Stream { socket, waits }))
    }

    /// From here on, a server that says nothing for so long while it is waited for is gone, and so is
    /// the connection. The kernel tells when a host is dead, but not when a process on it hangs.
    pub(super) fn give_up_after(&self, silence: Option<Duration>) {
        let waits = silence.map(|time| time.as_millis().div_ceil(ONE_WAIT.as_millis()));
        let most = waits.map_or(u32::MAX, |most| u32::try_from(most).unwrap_or(u32::MAX));
        self.waits.most.store(most, Ordering::Relaxed);
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
        self.waits.heard();
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
            self.waits.may_wait.store(true, Ordering::Relaxed);
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
