//! When what looks after the data last ran, the latest of each kind.

use billstack_core::time::Micros;

use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    /// Of two at once the one that began later is kept, whichever ends first: it saw the later state.
    PUT = "INSERT INTO upkeep (kind, began_at, ended_at, result, version) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (kind) DO UPDATE SET began_at = excluded.began_at, ended_at = excluded.ended_at, \
        result = excluded.result, version = excluded.version WHERE upkeep.began_at <= excluded.began_at";
    GET = "SELECT began_at, ended_at, result, version FROM upkeep WHERE kind = $1";
}

/// What runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Every rule was asked.
    Verify,
    /// A copy was made that is whole.
    Backup,
}

impl Kind {
    /// All there are.
    pub const ALL: &[Kind] = &[Kind::Verify, Kind::Backup];

    /// The word that is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Verify => "verify",
            Kind::Backup => "backup",
        }
    }
}

/// A run that is over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Run {
    /// When it began: what it tells of is no older.
    pub began_at: Micros,
    /// When it was over.
    pub ended_at: Micros,
    /// Of a check the number of rules that are broken, of a backup its bytes.
    pub result: i64,
    /// The version of the program that ran.
    pub version: String,
}

/// Keeps a run, unless one that began later is kept.
pub(crate) fn put(tx: &mut dyn Tx, kind: Kind, run: &Run) -> Result<bool, Fault> {
    let row = params![
        kind.as_str(),
        run.began_at,
        run.ended_at,
        run.result,
        &run.version
    ];
    tx.hit(PUT, row)
}

/// The latest of a kind.
pub(crate) fn get(tx: &mut dyn Tx, kind: Kind) -> Result<Option<Run>, Fault> {
    tx.one(GET, params![kind.as_str()], decode)
}

fn decode(row: &dyn Row) -> Result<Run, Fault> {
    Ok(Run {
        began_at: row.time(0)?,
        ended_at: row.time(1)?,
        result: row.int(2)?,
        version: row.string(3)?,
    })
}
