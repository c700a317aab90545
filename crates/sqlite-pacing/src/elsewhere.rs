//! Systems without a way to wait for some pages of a file.

use crate::Pacer;

/// Does nothing, and says so: `false`.
pub fn install() -> bool {
    false
}

/// Runs `work`.
pub(crate) fn paced<T>(_pacer: &Pacer, work: impl FnOnce() -> T) -> T {
    work()
}
