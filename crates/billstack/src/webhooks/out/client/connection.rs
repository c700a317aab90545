//! A connection to an endpoint, over which one request goes at a time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, header};
use billstack_core::webhook::attempt::AttemptError;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::url::Target;
use super::metered::{MOST, Meter, Metered};
use super::{Post, dial};

/// The most headers of an answer.
const MOST_HEADERS: usize = 100;

/// How old a connection may become. A busy one would otherwise outlive every change of the addresses of its host.
const LONGEST: Duration = Duration::from_secs(60);

/// What came back.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// As much of the body as was read.
    pub(super) body: Vec<u8>,
    /// Whether that is all, so that the connection can be used again.
    pub(super) is_whole: bool,
}

/// Dropped, it is closed, whatever is under way.
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    meter: Meter,
    peer: SocketAddr,
    made: Instant,
}

impl Connection {
    pub(super) async fn make(
        target: &Target,
        addresses: &[SocketAddr],
        tls: &Arc<ClientConfig>,
    ) -> Result<Connection, AttemptError> {
        let (stream, peer) = dial::dial(target, addresses, tls).await?;
        let meter = Meter::new();
        let io = TokioIo::new(Metered::new(stream, meter.clone()));
        let handshake = Builder::new()
            .max_headers(MOST_HEADERS)
            .max_buf_size(MOST)
            .handshake(io)
            .await;
        let (sender, connection) = handshake.map_err(|_| AttemptError::Closed)?;
        let driver = tokio::spawn(async move {
            // Whoever waits for an answer is told what went wrong by the sender.
            let _ = timeout(LONGEST, connection).await;
        });
        Ok(Connection {
            sender,
            driver,
            meter,
            peer,
            made: Instant::now(),
        })
    }

    /// The address that it goes to.
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether another request can go over it, with time for its answer.
    pub(super) fn is_usable(&self) -> bool {
        !self.sender.is_closed() && self.made.elapsed() + super::TIMEOUT < LONGEST
    }

    /// Sends a request, and reads the answer. Once there is a status, it stands, whatever becomes of the body.
    pub(super) async fn ask(&mut self, post: &Post<'_>) -> Result<Response, AttemptError> {
        self.meter.reset();
        let request = request(post).ok_or(AttemptError::AddressNotAllowed)?;
        let answered = timeout_at(post.until, async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        });
        let answered = answered.await.map_err(|_| AttemptError::Timeout)?;
        let response = answered.map_err(|error| self.failure(&error))?;
        let (head, mut rest) = response.into_parts();
        let mut body = Vec::new();
        let whole = timeout_at(post.until, async {
            while let Some(frame) = rest.frame().await {
                let frame = frame.ok()?;
                body.extend(frame.data_ref().into_iter().flatten());
            }
            Some(())
        });
        let is_whole = matches!(whole.await, Ok(Some(())));
        Ok(Response {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            is_whole: is_whole && !self.meter.is_used_up(),
        })
    }

    fn failure(&self, error: &hyper::Error) -> AttemptError {
        if error.is_parse() || self.meter.is_used_up() {
            return AttemptError::Unreadable;
        }
        AttemptError::Closed
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

fn request(post: &Post<'_>) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::post(post.target.path_and_query())
        .header(header::HOST, post.target.authority())
        .body(Full::new(post.body.clone()))
        .ok()?;
    let headers = post.headers.iter();
    let headers = headers.map(|(name, value)| (name.clone(), value.clone()));
    request.headers_mut().extend(headers);
    Some(request)
}
