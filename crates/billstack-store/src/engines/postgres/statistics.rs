//! Keeps the planner's statistics near the rows.
//!
//! PostgreSQL looks at a table by itself about a minute after it has grown. Until then it plans for the table as it
//! was: a fresh or restored database, or one that grows fast, gets look-ups that read a whole project.

use crate::params;
use crate::seam::{Fault, Tx};

/// Tables of which as many rows have changed as were known, and more than a handful. `ANALYZE` leaves out tables that
/// the user may not analyse, so they are left out here too: the owner's servers or PostgreSQL itself see to them.
const GROWN: &str = "SELECT CAST(c.relname AS TEXT) FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid \
    WHERE c.relnamespace = CAST(CAST(current_schema() AS TEXT) AS regnamespace) \
    AND pg_has_role(c.relowner, 'USAGE') \
    AND s.n_mod_since_analyze > 100 + GREATEST(c.reltuples, 0) \
    ORDER BY s.n_mod_since_analyze DESC LIMIT 1";

/// Analyses the table that has grown most, if one has doubled since PostgreSQL looked at it, and tells which. One at a
/// time: it may take some tenths of a second, for which other writes of its batch wait.
pub(crate) fn refresh(tx: &mut dyn Tx) -> Result<Option<String>, Fault> {
    let grown = tx.one(GROWN, params![], |row| row.string(0))?;
    if let Some(table) = &grown {
        // The schema may hold tables that are not ours, whatever their names are.
        let quoted = table.replace('"', "\"\"");
        tx.execute(&format!("ANALYZE \"{quoted}\""), params![])?;
    }
    Ok(grown)
}
