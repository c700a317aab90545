//! `billstack backup FILE`.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use billstack_core::time::Micros;
use billstack_store::Fault;
use billstack_store::backup::backup;
use billstack_store::store::{Store, Target};
use billstack_store::upkeep::Kind;

use super::output::{Failure, Progress, say};
use super::{database, upkeep};
use crate::bytes::size;
use crate::settings::Settings;

pub(super) const EXAMPLES: &str = "\
The copy is one state between two commits, is checked from end to end with every rule of `billstack
verify`, and is on disk when the command returns. Until then it is called FILE.partial. An existing file
is never overwritten.
To restore, stop the server and put the copy in the place of the database, without the -wal and -shm
files of the old one. PostgreSQL has its own tool for this; the command tells how. When the copy was made is noted in the database.

Example:
  billstack backup \"/backups/billstack-$(date +%F).db\"";

/// How often the size is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// Glances between two lines where each line stays.
const GLANCES_PER_LINE: u32 = 25;

#[derive(clap::Args)]
pub(super) struct BackupArgs {
    /// The new file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Copies the database and shows how far it has come.
pub(super) fn run(settings: &Settings, args: &BackupArgs) -> Result<(), Failure> {
    let target = database::target(settings)?;
    database::must_exist(&target)?;
    let began_at = upkeep::begin();
    let bytes = copy(&target, &args.file)?;
    let file = args.file.display();
    say(format_args!(
        "{file}: {}, checked and on disk.",
        size(bytes)
    ))?;
    if settings.secret_key.is_none()
        && let Some(original) = target.sqlite_file()
    {
        say(format_args!(
            "The key to the Stripe secrets in it is not part of it: keep {}.key too, in another place.",
            original.display()
        ))?;
    }
    note(&target, began_at, bytes);
    Ok(())
}

/// Notes the copy, and that every rule held in it, in the database that it was made of.
fn note(target: &Target, began_at: Micros, bytes: u64) {
    match Store::open(target, &database::little()) {
        Ok(store) => {
            upkeep::note(&store, Kind::Verify, began_at, 0);
            upkeep::note(&store, Kind::Backup, began_at, bytes);
        }
        Err(why) => {
            tracing::warn!(%why, "the copy is whole, but the database could not note that it was made")
        }
    }
}

fn copy(target: &Target, to: &Path) -> Result<u64, Fault> {
    let progress = Progress::new();
    let whole = target.sqlite_file().map_or(0, length);
    let (done, answer) = channel();
    let growing = Arc::new(OnceLock::new());
    let (target, file, name) = (target.clone(), to.to_owned(), Arc::clone(&growing));
    let worker = std::thread::spawn(move || {
        let copied = backup(&target, &file, |growing| {
            // There is one copy, and so one name.
            let _ = name.set(growing.to_owned());
        });
        // Whoever waited is still there: nothing else ends the wait.
        let _ = done.send(copied);
    });
    let mut glances = 0;
    let result = loop {
        match answer.recv_timeout(GLANCE) {
            Ok(result) => break result,
            Err(RecvTimeoutError::Disconnected) => {
                break Err(Fault::Panicked("the copy stopped half-way".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => glances += 1,
        }
        if progress.in_place() || glances % GLANCES_PER_LINE == 1 {
            // It ends a little smaller than the original, because free pages are left behind.
            let copied = growing.get().map_or(0, |file: &PathBuf| length(file));
            let whole = size(whole);
            progress.step(format_args!("copied {} of at most {whole}", size(copied)));
        }
    };
    let _ = worker.join();
    progress.done();
    result
}

fn length(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}
