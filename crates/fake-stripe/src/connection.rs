//! A TCP connection that can be broken off in the middle of an exchange.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use std::sync::Arc;

/// The means to break one connection from inside a request.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    broken: AtomicBool,
    wake: Notify,
}

impl Breaker {
    /// Asks for the connection to be reset.
    pub(crate) fn trip(&self) {
        self.broken.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Returns once the breaker was tripped.
    pub(crate) async fn tripped(&self) {
        while !self.broken.load(Ordering::Acquire) {
            self.wake.notified().await;
        }
    }
}

/// The stream of a connection. Dropping it resets the connection when its breaker was tripped.
#[derive(Debug)]
pub(crate) struct Stream {
    tcp: TcpStream,
    breaker: Arc<Breaker>,
}

impl Stream {
    pub(crate) fn new(tcp: TcpStream, breaker: Arc<Breaker>) -> Self {
        Self { tcp, breaker }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.breaker.broken.load(Ordering::Acquire) {
            // Without lingering the peer sees a reset, not an orderly end. Failing to set it leaves
            // an early end, which a client must survive as well.
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}
