//! Systems without a way to wait for some pages of a file.

use crate::Pace;

/// Does nothing, and says so: `false`.
pub fn install() -> bool {
    false
}

/// Runs `work`.
pub fn paced<T>(_pace: Pace, work: impl FnOnce() -> T) -> T {
    work()
}
