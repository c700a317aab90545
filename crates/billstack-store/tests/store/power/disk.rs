//! The tests: what a child did, and the images that power cuts leave of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use billstack_store::Tx;
use billstack_store::customers;
use faulty_disk::{Disk, Event, Failure, FailureKind, Files, LOSSES};
use tempfile::TempDir;

use super::{ACKNOWLEDGED, CHILD, STORAGE_FAILED, Work, acknowledged_in, number_in, open, target};
use crate::crash::assert_kept;
use crate::support::{Random, directory, seed, times};

/// A directory on a recorded disk, and the round that comes next.
struct History {
    directory: TempDir,
    disk: Disk,
    round: u64,
    /// How many events there were when each child had ended.
    ends: Vec<usize>,
}

/// Half of the moments are as soon after the end of a child, when the next one finds what it left.
const SOON: u64 = 60;

impl History {
    fn new() -> History {
        let directory = directory();
        let disk = Disk::of(directory.path()).unwrap().recorded();
        History {
            directory,
            disk,
            round: 0,
            ends: Vec::new(),
        }
    }

    /// Lets a child work, and tells how it ended.
    fn run(&mut self, work: Work, failure: Option<Failure>) -> Option<i32> {
        self.disk.fail_next(failure);
        let place = self.directory.path().display();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["power::child", "--exact", "--nocapture"]);
        command.env(CHILD, format!("{place} {} {work:?}", self.round));
        self.disk.watch(&mut command);
        self.round += 1;
        let ended = command.output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        println!("{work:?}: {}\n{said}", ended.status);
        assert!(!said.contains("panicked"), "{said}");
        self.ends.push(self.disk.events().unwrap().len());
        ended.status.code()
    }

    /// Cuts the power at so many moments, and looks at what is left each time.
    fn cut(&self, images: usize) {
        let events = self.disk.events().unwrap();
        let syncs = events.iter().filter(|e| is_sync_of(e, "test.db")).count();
        println!("{} events, {syncs} syncs of the database", events.len());
        let mut random = Random::new(seed());
        let mut moments: Vec<_> = (0..images).map(|_| self.moment(&mut random)).collect();
        // The last moment is always one of them.
        moments.push(events.len());
        moments.sort_unstable();
        let mut moments = moments.into_iter().peekable();
        println!("{images} images");
        let (mut files, mut acknowledged) = (Files::default(), String::new());
        for now in 0..=events.len() {
            while moments.next_if_eq(&now).is_some() {
                check(&files, &acknowledged, now, &mut random);
            }
            match events.get(now) {
                Some(Event::Write { file, data, .. }) if file == ACKNOWLEDGED => {
                    acknowledged += std::str::from_utf8(data).unwrap();
                }
                Some(event) if is_kept(event) => files.take(event),
                _ => {}
            }
        }
    }

    fn moment(&self, random: &mut Random) -> usize {
        let last = *self.ends.last().unwrap();
        match random.pick(&self.ends) {
            Some(end) if random.one_in(2) => last.min(end + random.below(SOON) as usize),
            _ => random.below(last as u64 + 1) as usize,
        }
    }
}

fn is_sync_of(event: &Event, wanted: &str) -> bool {
    matches!(event, Event::Synced { file } if file == wanted)
}

/// The index of the log is made anew after a crash, and locks are gone.
fn is_kept(event: &Event) -> bool {
    let (Event::Write { file, .. }
    | Event::Length { file, .. }
    | Event::Synced { file }
    | Event::NotSynced { file }
    | Event::Removed { file }
    | Event::Renamed { file, .. }) = event;
    file != ACKNOWLEDGED && !file.ends_with("-shm") && !file.ends_with(".lock")
}

/// What a power cut has left, in a directory that stays when the check fails.
struct Image(Option<TempDir>);

impl Image {
    fn path(&self) -> &Path {
        self.0.as_ref().unwrap().path()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept: PathBuf = self.0.take().unwrap().keep();
            eprintln!("what the power cut had left is in {}", kept.display());
        }
    }
}

fn check(files: &Files, acknowledged: &str, moment: usize, random: &mut Random) {
    let image = Image(Some(directory()));
    let loss = *random.pick(&LOSSES).unwrap();
    println!("after event {moment}, loss: {loss:?}");
    let mut below = |bound: usize| random.below(bound as u64) as usize;
    files.leave(image.path(), loss, &mut below).unwrap();
    let store = open(image.path());
    let (place, kept, changes) = acknowledged_in(acknowledged);
    let Some(place) = place else {
        return;
    };
    assert_kept(&store, &place, &kept);
    for (id, number) in changes {
        let (at, of) = (place.clone(), id.clone());
        let read = move |tx: &mut dyn Tx| Ok(customers::get(tx, &at, &of)?);
        let customer = store.scan_blocking(read).unwrap().unwrap();
        let found = number_in(&customer.metadata);
        assert!(found >= number, "{id} has change {found}, not {number}");
    }
    drop(store);
    let file = target(image.path()).sqlite_file().unwrap().to_owned();
    let connection = rusqlite::Connection::open(file).unwrap();
    let sql = "PRAGMA integrity_check";
    let whole: String = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
}

fn failure(kind: FailureKind, suffix: &'static str, number: u64) -> Option<Failure> {
    Some(Failure {
        kind,
        suffix,
        number,
    })
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let mut history = History::new();
    assert_eq!(history.run(Work::Whole, None), Some(0));
    assert_eq!(history.run(Work::Short, None), Some(0));
    history.cut(times(150, 5_000));
}

#[test]
fn a_power_cut_while_the_schema_is_made_leaves_a_file_that_can_be_used() {
    let mut history = History::new();
    // It is made, and nothing happens afterwards.
    let failed = failure(FailureKind::Kill, "-wal", 3);
    assert_eq!(history.run(Work::Interrupted, failed), None);
    history.cut(times(50, 1_000));
}

/// After a failed sync the pages count as written, so what comes after it must not build on them. Early in the log:
/// there nothing older of the same pages would mend them.
#[test]
fn what_a_failed_sync_has_lost_takes_nothing_with_it_that_comes_later() {
    for number in [3, 5, 20, 100] {
        let mut history = History::new();
        assert_eq!(history.run(Work::Short, None), Some(0));
        let failed = failure(FailureKind::Error, "-wal", number);
        let ended = history.run(Work::Interrupted, failed);
        assert_eq!(ended, Some(STORAGE_FAILED));
        assert_eq!(history.run(Work::Short, None), Some(0));
        history.cut(times(25, 750));
    }
}

/// The same with the database, into which the log is copied.
#[test]
fn a_failed_sync_of_the_database_loses_nothing() {
    let mut history = History::new();
    let failed = failure(FailureKind::Error, "test.db", 3);
    let ended = history.run(Work::Interrupted, failed);
    assert_eq!(ended, Some(STORAGE_FAILED));
    assert_eq!(history.run(Work::Short, None), Some(0));
    history.cut(times(50, 1_500));
}

/// A process that ends between a write and its sync leaves what the next one sees, and a power cut takes away.
#[test]
fn nothing_is_acknowledged_again_that_is_not_on_the_disk() {
    for number in [20, 101] {
        let mut history = History::new();
        let killed = failure(FailureKind::Kill, "-wal", number);
        assert_eq!(history.run(Work::Interrupted, killed), None);
        assert_eq!(history.run(Work::Again, None), Some(0));
        history.cut(times(50, 1_000));
    }
}
