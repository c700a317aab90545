//! Request bodies, bounded in size and in time.

use std::error::Error;
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;

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
        Err(_) => {
            Err(ApiError::new(Reason::RequestTimeout).message("The body did not arrive in time."))
        }
    }
}

fn too_large() -> ApiError {
    ApiError::new(Reason::PayloadTooLarge)
}

fn explain(error: &(dyn Error + 'static)) -> ApiError {
    if error.is::<LengthLimitError>() {
        return too_large();
    }
    ApiError::new(Reason::InvalidRequest).message("The body broke off or is not properly framed.")
}
