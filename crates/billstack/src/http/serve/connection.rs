//! One connection: hyper in the middle, our limits around it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Request, Version, header};
use axum::response::Response;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tower::ServiceExt;

use super::Limits;
use super::body::TimedBody;
use super::io::GuardedIo;
use super::refusals::OwnRefusals;
use crate::error::{ApiError, Reason};

/// Nothing legitimate comes near: a key, a cookie and a browser's usual headers are under 4 KiB.
const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// The address at the other end of the connection: the client, or the proxy in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Marks a request that must be refused with this before any handler sees it.
#[derive(Debug, Clone)]
pub(super) struct Malformed(pub(super) ApiError);

impl Malformed {
    fn new(message: &'static str) -> Self {
        Self(ApiError::new(Reason::InvalidRequest).message(message))
    }
}

/// Serves one connection to its end.
pub(super) async fn run(stream: TcpStream, app: Router, limits: Limits, watcher: Watcher) {
    let Ok(peer) = stream.peer_addr() else {
        return;
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let io = GuardedIo::new(stream, &limits);
    let ambiguous = io.ambiguous_head();
    let io = OwnRefusals::new(io, app.clone(), Peer(peer));
    let heads = Arc::new(AtomicU64::new(0));

    let service = service_fn(move |request: Request<Incoming>| {
        let number = heads.fetch_add(1, Ordering::Relaxed) + 1;
        let both_lengths = ambiguous.load(Ordering::Relaxed) == number;
        let malformed = find_fault(&request, both_lengths);
        let finished = Arc::new(AtomicBool::new(request.body().is_end_stream()));
        let request = prepare(request, peer, malformed, &limits, &finished);
        answer(app.clone(), request, finished)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // Hyper starts this clock when the last answer is done, which makes it the idle timeout.
        // The tighter one for the head itself is kept by the guarded socket.
        .header_read_timeout(limits.idle_timeout.max(limits.header_timeout))
        .max_header_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .max_buf_size(4 * MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(io), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn prepare(
    request: Request<Incoming>,
    peer: SocketAddr,
    malformed: Option<Malformed>,
    limits: &Limits,
    finished: &Arc<AtomicBool>,
) -> Request<Body> {
    let timeout = limits.body_timeout;
    let mut request = request.map(|body| {
        if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(TimedBody::new(body, timeout, Arc::clone(finished)))
        }
    });
    request.extensions_mut().insert(Peer(peer));
    if let Some(fault) = malformed {
        request.extensions_mut().insert(fault);
    }
    request
}

async fn answer(
    app: Router,
    request: Request<Body>,
    finished: Arc<AtomicBool>,
) -> Result<Response, Infallible> {
    let malformed = request.extensions().get::<Malformed>().is_some();
    let mut response = app.oneshot(request).await?;
    if malformed || !finished.load(Ordering::Relaxed) {
        // The rest of the body, or worse, would be taken for the next request. The client must be
        // told, or it would send that one into a connection that is being closed.
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    Ok(response)
}

fn find_fault(request: &Request<Incoming>, both_lengths: bool) -> Option<Malformed> {
    let headers: &HeaderMap = request.headers();
    if both_lengths && headers.contains_key(header::TRANSFER_ENCODING) {
        let text = "Content-Length and Transfer-Encoding must not be sent together.";
        return Some(Malformed::new(text));
    }
    let hosts = headers.get_all(header::HOST).iter().count();
    let wants_one = request.version() == Version::HTTP_11;
    if hosts > 1 || (wants_one && hosts == 0) {
        return Some(Malformed::new("Exactly one Host header is needed."));
    }
    None
}
