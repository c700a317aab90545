//! Trying again what others are in the way of, the same way in every lane that has the time.

use std::time::Duration;

use crate::tx::Fault;

/// How often an operation is run when others are in its way, or its connection breaks early.
const ATTEMPTS: u32 = 8;

/// Why an attempt came to nothing.
pub(super) struct Trouble {
    pub(super) why: Fault,
    /// Whether the connection is gone; a new one may do better.
    pub(super) lost: bool,
}

impl From<Fault> for Trouble {
    fn from(why: Fault) -> Trouble {
        Trouble { why, lost: false }
    }
}

/// Runs `once` until it ends well or there is no point in going on, each time after a longer pause.
pub(super) fn persist(mut once: impl FnMut() -> Result<(), Trouble>) -> Result<(), Fault> {
    let mut last = Fault::Closed;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            metrics::counter!("billstack_operation_retries_total").increment(1);
            std::thread::sleep(Duration::from_millis(u64::from(attempt * attempt)));
        }
        match once() {
            Ok(()) => return Ok(()),
            // The connection broke before COMMIT was sent, so nothing can have been kept.
            Err(Trouble {
                why: Fault::Unavailable(_),
                lost: true,
            }) if attempt == 0 => {}
            Err(Trouble {
                why: why @ Fault::Conflict(_),
                ..
            }) => last = why,
            Err(Trouble { why, .. }) => return Err(why),
        }
    }
    Err(Fault::Unavailable(format!(
        "gave up after {ATTEMPTS} attempts: {last}"
    )))
}
