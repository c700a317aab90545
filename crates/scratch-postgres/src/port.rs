//! A loopback port for a server that cannot be told to choose one itself.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;

/// Below the ports that the kernel hands to outgoing connections and to listeners on port 0, so
/// that a stopped server still finds its port free when it is started again.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// How many ports this process has looked at.
static TRIED: AtomicU32 = AtomicU32::new(0);

/// Finds a port that nothing listens on. Another process may still take it before the server
/// does, so the caller tries again on a clash.
pub(crate) fn free() -> Result<u16, Error> {
    // Processes start far apart and walk by one, so that they seldom meet.
    let start = process::id().wrapping_mul(97);
    for _ in 0..COUNT {
        let step = TRIED.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + start.wrapping_add(step) % COUNT;
        let Ok(port) = u16::try_from(port) else {
            continue;
        };
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Error::new("no free loopback port"))
}
