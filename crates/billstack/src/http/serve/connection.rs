//! One connection: hyper in the middle, our limits around it.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::Limits;
use super::head::ClientClock;
use super::outgoing::{InFlight, Outgoing, Pace};
use super::slots::Slot;
use super::watched::Watched;
use crate::budget::{Budget, Share};
use crate::http::visitor::{last_forwarded_for, network};

/// Nothing legitimate comes near: a key, a cookie and a browser's usual headers are under 4 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// How long, and how much of, an unwanted head or body is read after our last word.
///
/// Closing a socket with unread bytes resets it, and the reset may overtake the answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 8 * 1024 * 1024;

/// The address at the other end of the connection: the client, or the proxy in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Marks a request that is not served, because there are too many connections or too many requests of its address.
#[derive(Debug, Clone, Copy)]
pub struct Crowded;

/// What all connections share.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) app: Router,
    pub(super) limits: Limits,
    /// Requests in progress, by the address that the proxy in front tells.
    pub(super) requests: Arc<Budget>,
}

/// What is known of a connection while it is served.
#[derive(Clone)]
struct Connection {
    served: Served,
    peer: Peer,
    clock: ClientClock,
    is_crowded: bool,
    /// Whether the body of the last request has not been read to its end.
    unread: Arc<AtomicBool>,
}

/// Serves one connection to its end.
pub(super) async fn run(
    stream: TcpStream,
    slot: Slot,
    served: Served,
    stopping: CancellationToken,
) {
    let Ok(peer) = stream.peer_addr() else {
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let header_timeout = served.limits.header_timeout;
    let me = Connection {
        served,
        peer: Peer(peer),
        clock: slot.clock.clone(),
        is_crowded: slot.is_crowded,
        unread: Arc::default(),
    };
    tokio::select! {
        () = me.serve(stream, stopping) => {}
        () = me.clock.late(header_timeout) => {
            tracing::debug!("a head did not arrive, or an answer was not taken, in time");
        }
        () = slot.evicted.cancelled() => {
            tracing::debug!("a silent connection made room for another");
        }
    }
}

impl Connection {
    async fn serve(&self, stream: TcpStream, stopping: CancellationToken) {
        let limits = &self.served.limits;
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.write_timeout));
        let stream = Watched::new(Box::pin(stream), self.clock.clone());
        let service = service_fn(|request| Box::pin(self.clone().answer(request)));
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle_timeout.max(limits.header_timeout))
            .max_header_size(MAX_HEAD_BYTES)
            .max_headers(MAX_HEADERS)
            .max_buf_size(4 * MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut stop = pin!(stopping.cancelled());
        let mut told = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => break ended,
                () = &mut stop, if !told => {
                    told = true;
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        };
        let mut stream = connection.into_parts().io.into_inner();
        if let Err(error) = &ended {
            tracing::debug!(%error, "a connection ended early");
        }
        let is_sending = ended.is_err() || self.unread.load(Ordering::Relaxed);
        if stream.shutdown().await.is_ok() && is_sending {
            linger(stream).await;
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response, Infallible> {
        self.clock.head_ended();
        let unread = Arc::clone(&self.unread);
        unread.store(!request.body().is_end_stream(), Ordering::Relaxed);
        let mut request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(body.with_trailers(poll_fn(move |_| {
                unread.store(false, Ordering::Relaxed);
                Poll::Ready(None)
            }))),
        });
        request.extensions_mut().insert(self.peer);
        let (is_crowded, _in_progress) = self.crowd(&request);
        if is_crowded {
            request.extensions_mut().insert(Crowded);
        }
        let mut response = self.served.app.clone().oneshot(request).await?;
        if self.unread.load(Ordering::Relaxed) {
            // The rest of the body would be taken for the next request. The client must be told, or
            // it would send that one into a connection that is being closed.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        } else {
            self.clock.answered();
        }
        Ok(self.send(response))
    }

    /// Whether there is no room for a request, and its share of the room where there is.
    fn crowd<B>(&self, request: &Request<B>) -> (bool, Option<Share>) {
        let limits = &self.served.limits;
        let path = request.uri().path();
        if limits.urgent.iter().any(|urgent| path.starts_with(urgent)) {
            return (false, None);
        }
        let forwarded = last_forwarded_for(request.headers()).filter(|_| limits.behind_proxy);
        let Some(address) = forwarded else {
            return (self.is_crowded, None);
        };
        let share = self.served.requests.take(&network(address), 1);
        (self.is_crowded || share.is_none(), share)
    }

    /// Begins to count the time that the client takes for its answer.
    fn send(&self, mut response: Response) -> Response {
        let limits = &self.served.limits;
        let pace = Pace {
            wait: limits.write_timeout,
            slowest: limits.slowest_reader,
        };
        let bytes = response.body().size_hint().lower();
        self.clock.owes(pace.wait, pace.time_for(bytes));
        let in_flight = response.extensions_mut().remove::<InFlight>();
        response.map(|body| Body::new(Outgoing::new(body, self.clock.clone(), pace, in_flight)))
    }
}

/// Reads on for a while from a client that may still be sending.
async fn linger(stream: impl AsyncRead + Unpin) {
    let mut rest = stream.take(LINGER_BYTES);
    let mut nowhere = tokio::io::sink();
    let unwanted = tokio::io::copy(&mut rest, &mut nowhere);
    let _ = tokio::time::timeout(LINGER, unwanted).await;
}
