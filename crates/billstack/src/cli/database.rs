//! The database, for commands that run beside a server or without one.

use billstack_core::time::Micros;
use billstack_store::migrate;
use billstack_store::options::{Options, Reads};
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx};
use billstack_store::{Act, Actor, Origin};

use super::output::Failure;
use crate::clock::Clock;
use crate::secrets::random_bytes;
use crate::settings::Settings;

/// The database that the settings name.
pub(super) fn target(settings: &Settings) -> Result<Target, Failure> {
    target_of(settings.database_url.expose())
}

/// The database that an address names.
pub(super) fn target_of(url: &str) -> Result<Target, Failure> {
    Target::from_url(url).map_err(|fault| {
        let why = match fault {
            // No database has been asked yet, so the message must not say that it is unavailable.
            Fault::Unavailable(why) => why,
            other => other.to_string(),
        };
        Failure::usage(format!("--database-url (or DATABASE_URL) is no use: {why}"))
    })
}

/// Refuses an SQLite file that is not there, for commands that only read: a mistyped name must not
/// make an empty database that looks sound.
pub(super) fn must_exist(target: &Target) -> Result<(), Failure> {
    match target.sqlite_file() {
        Some(file) if !file.exists() => Err(Failure::refused(format!(
            "there is no database at {}; name it with --database-url or DATABASE_URL",
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
    let options = Options {
        queue_capacity: 4,
        reader_threads: 1,
        write_lanes: 1,
        point_lanes: 1,
        scan_lanes: 1,
        reads: Reads::WholeTables,
        ..Options::default()
    };
    Ok(Store::open(target, &options)?)
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
