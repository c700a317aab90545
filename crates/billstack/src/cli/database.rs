//! The database, for commands that run beside a server or without one.

use std::time::{Duration, Instant};

use billstack_core::time::Micros;
use billstack_store::migrate;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx};
use billstack_store::{Act, Actor, Origin};

use super::output::Failure;
use crate::clock::Clock;
use crate::secrets::random_bytes;
use crate::settings::Settings;

/// How often a database that does not answer is asked again, and how often that is said.
const ASK_EVERY: Duration = Duration::from_secs(1);
const SAY_EVERY: Duration = Duration::from_secs(5);

/// The database that the settings name, waited for as long as they say.
pub(super) fn target(settings: &Settings) -> Result<Target, Failure> {
    let target = target_of(settings.database_url.expose())?;
    wait(settings, &target)?;
    Ok(target)
}

/// Waits until the database answers, or the time for that is over.
pub(super) fn wait(settings: &Settings, target: &Target) -> Result<(), Failure> {
    let whole = Duration::from_secs(settings.wait_for_database.into());
    if whole.is_zero() {
        // Whoever uses the database finds out.
        return Ok(());
    }
    let (begin, mut said) = (Instant::now(), None);
    while let Err(why) = target.reach() {
        let left = whole.saturating_sub(begin.elapsed());
        if left.is_zero() {
            let seconds = whole.as_secs();
            return Err(Failure::refused(format_args!(
                "the database has not answered for {seconds} s: {}",
                sentence(why)
            )));
        }
        if said.is_none_or(|at: Instant| at.elapsed() >= SAY_EVERY) {
            said = Some(Instant::now());
            let seconds_left = left.as_secs_f64().ceil();
            tracing::warn!(
                why = sentence(why),
                seconds_left,
                "waiting for the database"
            );
        }
        std::thread::sleep(ASK_EVERY.min(left));
    }
    Ok(())
}

fn sentence(fault: Fault) -> String {
    match fault {
        Fault::Unavailable(why) => why,
        other => other.to_string(),
    }
}

/// The database that an address names.
pub(super) fn target_of(url: &str) -> Result<Target, Failure> {
    Target::from_url(url).map_err(|fault| {
        // No database has been asked yet, so the message must not say that it is unavailable.
        let why = sentence(fault);
        Failure::usage(format!("--database-url (or DATABASE_URL) is no use: {why}"))
    })
}

/// Refuses an SQLite file that is not there, for commands that only read: a mistyped name must not
/// make an empty database that looks sound.
pub(super) fn must_exist(target: &Target) -> Result<(), Failure> {
    must_exist_as(target, "--database-url or DATABASE_URL")
}

/// The same of one that is named otherwise.
pub(super) fn must_exist_as(target: &Target, named_with: &str) -> Result<(), Failure> {
    match target.sqlite_file() {
        Some(file) if !file.exists() => Err(Failure::refused(format!(
            "there is no database at {}; name it with {named_with}",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// Brings the schema up to date and tells the versions it applied.
pub(super) fn migrate(target: &Target) -> Result<Vec<i64>, Failure> {
    let now = Micros(Clock::System.now_micros());
    Ok(migrate::migrate(target, now)?)
}

/// Opens the database with as little as one command needs; a server may be using it too.
pub(super) fn open(target: &Target) -> Result<Store, Failure> {
    Ok(Store::open(target, &little())?)
}

/// As little as one command needs.
pub(super) fn little() -> Options {
    Options {
        queue_capacity: 4,
        reader_threads: 1,
        write_lanes: 1,
        point_lanes: 1,
        scan_lanes: 1,
        ..Options::default()
    }
}

/// Runs a write in the name of the command line.
pub(super) fn write<T: Send + 'static>(
    store: &Store,
    command: &str,
    op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
) -> Result<T, Abort> {
    let seed = billstack_core::ids::IdSeed::new(Micros(Clock::System.now_micros()), random_bytes());
    let origin = Origin {
        seed,
        actor: Actor::CommandLine,
        request_id: format!("billstack {command}"),
    };
    store.write_blocking(origin, op)
}
