//! Retries, the same in every lane that has time for them.

use std::time::Duration;

use crate::seam::Fault;

/// How often an operation runs when it conflicts with others, or its connection breaks early.
const ATTEMPTS: u32 = 8;

/// Why an attempt failed.
pub(super) struct Failed {
    pub(super) why: Fault,
    /// Whether the connection is gone; a new one may work.
    pub(super) lost: bool,
}

impl From<Fault> for Failed {
    fn from(why: Fault) -> Failed {
        Failed { why, lost: false }
    }
}

/// Runs `once` until it succeeds or a retry is pointless, each time after a longer pause.
pub(super) fn retry(mut once: impl FnMut() -> Result<(), Failed>) -> Result<(), Fault> {
    let mut last = Fault::Closed;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            metrics::counter!("billstack_operation_retries_total").increment(1);
            std::thread::sleep(Duration::from_millis(u64::from(attempt * attempt)));
        }
        match once() {
            Ok(()) => return Ok(()),
            // The connection broke before COMMIT was sent, so nothing was committed.
            Err(Failed {
                why: Fault::Unavailable(_),
                lost: true,
            }) if attempt == 0 => {}
            Err(Failed {
                why: why @ Fault::Conflict(_),
                ..
            }) => last = why,
            Err(Failed { why, .. }) => return Err(why),
        }
    }
    Err(Fault::Unavailable(format!(
        "gave up after {ATTEMPTS} attempts: {last}"
    )))
}
