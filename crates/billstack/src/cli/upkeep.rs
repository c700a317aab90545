//! Notes in the database when a command last looked after it.

use billstack_core::time::Micros;
use billstack_store::store::Store;
use billstack_store::upkeep::{self, Kind, Run};

use super::database;
use super::output::Failure;
use crate::api::teams::status::VERSION;
use crate::clock::Clock;

/// The time at which a run begins.
pub(super) fn begin() -> Micros {
    Micros(Clock::System.now_micros())
}

/// Notes a run that is over. What it found is true whether this can be kept or not: a standby and a user who may only
/// read take no writes.
pub(super) fn note(store: &Store, kind: Kind, began_at: Micros, result: u64) {
    let run = run(began_at, result);
    let noted = database::write(store, kind.as_str(), move |tx, _| {
        Ok(upkeep::note(tx, kind, &run)?)
    });
    if let Err(abort) = noted {
        let why = Failure::from(abort).to_string();
        tracing::warn!(
            why,
            "the result stands, but the database could not note that it was made"
        );
    }
}

/// A run that is over now.
pub(super) fn run(began_at: Micros, result: u64) -> Run {
    Run {
        began_at,
        ended_at: begin(),
        result: i64::try_from(result).unwrap_or(i64::MAX),
        version: VERSION.to_owned(),
    }
}
