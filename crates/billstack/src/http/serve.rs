//! The HTTP/1.1 server: a bound on everything a client can hold on to.
//!
//! Connections, heads, bodies, answers and the whole of a request each have a limit, so that a
//! slow or hostile client costs one connection for a known time and nobody else anything. TLS and
//! HTTP/2 are the business of the proxy in front.

mod body;
mod connection;
mod head;

pub use body::{bound_body, read_body};
pub use connection::Peer;

use std::io::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Version, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::error::{ApiError, Reason};
use crate::http::failures::{catch_panics, json_errors};
use crate::http::request_id::{RandomSource, track};

/// How much a client may ask of the server, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections served at once; further ones wait in the kernel's queue.
    pub max_connections: usize,
    /// How long a request head may take from its first byte, and a new connection to send one.
    pub header_timeout: Duration,
    /// How long a connection may be kept open between requests.
    pub idle_timeout: Duration,
    /// How long a request may take from its head to the head of the answer.
    pub request_timeout: Duration,
    /// How long a client may take nothing of an answer that is waiting for it.
    pub write_timeout: Duration,
    /// How long requests in progress may go on after the signal to stop.
    pub shutdown_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 8192,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(20),
        }
    }
}

/// Puts around the routes what every answer needs, in the order it is needed.
///
/// From the outside in: request id, log and metrics; our JSON in place of the framework's errors;
/// the request timeout; the panic catcher. [`serve`] expects a router that went through here. It is
/// one layer because each costs a copy of all the layers within it, at every request.
pub fn harden(routes: Router, limits: &Limits, random: RandomSource) -> Router {
    let limit = limits.request_timeout;
    routes.layer(middleware::from_fn(move |request, next| {
        track(random, request, move |request| async move {
            json_errors(guard(limit, request, next).await)
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
    let slots = Arc::new(Semaphore::new(limits.max_connections));
    let stopping = CancellationToken::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, slot) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted,
        };
        let connection = connection::run(stream, app.clone(), limits, stopping.clone());
        connections.spawn(async move {
            connection.await;
            drop(slot);
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

/// Waits for a free slot first: a connection that cannot be served is better left in the queue.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let slot = Arc::clone(slots).acquire_owned().await;
    let slot = slot.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, slot),
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

/// Refuses a request that names no host or several, and bounds the time of the rest.
async fn guard(limit: Duration, request: Request, next: Next) -> Response {
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
