//! Our answer where hyper would give its own.
//!
//! A head that hyper cannot read never reaches the router: hyper answers it by itself, with a status,
//! no body and no request id, and has no hook for that. Its answer comes by here on the way to the
//! socket, and the router's answer goes out instead, logged and counted like any other. What hyper does
//! not answer at all stays so: the beginning of an HTTP/2 connection, and a head that never ends.

use std::io::{Error, ErrorKind, IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, Uri, header};
use axum::response::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tower::ServiceExt;

use super::connection::{Malformed, Peer};
use crate::error::{ApiError, Reason};
use crate::http::failures::translate;
use crate::http::request_id::X_REQUEST_ID;

/// More than any refusal has.
const LARGEST_REFUSAL: usize = 64 * 1024;

type Making = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;

/// A socket on which hyper's own refusals become ours.
pub(super) struct OwnRefusals<S> {
    inner: S,
    app: Router,
    peer: Peer,
    refusal: Option<Refusal>,
}

/// What goes out in place of hyper's answer.
enum Refusal {
    Making(Making),
    Sending { bytes: Vec<u8>, sent: usize },
}

impl<S: AsyncWrite + Unpin> OwnRefusals<S> {
    pub(super) fn new(inner: S, app: Router, peer: Peer) -> Self {
        Self {
            inner,
            app,
            peer,
            refusal: None,
        }
    }

    /// Sends our refusal, and says that `bare` was taken when all of it is sent.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, bare: &[u8]) -> Poll<Result<usize>> {
        loop {
            match &mut self.refusal {
                None => return Poll::Ready(Ok(bare.len())),
                Some(Refusal::Making(making)) => {
                    let bytes = ready!(making.as_mut().poll(cx));
                    self.refusal = Some(Refusal::Sending { bytes, sent: 0 });
                }
                Some(Refusal::Sending { bytes, sent }) if *sent < bytes.len() => {
                    let rest = &bytes[*sent..];
                    match ready!(Pin::new(&mut self.inner).poll_write(cx, rest))? {
                        0 => return Poll::Ready(Err(Error::from(ErrorKind::WriteZero))),
                        count => *sent += count,
                    }
                }
                Some(Refusal::Sending { .. }) => self.refusal = None,
            }
        }
    }

    /// Whether `bytes` are hyper's own refusal, or what is still to be sent in its place.
    fn stands_in_for(&mut self, bytes: &[u8]) -> bool {
        if self.refusal.is_none()
            && let Some(fault) = fault_of(bytes)
        {
            let refusal = refuse(self.app.clone(), self.peer, fault, bytes.to_vec());
            self.refusal = Some(Refusal::Making(Box::pin(refusal)));
        }
        self.refusal.is_some()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for OwnRefusals<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for OwnRefusals<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
        let me = self.get_mut();
        if me.stands_in_for(buf) {
            return me.poll_refuse(cx, buf);
        }
        Pin::new(&mut me.inner).poll_write(cx, buf)
    }

    /// A refusal without a body is one slice.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        let me = self.get_mut();
        if let [buf] = bufs
            && me.stands_in_for(buf)
        {
            return me.poll_refuse(cx, buf);
        }
        Pin::new(&mut me.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

/// What hyper refuses, if these bytes are an answer of its own: all of ours have a request id.
fn fault_of(bytes: &[u8]) -> Option<ApiError> {
    // It is told in the version of the request before it.
    let told = bytes.strip_prefix(b"HTTP/1.1 ");
    let code = told.or(bytes.strip_prefix(b"HTTP/1.0 "))?.get(..3)?;
    let status = StatusCode::from_bytes(code).ok()?;
    let is_bare = status.is_client_error() && bytes.ends_with(b"\r\n\r\n");
    let id = X_REQUEST_ID;
    let mut parts = bytes.windows(id.as_str().len());
    if !is_bare || parts.any(|part| part == id.as_str().as_bytes()) {
        return None;
    }
    let (_, reason) = translate(status);
    let fault = ApiError::new(reason);
    Some(match reason {
        Reason::InvalidRequest => {
            fault.message("The head of the request cannot be read as HTTP/1.1.")
        }
        _ => fault,
    })
}

/// Asks the router to refuse a request of which only the fault is known.
async fn refuse(app: Router, peer: Peer, fault: ApiError, bare: Vec<u8>) -> Vec<u8> {
    let mut request = Request::new(Body::empty());
    // Neither is known: logged and counted as another method, at no route.
    *request.method_mut() = Method::from_bytes(b"-").expect("a token");
    *request.uri_mut() = Uri::from_static("*");
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(Malformed(fault));
    match app.oneshot(request).await {
        Ok(response) => replace(&bare, response).await,
        Err(never) => match never {},
    }
}

/// Hyper's status line, date and word that the connection closes, with our headers and body. A request
/// whose method is not known gets a body even if it was a `HEAD`: nothing else comes after it.
async fn replace(bare: &[u8], response: Response) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LARGEST_REFUSAL).await.unwrap_or_default();
    let mut out = Vec::with_capacity(bare.len() + body.len() + 256);
    for line in bare.split_inclusive(|byte| *byte == b'\n') {
        if line != b"\r\n" && !line.starts_with(b"content-length") {
            out.extend_from_slice(line);
        }
    }
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH {
            out.extend_from_slice(name.as_str().as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    out.extend_from_slice(&body);
    out
}
