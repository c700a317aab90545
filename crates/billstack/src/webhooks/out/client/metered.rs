//! A connection of which only so much is read for each answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most bytes of an answer that are read, its head included.
pub(super) const MOST: usize = 16 * 1_024;

/// How many more bytes may be read. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Meter(Arc<AtomicUsize>);

impl Meter {
    pub(super) fn new() -> Meter {
        Meter(Arc::new(AtomicUsize::new(MOST)))
    }

    /// Allows another answer.
    pub(super) fn reset(&self) {
        self.0.store(MOST, Ordering::SeqCst);
    }

    /// Whether all that may be read was read.
    pub(super) fn is_used_up(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

/// What is read from it ends when the meter is used up.
pub(super) struct Metered<T> {
    inner: T,
    meter: Meter,
}

impl<T> Metered<T> {
    pub(super) fn new(inner: T, meter: Meter) -> Metered<T> {
        Metered { inner, meter }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Metered<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.meter.0.load(Ordering::SeqCst);
        if left == 0 {
            return Poll::Ready(Ok(()));
        }
        let room = left.min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        let polled = Pin::new(&mut self.inner).poll_read(cx, &mut part);
        let read = part.filled().len();
        buf.advance(read);
        self.meter.0.fetch_sub(read, Ordering::SeqCst);
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Metered<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
