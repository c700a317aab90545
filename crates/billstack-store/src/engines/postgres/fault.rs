//! What an error of PostgreSQL means.

use std::error::Error as _;

use tokio_postgres::error::{Severity, SqlState};

use crate::seam::Fault;

/// Sorts a PostgreSQL error by what it means for the caller.
pub(super) fn fault(error: &tokio_postgres::Error) -> Fault {
    let Some(database) = error.as_db_error() else {
        let text = error
            .source()
            .map_or_else(|| error.to_string(), |c| format!("{error}: {c}"));
        return if error.is_closed() || error.source().is_some_and(|c| c.is::<std::io::Error>()) {
            Fault::Unavailable(text)
        } else {
            Fault::Defect(text)
        };
    };
    let code = database.code();
    let text = format!("{}: {}", code.code(), database.message());
    // A unique violation means that another transaction was first; a retry sees its row.
    let in_the_way = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
    ];
    if in_the_way.contains(code) {
        return Fault::Conflict(text);
    }
    // Classes of codes (PostgreSQL manual, appendix A): 08 connection, 53 resources, 57 operator
    // intervention, 58 system; 55P03 lock timeout, 25006 read-only (a standby), 28 and 3D log-in, 42501
    // a user who lacks a right.
    let class = &code.code()[..2];
    if ["08", "53", "57", "58", "28", "3D"].contains(&class)
        || ["55P03", "25006", "42501"].contains(&code.code())
    {
        return Fault::Unavailable(text);
    }
    Fault::Defect(text)
}

/// Whether the server closes the connection with this error. The error arrives before the end of the stream, so
/// the connection still looks open.
pub(super) fn ends_connection(error: &tokio_postgres::Error) -> bool {
    let Some(database) = error.as_db_error() else {
        return false;
    };
    let shut_down = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
    ];
    let last = [Severity::Fatal, Severity::Panic];
    shut_down.contains(database.code())
        || database
            .parsed_severity()
            .is_some_and(|severity| last.contains(&severity))
}
