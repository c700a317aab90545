//! Linux: `pwrite`, followed now and then by `sync_file_range`.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;
use std::time::Instant;

use rusqlite::ffi;

use crate::{Pace, Pacer};

/// Writes (a page each) between two waits. With 16 a disk that takes 31,000 pages a second in one go
/// takes 25,000, and a sync of 64 KiB elsewhere on it takes 4 to 6 ms at the 99th percentile instead
/// of 97; with 32 those are 26,000 and 10 to 15, with 8 they are 20,000 and 10.
const WRITES_IN_FLIGHT: u32 = 16;

/// What was written since the last wait, and how often there was one.
struct Run {
    pacer: Pacer,
    file: c_int,
    from: libc::off_t,
    to: libc::off_t,
    writes: u32,
    waits: u32,
}

thread_local! {
    /// The run of this thread while it is in [`paced`].
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// The type of `pwrite`.
type Write = unsafe extern "C" fn(c_int, *const c_void, usize, libc::off_t) -> isize;

/// Puts the pacing write into SQLite's place for it, once, and tells whether it is there.
///
/// To be called before the first connection of the process is opened: SQLite stores the new pointer, which is
/// one aligned word, without any care for a thread that might be about to read it.
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

/// Runs `work` with waits between the writes of this thread.
pub(crate) fn paced<T>(pacer: &Pacer, work: impl FnOnce() -> T) -> T {
    /// Ends the run and goes on with the one around it, also when the work panics.
    struct Around(Option<Run>);
    impl Drop for Around {
        fn drop(&mut self) {
            RUN.replace(self.0.take());
        }
    }
    let _around = Around(RUN.replace(Some(Run::new(pacer))));
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
    let add = |run: &mut Option<Run>| match run {
        Some(run) if written > 0 => run.add(file, at, written as libc::off_t),
        _ => Ok(()),
    };
    // A thread that ends may close a connection when it has no run any more.
    let waited = RUN.try_with(|run| add(&mut run.borrow_mut()));
    if matches!(waited, Ok(Err(Lost))) {
        // Whatever the disk said. That of a full one would look like a write that was refused.
        // SAFETY: it points to this thread's `errno`.
        unsafe { *libc::__errno_location() = libc::EIO };
        return -1;
    }
    written
}

/// Pages did not reach the disk.
struct Lost;

impl Run {
    /// Nothing written, nothing waited for.
    fn new(pacer: &Pacer) -> Run {
        Run {
            pacer: pacer.clone(),
            file: -1,
            from: 0,
            to: 0,
            writes: 0,
            waits: 0,
        }
    }

    /// Takes note of another write; waits for the disk when there are enough of them.
    fn add(&mut self, file: c_int, at: libc::off_t, count: libc::off_t) -> Result<(), Lost> {
        if self.writes == 0 || self.file != file {
            (self.file, self.from, self.to, self.writes) = (file, at, at, 0);
        }
        self.from = self.from.min(at);
        self.to = self.to.max(at + count);
        self.writes += 1;
        self.pacer.count_written();
        if self.writes < WRITES_IN_FLIGHT {
            return Ok(());
        }
        let began = Instant::now();
        self.wait().inspect_err(|Lost| self.pacer.tell_lost())?;
        if self.pacer.pace() == Pace::Gentle {
            std::thread::sleep(began.elapsed());
        }
        self.writes = 0;
        self.waits += 1;
        Ok(())
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
    use std::os::fd::AsRawFd;

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
        Pacer::default().run(|| {
            let pages = checkpoint(db);
            (pages, RUN.with_borrow(|run| run.as_ref().unwrap().waits))
        })
    }

    #[test]
    fn a_checkpoint_waits_after_every_few_pages() {
        let dir = tempfile::tempdir().unwrap();
        let db = database(dir.path());
        let (pages, waits) = counted(&db);
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
        let _ = std::panic::catch_unwind(|| Pacer::default().run(|| panic!("on purpose")));
        assert!(checkpoint(&db) > 250);
        assert!(RUN.with_borrow(Option::is_none));
        let (_, waits) = counted(&db);
        assert_eq!(waits, 0, "nothing was left to copy");
    }

    #[test]
    fn one_within_another_leaves_it_in_place() {
        Pacer::default().run(|| {
            Pacer::default().run(|| ());
            assert!(RUN.with_borrow(Option::is_some));
        });
    }

    /// A run that is to wait for the first page of a file after the next write, if it is to that file.
    fn about_to_wait(file: c_int) -> Run {
        Run {
            file,
            writes: WRITES_IN_FLIGHT - 1,
            ..Run::new(&Pacer::default())
        }
    }

    #[test]
    fn a_file_that_cannot_be_waited_for_is_written_all_the_same() {
        let (_reader, pipe) = std::io::pipe().unwrap();
        let mut run = about_to_wait(pipe.as_raw_fd());
        assert!(run.add(pipe.as_raw_fd(), 0, 4096).is_ok());
        assert_eq!(run.waits, 1);
    }

    /// Where the database is open for writing in this process.
    fn descriptor_of(db: &Connection) -> c_int {
        let path = std::path::Path::new(db.path().unwrap());
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        open.map(|entry| entry.unwrap().path())
            .find(|fd| std::fs::read_link(fd).is_ok_and(|file| file == path))
            .and_then(|fd| fd.file_name()?.to_str()?.parse().ok())
            .unwrap()
    }

    #[test]
    fn any_other_error_of_a_wait_fails_the_checkpoint_and_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let db = database(dir.path());
        let pacer = Pacer::default();
        let failed = pacer.run(|| {
            // No file has such a place.
            let from = -1;
            let pacer = pacer.clone();
            let run = about_to_wait(descriptor_of(&db));
            RUN.replace(Some(Run { pacer, from, ..run }));
            db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        });
        let code = failed.unwrap_err().sqlite_error().unwrap().extended_code;
        assert_eq!(code, ffi::SQLITE_IOERR_WRITE);
        assert!(pacer.has_lost());
        assert!(checkpoint(&db) > 250);
    }

    #[test]
    fn what_is_written_is_counted_until_it_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let db = database(dir.path());
        let pacer = Pacer::default();
        let pages = pacer.run(|| checkpoint(&db));
        assert!(i64::from(pacer.written()) > pages / 2, "{pages}");
        assert!(!pacer.has_lost());
        pacer.clone().forget_written();
        assert_eq!(pacer.written(), 0);
    }

    #[test]
    fn a_connection_may_be_closed_by_the_end_of_its_thread() {
        thread_local! {
            static KEPT: RefCell<Option<Connection>> = const { RefCell::new(None) };
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_owned();
        let thread = std::thread::spawn(move || {
            // First, so that it ends last.
            KEPT.set(None);
            let db = database(&path);
            Pacer::default().run(|| ());
            KEPT.set(Some(db));
        });
        thread.join().unwrap();
        assert!(!dir.path().join("a.db-wal").exists());
    }

    #[test]
    fn another_file_begins_another_run() {
        let mut run = Run::new(&Pacer::default());
        for page in (0..WRITES_IN_FLIGHT - 1).rev() {
            run.add(7, libc::off_t::from(page) * 4096, 4096)
                .ok()
                .unwrap();
        }
        assert_eq!((run.from, run.to, run.writes), (0, 15 * 4096, 15));
        run.add(8, 4096, 100).ok().unwrap();
        assert_eq!((run.file, run.from, run.to, run.writes), (8, 4096, 4196, 1));
    }

    #[test]
    fn the_pace_can_be_changed_from_elsewhere() {
        let pacer = Pacer::default();
        assert_eq!(pacer.pace(), Pace::Brisk);
        pacer.clone().set(Pace::Gentle);
        assert_eq!(pacer.pace(), Pace::Gentle);
    }
}
