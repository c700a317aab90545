//! Linux: `pwrite`, followed now and then by `sync_file_range`.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::time::Instant;

use rusqlite::ffi;

use crate::Pace;

/// Writes (a page each) between two waits. With 16 a disk that takes 31,000 pages a second in one go
/// takes 25,000, and a sync of 64 KiB elsewhere on it takes 4 to 6 ms at the 99th percentile instead
/// of 97; with 32 those are 26,000 and 10 to 15, with 8 they are 20,000 and 10.
const WRITES_IN_FLIGHT: u32 = 16;

/// What was written since the last wait, and how often there was one.
#[derive(Clone, Copy)]
struct Run {
    pace: Pace,
    file: c_int,
    from: libc::off_t,
    to: libc::off_t,
    writes: u32,
    waits: u32,
}

thread_local! {
    /// The run of this thread while it is in [`paced`].
    static RUN: Cell<Option<Run>> = const { Cell::new(None) };
}

/// The type of `pwrite`.
type Write = unsafe extern "C" fn(c_int, *const c_void, usize, libc::off_t) -> isize;

/// Puts the pacing write into SQLite's place for it, once, and tells whether it is there.
///
/// To be called before the first connection of the process is opened: SQLite does not expect that another
/// thread writes while its system calls are replaced.
pub fn install() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| replace().is_some())
}

fn replace() -> Option<()> {
    // SAFETY: SQLite initialises itself here if need be; what it returns lives as long as the process.
    let (vfs, calls) = unsafe {
        let vfs = ffi::sqlite3_vfs_find(ptr::null());
        (vfs, vfs.as_ref()?)
    };
    let (get, set) = (calls.xGetSystemCall?, calls.xSetSystemCall?);
    let name = c"pwrite".as_ptr();
    // SAFETY: both are functions of this VFS, which take it and a name that ends with NUL. A call that
    // is not in use, in a build that has another way to write, is null.
    let _in_use = unsafe { get(vfs, name) }?;
    // SAFETY: SQLite casts the pointer back to the type of `pwrite`, which is `Write`, before it calls it.
    let replaced = unsafe {
        let call = std::mem::transmute::<Write, unsafe extern "C" fn()>(pacing_write);
        set(vfs, name, Some(call))
    };
    (replaced == ffi::SQLITE_OK).then_some(())
}

/// Runs `work`, and lets SQLite have but a few pages on their way to the disk at a time on this thread
/// meanwhile.
///
/// A page that could not be written fails the write of a later one, and with it the checkpoint.
pub fn paced<T>(pace: Pace, work: impl FnOnce() -> T) -> T {
    /// Ends the pacing, also when the work panics.
    struct Paced;
    impl Drop for Paced {
        fn drop(&mut self) {
            RUN.set(None);
        }
    }
    let _paced = Paced;
    RUN.set(Some(Run::new(pace)));
    work()
}

/// `pwrite`, with waits in between on a thread that is in [`paced`].
///
/// # Safety
///
/// As for `pwrite`: `from` points to `count` readable bytes.
unsafe extern "C" fn pacing_write(
    file: c_int,
    from: *const c_void,
    count: usize,
    at: libc::off_t,
) -> isize {
    // SAFETY: what the caller promises is what `pwrite` asks for.
    let written = unsafe { libc::pwrite(file, from, count, at) };
    if let Some(run) = RUN.get()
        && written > 0
    {
        let Ok(run) = run.with(file, at, written as libc::off_t) else {
            // `errno` is that of the wait.
            return -1;
        };
        RUN.set(Some(run));
    }
    written
}

/// Pages did not reach the disk.
struct Lost;

impl Run {
    /// Nothing written, nothing waited for.
    const fn new(pace: Pace) -> Run {
        Run {
            pace,
            file: -1,
            from: 0,
            to: 0,
            writes: 0,
            waits: 0,
        }
    }

    /// The run after another write; waits for the disk when that makes it long enough.
    fn with(mut self, file: c_int, at: libc::off_t, count: libc::off_t) -> Result<Run, Lost> {
        if self.writes == 0 || self.file != file {
            (self.file, self.from, self.to, self.writes) = (file, at, at, 0);
        }
        self.from = self.from.min(at);
        self.to = self.to.max(at + count);
        self.writes += 1;
        if self.writes == WRITES_IN_FLIGHT {
            let began = Instant::now();
            self.wait()?;
            if self.pace == Pace::Gentle {
                std::thread::sleep(began.elapsed());
            }
            self.writes = 0;
            self.waits += 1;
        }
        Ok(self)
    }

    /// Hands the pages to the disk and waits until it has them.
    ///
    /// The kernel tells an error of theirs once for each open file, and by whatever number the disk's driver
    /// chose, so none must be lost here: a later sync would not tell it again. Only a call that this
    /// file or system does not have has told nothing, and is no reason to fail.
    fn wait(&self) -> Result<(), Lost> {
        let flags = libc::SYNC_FILE_RANGE_WAIT_BEFORE
            | libc::SYNC_FILE_RANGE_WRITE
            | libc::SYNC_FILE_RANGE_WAIT_AFTER;
        // SAFETY: a system call on numbers; a file that is not open is an error.
        let failed =
            unsafe { libc::sync_file_range(self.file, self.from, self.to - self.from, flags) } != 0;
        let error = std::io::Error::last_os_error().raw_os_error();
        let unknown = matches!(error, Some(libc::ESPIPE | libc::ENOSYS | libc::EPERM));
        if failed && !unknown {
            Err(Lost)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A database whose log holds some hundreds of pages.
    fn database(dir: &std::path::Path) -> Connection {
        assert!(install());
        let db = Connection::open(dir.join("a.db")).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB);
             WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n WHERE a < 1000)
             INSERT INTO t SELECT a, zeroblob(1000) FROM n;",
        )
        .unwrap();
        db
    }

    fn checkpoint(db: &Connection) -> i64 {
        db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
            .unwrap()
    }

    /// The pages of a checkpoint, and how often it waited.
    fn counted(db: &Connection) -> (i64, u32) {
        (checkpoint(db), RUN.get().unwrap().waits)
    }

    #[test]
    fn a_checkpoint_waits_after_every_few_pages() {
        let dir = tempfile::tempdir().unwrap();
        let db = database(dir.path());
        let (pages, waits) = paced(Pace::Brisk, || counted(&db));
        assert!(pages > 250, "{pages}");
        assert_eq!(u32::try_from(pages).unwrap() / WRITES_IN_FLIGHT, waits);
        let rows: i64 = db
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1000);
    }

    #[test]
    fn nothing_waits_outside_or_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let db = database(dir.path());
        let _ = std::panic::catch_unwind(|| paced(Pace::Brisk, || panic!("on purpose")));
        assert!(checkpoint(&db) > 250);
        assert!(RUN.get().is_none());
        let (_, waits) = paced(Pace::Brisk, || counted(&db));
        assert_eq!(waits, 0, "nothing was left to copy");
    }

    #[test]
    fn a_file_that_cannot_be_waited_for_is_written_all_the_same() {
        let (_reader, pipe) = std::io::pipe().unwrap();
        let run = Run {
            file: std::os::fd::AsRawFd::as_raw_fd(&pipe),
            to: 4096,
            ..Run::new(Pace::Brisk)
        };
        assert!(run.wait().is_ok());
    }

    #[test]
    fn any_other_error_of_a_wait_fails_the_checkpoint() {
        let run = Run::new(Pace::Brisk);
        assert!(run.wait().is_err(), "a file that is not open");
    }

    #[test]
    fn another_file_begins_another_run() {
        let mut run = Run::new(Pace::Gentle);
        for page in (0..WRITES_IN_FLIGHT - 1).rev() {
            run = run
                .with(7, libc::off_t::from(page) * 4096, 4096)
                .ok()
                .unwrap();
        }
        assert_eq!((run.from, run.to, run.writes), (0, 15 * 4096, 15));
        let run = run.with(8, 4096, 100).ok().unwrap();
        assert_eq!((run.file, run.from, run.to, run.writes), (8, 4096, 4196, 1));
    }
}
