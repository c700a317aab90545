//! A socket that gives up on clients that dawdle.
//!
//! Hyper has no limit on how long a client may leave an answer unread, and one clock for waiting
//! and for the head of a request together. Both are kept here, below it.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Limits;
use super::framing::Framing;

/// What a slow client must take of an answer in one write timeout to be granted another.
const LEAST_PROGRESS: u64 = 64 * 1024;

/// How long, and how much of, an unwanted head or body is read after our last word.
///
/// Closing a socket with unread bytes resets it, and the reset may overtake the answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// The socket below hyper.
#[derive(Debug)]
pub(super) struct GuardedIo<S> {
    inner: S,
    framing: Framing,
    ambiguous: Arc<AtomicU64>,
    head: Alarm,
    /// The head the alarm was set for, as a count of those before it.
    head_number: u64,
    write: Alarm,
    /// Bytes taken by the socket since the write alarm was set.
    written: u64,
    linger: Option<(Alarm, u64)>,
}

impl<S> GuardedIo<S> {
    pub(super) fn new(inner: S, limits: &Limits) -> Self {
        let mut head = Alarm::new(limits.header_timeout);
        head.set();
        Self {
            inner,
            framing: Framing::new(),
            ambiguous: Arc::new(AtomicU64::new(0)),
            head,
            head_number: 0,
            write: Alarm::new(limits.write_timeout),
            written: 0,
            linger: None,
        }
    }

    /// The number of the head that told its length twice, from one; zero while there is none.
    pub(super) fn ambiguous_head(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.ambiguous)
    }

    fn follow(&mut self, bytes: &[u8]) {
        self.framing.feed(bytes);
        if let Some(number) = self.framing.ambiguous() {
            self.ambiguous.store(number, Ordering::Relaxed);
        }
        let number = self.framing.heads();
        if !self.framing.in_head() {
            // The very first head is awaited from the start of the connection.
            if number > 0 || self.framing.in_body() {
                self.head.clear();
            }
        } else if number != self.head_number || !self.head.is_set() {
            self.head_number = number;
            self.head.set();
        }
    }

    fn after_write(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<Result<usize>>,
    ) -> Poll<Result<usize>> {
        match result {
            Poll::Ready(Ok(count)) => {
                self.written = self.written.saturating_add(count as u64);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if !self.write.is_set() || self.written >= LEAST_PROGRESS {
                    self.written = 0;
                    self.write.set();
                }
                match self.write.poll(cx) {
                    Poll::Ready(()) => Poll::Ready(Err(late("the answer was not read in time"))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for GuardedIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let me = self.get_mut();
        let before = buf.filled().len();
        match Pin::new(&mut me.inner).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                me.follow(&buf.filled()[before..]);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                if me.head.is_set() {
                    ready!(me.head.poll(cx));
                    return Poll::Ready(Err(late("the head did not arrive in time")));
                }
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for GuardedIo<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let me = self.get_mut();
        let result = Pin::new(&mut me.inner).poll_write(cx, buf);
        me.after_write(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let me = self.get_mut();
        let result = Pin::new(&mut me.inner).poll_write_vectored(cx, bufs);
        me.after_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    /// Hyper flushes when all it had is written, so the client has caught up.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let me = self.get_mut();
        ready!(Pin::new(&mut me.inner).poll_flush(cx))?;
        me.write.clear();
        me.written = 0;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let me = self.get_mut();
        if me.linger.is_none() {
            ready!(Pin::new(&mut me.inner).poll_shutdown(cx))?;
            if !me.framing.in_head() && !me.framing.in_body() {
                return Poll::Ready(Ok(()));
            }
        }
        let (alarm, seen) = me.linger.get_or_insert_with(|| {
            let mut alarm = Alarm::new(LINGER);
            alarm.set();
            (alarm, 0)
        });
        let mut space = [0; 8192];
        while *seen < LINGER_BYTES && alarm.poll(cx).is_pending() {
            let mut buf = ReadBuf::new(&mut space);
            match ready!(Pin::new(&mut me.inner).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => *seen += buf.filled().len() as u64,
                _ => break,
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn late(what: &'static str) -> Error {
    Error::new(ErrorKind::TimedOut, what)
}

/// A deadline that costs a timer only when somebody has to wait for it.
#[derive(Debug)]
struct Alarm {
    after: Duration,
    at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    fn new(after: Duration) -> Self {
        Self {
            after,
            at: None,
            sleep: None,
        }
    }

    fn set(&mut self) {
        self.at = Some(Instant::now() + self.after);
    }

    fn clear(&mut self) {
        self.at = None;
    }

    fn is_set(&self) -> bool {
        self.at.is_some()
    }

    /// Ready when the alarm is set and its time has come.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else {
            return Poll::Pending;
        };
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx)
    }
}
