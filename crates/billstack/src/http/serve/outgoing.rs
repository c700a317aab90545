//! Answers on their way out.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::head::ClientClock;
use crate::budget::Share;

/// How much of an answer is handed over for sending at once. Whatever hyper is given it copies, so a client that
/// does not read would make it hold the answer a second time.
const PIECE: usize = 32 * 1024;

/// The room that an answer takes until its client has it.
#[derive(Clone, Debug)]
pub struct InFlight(pub Arc<Share>);

/// The body of an answer, in pieces.
pub(super) struct Outgoing {
    body: Body,
    rest: Bytes,
    clock: ClientClock,
    pace: Pace,
    /// Whether nobody knows how long the answer is.
    is_endless: bool,
    _in_flight: Option<InFlight>,
}

/// How fast a client must take an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The time for any answer.
    pub(super) wait: Duration,
    /// In bytes a second, besides.
    pub(super) slowest: u32,
}

impl Pace {
    /// The time for so many bytes, besides that for any answer.
    pub(super) fn time_for(self, bytes: u64) -> Duration {
        Duration::from_secs(bytes / u64::from(self.slowest.max(1)))
    }
}

impl Outgoing {
    pub(super) fn new(
        body: Body,
        clock: ClientClock,
        pace: Pace,
        in_flight: Option<InFlight>,
    ) -> Outgoing {
        Outgoing {
            is_endless: body.size_hint().upper().is_none(),
            body,
            rest: Bytes::new(),
            clock,
            pace,
            _in_flight: in_flight,
        }
    }
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        if self.is_endless {
                            let time = self.pace.time_for(data.len() as u64);
                            self.clock.owes_next(self.pace.wait + time);
                        }
                        self.rest = data;
                    }
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        let length = self.rest.len().min(PIECE);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (mut hint, rest) = (self.body.size_hint(), self.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.clock.handed_over();
    }
}
