//! Request bodies, bounded in size and in time.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::error::{ApiError, Reason};

/// Refuses a body whose declared length is more than `max` bytes, before any of it is read: a client
/// that waits for `100 Continue` never sends it.
///
/// # Errors
/// 413 when it is.
pub fn bound_body(body: &Body, max: usize) -> Result<(), ApiError> {
    if body.size_hint().lower() > max as u64 {
        return Err(too_large());
    }
    Ok(())
}

/// Reads a body whole.
///
/// # Errors
/// 413 beyond `max` bytes, 408 when it is not there after `timeout`, and 400 when the client
/// breaks off.
pub async fn read_body(body: Body, max: usize, timeout: Duration) -> Result<Bytes, ApiError> {
    bound_body(&body, max)?;
    let whole = Limited::new(body, max).collect();
    match tokio::time::timeout(timeout, whole).await {
        Ok(Ok(read)) => Ok(read.to_bytes()),
        Ok(Err(error)) => Err(explain(&*error)),
        Err(_) => Err(too_slow()),
    }
}

fn too_large() -> ApiError {
    ApiError::new(Reason::PayloadTooLarge)
}

fn too_slow() -> ApiError {
    ApiError::new(Reason::RequestTimeout).message("The body did not arrive in time.")
}

/// Looks for a cause of ours below the wrappings of the framework.
fn explain(error: &(dyn Error + 'static)) -> ApiError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return too_large();
        }
        if error.is::<BodyTimeout>() {
            return too_slow();
        }
        cause = error.source();
    }
    ApiError::new(Reason::InvalidRequest).message("The body broke off or is not properly framed.")
}

/// The body did not arrive within the server's own limit.
#[derive(Debug)]
struct BodyTimeout;

impl fmt::Display for BodyTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body did not arrive in time")
    }
}

impl Error for BodyTimeout {}

/// A body that must be whole by a deadline, whoever reads it and however.
pub(super) struct TimedBody<B> {
    inner: B,
    deadline: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Set once the body has been read to its end.
    finished: Arc<AtomicBool>,
}

impl<B> TimedBody<B> {
    pub(super) fn new(inner: B, timeout: Duration, finished: Arc<AtomicBool>) -> Self {
        Self {
            inner,
            finished,
            deadline: Instant::now() + timeout,
            sleep: None,
        }
    }
}

impl<B> HttpBody for TimedBody<B>
where
    B: HttpBody<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let me = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut me.inner).poll_frame(cx) {
            if frame.is_none() || me.inner.is_end_stream() {
                me.finished.store(true, Ordering::Relaxed);
            }
            return Poll::Ready(frame.map(|result| result.map_err(Into::into)));
        }
        let deadline = me.deadline;
        let sleep = me
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        match sleep.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(Some(Err(Box::new(BodyTimeout)))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
