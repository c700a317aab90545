//! Spreads the writes of SQLite's checkpoints, so that commits do not wait behind them.
//!
//! A checkpoint writes thousands of pages to the database, and syncs it when it has copied the whole log. The
//! kernel collects these pages and hands them to the disk all at once, at that sync at the latest. A commit that syncs its few pages of the
//! log meanwhile waits in line behind them, for tens of milliseconds. [`paced`] has a few pages on their
//! way to the disk at a time, so there is never much of a line.
//!
//! Nothing is written earlier or later than SQLite says, or to other places, and syncs are left to
//! SQLite: this only waits in between.
//!
//! SQLite offers a replaceable system call for that (`xSetSystemCall`,
//! <https://sqlite.org/c3ref/vfs.html>), which takes `unsafe`; this crate keeps that away from all
//! others. Where the replacement is not possible, or the system is not Linux with 64 bits, nothing is
//! paced, and nothing else changes.

/// How the disk is shared with others while something is [`paced`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// The next pages follow as soon as some have arrived: soonest done.
    Brisk,
    /// After some pages have arrived the disk is left to others for as long as that took.
    Gentle,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub use linux::{install, paced};

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod elsewhere;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub use elsewhere::{install, paced};
