//! Spreads the writes of SQLite's checkpoints, so that commits do not wait behind them.
//!
//! A checkpoint writes thousands of pages to the database, and syncs it when it has copied the whole log. The
//! kernel collects these pages and hands them to the disk all at once, at that sync at the latest. A commit
//! that syncs its few pages of the log meanwhile waits in line behind them, for tens of milliseconds. In
//! [`Pacer::run`] only a few pages are on their way to the disk at a time, so there is never much of a line.
//!
//! Nothing is written earlier or later than SQLite says, or to other places, and syncs are left to
//! SQLite: this only waits in between.
//!
//! SQLite offers a replaceable system call for that (`xSetSystemCall`,
//! <https://sqlite.org/c3ref/vfs.html>), which takes `unsafe`; this crate keeps that away from all
//! others. Where the replacement is not possible, or the system is not Linux with 64 bits, nothing is
//! paced, and nothing else changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
use linux as system;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
mod elsewhere;
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
use elsewhere as system;

pub use system::install;

/// How the disk is shared with others during a checkpoint.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Pace {
    /// The next pages follow as soon as some have arrived: soonest done.
    Brisk,
    /// After some pages have arrived the disk is left to others for as long as that took.
    Gentle,
}

/// The checkpoints of one thread: how fast they go, and how they get on. Clones share it, so another thread can
/// look after a checkpoint that is under way.
#[derive(Clone, Debug, Default)]
pub struct Pacer(Arc<State>);

#[derive(Debug, Default)]
struct State {
    rests: AtomicBool,
    written: AtomicU32,
    lost: AtomicBool,
}

impl Pacer {
    /// Changes the pace, for whatever is under way too. At first it is brisk.
    pub fn set(&self, pace: Pace) {
        let rests = pace == Pace::Gentle;
        self.0.rests.store(rests, Ordering::Relaxed);
    }

    /// The pace that was set last.
    pub fn pace(&self) -> Pace {
        if self.0.rests.load(Ordering::Relaxed) {
            Pace::Gentle
        } else {
            Pace::Brisk
        }
    }

    /// Counts what is written from zero again.
    pub fn forget_written(&self) {
        self.0.written.store(0, Ordering::Relaxed);
    }

    /// How many pages were written; none where nothing can be paced.
    pub fn written(&self) -> u32 {
        self.0.written.load(Ordering::Relaxed)
    }

    /// Whether the disk could not take a page that it had been given, at any time. A later sync does not tell:
    /// the kernel does so once.
    pub fn has_lost(&self) -> bool {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Runs `work`, and lets SQLite have but a few pages on their way to the disk at a time on this thread
    /// meanwhile.
    ///
    /// When the disk could not take a page, the write of a later one fails with an input or output error, and
    /// with it the checkpoint; see [`Pacer::has_lost`].
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        system::paced(self, work)
    }
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
impl Pacer {
    fn count_written(&self) {
        self.0.written.fetch_add(1, Ordering::Relaxed);
    }

    fn tell_lost(&self) {
        self.0.lost.store(true, Ordering::Relaxed);
    }
}
