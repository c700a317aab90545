//! The HTTP/1.1 server: a bound on everything a client can hold on to.
//!
//! Connections, heads, bodies, answers and the whole of a request each have a limit, so that a
//! slow or hostile client costs one connection for a known time and nobody else anything. TLS and
//! HTTP/2 are the business of the proxy in front.

mod body;
mod connection;
mod head;
mod outgoing;
mod slots;
mod watched;

pub use body::{bound_body, read_body};
pub use connection::{Crowded, Peer};
pub use outgoing::InFlight;

use std::io::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::budget::Budget;
use crate::error::{ApiError, Reason};
use crate::http::failures::{catch_panics, json_errors};
use crate::http::request_id::{RandomSource, track};
use crate::http::visitor::network;
use connection::Served;
use slots::{A_MOMENT, Slots};

/// How much a client may ask of the server, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once. A further one takes the place of one that is silent.
    pub max_connections: usize,
    /// Those of one address; an IPv6 network of 64 bits counts as one.
    pub max_connections_per_address: usize,
    /// Connections that are accepted for urgent requests alone while all the others are busy. When they are busy
    /// too, further ones wait in the kernel's queue.
    pub reserved_connections: usize,
    /// What is urgent: the beginnings of paths.
    pub urgent: &'static [&'static str],
    /// Whether a proxy in front tells the address of each request. Its own address then has no share: each
    /// address that it tells has one of the requests in progress.
    pub behind_proxy: bool,
    /// How long a request head may take from its first byte, and a new connection to send one.
    pub header_timeout: Duration,
    /// How long a connection may be kept open between requests.
    pub idle_timeout: Duration,
    /// How long a request may take from its head to the head of the answer.
    pub request_timeout: Duration,
    /// How long a client may take nothing of an answer that is waiting for it.
    pub write_timeout: Duration,
    /// How many bytes a second it must take on average, beyond that time.
    pub slowest_reader: u32,
    /// How long requests in progress may go on after the signal to stop.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 8192,
            max_connections_per_address: 8192,
            reserved_connections: 64,
            urgent: &[],
            behind_proxy: false,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            slowest_reader: 16 * 1024,
            shutdown_grace: Duration::from_secs(20),
        }
    }
}

/// Makes of a refusal what whoever asked can read.
pub type Dress = Box<dyn FnOnce(Response) -> Response + Send>;

/// Finds out before a request is handled how a refusal of it is to be dressed; most are JSON, and stay it.
pub type Dresser = Arc<dyn Fn(&Request) -> Option<Dress> + Send + Sync>;

/// Puts around the routes what every answer needs, in the order it is needed.
///
/// From the outside in: request id, log and metrics; refusals as pages, for those who ask for a page; our JSON in place
/// of the framework's errors; the request timeout; the panic catcher. [`serve`] expects a router that went through here. It is
/// one layer because each costs a copy of all the layers within it, at every request.
pub fn harden(routes: Router, limits: &Limits, random: RandomSource, dresser: Dresser) -> Router {
    let limit = limits.request_timeout;
    routes.layer(middleware::from_fn(move |request, next| {
        let dresser = Arc::clone(&dresser);
        track(random, request, move |request| async move {
            let dress = dresser(&request);
            let answer = json_errors(guard(limit, request, next).await);
            match dress {
                Some(dress) => dress(answer),
                None => answer,
            }
        })
    }))
}

/// Serves `app` until `shutdown` completes, and returns when the last request is answered or the
/// grace is over.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) {
    let slots = Slots::new(&limits);
    let requests = Budget::new(u64::MAX, limits.max_connections_per_address as u64);
    let stopping = CancellationToken::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, address) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        let address = match limits.behind_proxy {
            // Every connection is the proxy's.
            true => String::new(),
            false => network(address.ip()),
        };
        let served = Served {
            app: app.clone(),
            limits,
            requests: Arc::clone(&requests),
        };
        let (slots, stopping) = (Arc::clone(&slots), stopping.clone());
        connections.spawn(async move {
            if let Ok(slot) = slots.wait_for(address).await {
                connection::run(stream, slot, served, stopping).await;
            }
        });
    }
    // Closed before the draining, so that a balancer is refused at once instead of kept waiting.
    drop(listener);
    stopping.cancel();
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.shutdown_grace, drained)
        .await
        .is_err()
    {
        let open = connections.len();
        tracing::warn!(open, "connections were cut off at the end of the grace");
        connections.shutdown().await;
    }
}

/// Waits for room first: a connection that cannot be served is better left in the queue.
async fn accept(listener: &TcpListener, slots: &Slots) -> (TcpStream, SocketAddr) {
    while slots.are_all_busy() {
        tokio::time::sleep(A_MOMENT).await;
    }
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Most likely there are no file descriptors left. Trying again at once would spin.
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

fn is_the_clients(error: &Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Refuses a request that names no host or several, or for which there is no room, and bounds the time of the rest.
async fn guard(limit: Duration, request: Request, next: Next) -> Response {
    if request.extensions().get::<Crowded>().is_some() {
        let close = HeaderValue::from_static("close");
        return (
            [(header::CONNECTION, close)],
            ApiError::new(Reason::Overloaded),
        )
            .into_response();
    }
    if !has_its_host(request.version(), request.headers()) {
        let fault = ApiError::new(Reason::InvalidRequest);
        let fault = fault.message("Exactly one Host header is needed.");
        let close = HeaderValue::from_static("close");
        return ([(header::CONNECTION, close)], fault).into_response();
    }
    let reads_only = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    match tokio::time::timeout(limit, catch_panics(next.run(request))).await {
        Ok(response) => response,
        Err(_) => {
            tracing::error!(?limit, "a request was not answered in time");
            // A write may have been committed all the same, and the client must know that.
            let reason = match reads_only {
                true => Reason::Overloaded,
                false => Reason::OutcomeUnknown,
            };
            ApiError::new(reason).into_response()
        }
    }
}

fn has_its_host(version: Version, headers: &HeaderMap) -> bool {
    match headers.get_all(header::HOST).iter().count() {
        0 => version < Version::HTTP_11,
        hosts => hosts == 1,
    }
}

#[cfg(test)]
mod tests;
