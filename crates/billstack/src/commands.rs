//! The commands that pages, answers and `doctor` send the operator to: each works as it stands here, run on the machine by
//! the server's user with the server's settings.

use std::path::Path;

/// Asks every rule of the books.
pub const VERIFY: &str = "billstack verify";

/// Makes a copy of an SQLite database, in a file of its own each time.
pub const BACKUP: &str = "billstack backup \"billstack-$(date +%Y%m%d-%H%M%S).db\"";

/// The same, into a folder.
pub fn backup_into(folder: &Path) -> String {
    match folder.to_str() {
        Some("") | None => BACKUP.to_owned(),
        Some(folder) => BACKUP.replace("\"billstack-", &format!("\"{folder}/billstack-")),
    }
}

/// Makes a copy of a PostgreSQL database, by its own tool.
pub const DUMP: &str =
    "pg_dump --format=custom --file=\"billstack-$(date +%Y%m%d-%H%M%S).dump\" \"$DATABASE_URL\"";
