//! Whether the owner of a database may not have more room on its disk.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// More than what a quota may have left in a block that is there already.
const ROOM: usize = 64 * 1024;

/// Asks by a file beside the database.
///
/// To SQLite a full disk is one thing and every other error of a write another, a used-up quota among them. But that
/// is like a full disk: the write was refused, not lost, and it works again once there is room.
pub(super) fn is_used_up(database: &Path) -> bool {
    let mut name = database.as_os_str().to_owned();
    name.push("-quota");
    let written = fs::write(&name, [0; ROOM]);
    // There may be none.
    let _ = fs::remove_file(&name);
    written.is_err_and(|error| error.kind() == ErrorKind::QuotaExceeded)
}
