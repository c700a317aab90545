//! `billstack migrate`.

use billstack_store::migrate::newest_version;

use super::database;
use super::output::{Failure, say};
use crate::settings::Settings;

pub(super) const EXAMPLES: &str = "\
The server does this by itself when it starts. Run it apart, as the owner of the schema, where the
server's database user may not change it. A schema newer than this program is refused.

Example:
  billstack migrate --database-url postgres://owner@db.example.com/billstack";

/// Brings the schema up to date and says what was done.
pub(super) fn run(settings: &Settings) -> Result<(), Failure> {
    let applied = database::migrate(&database::target(settings)?)?;
    for version in &applied {
        say(format_args!("Applied version {version}."))?;
    }
    let newest = newest_version();
    if applied.is_empty() {
        return say(format_args!(
            "The schema is up to date at version {newest}; there was nothing to do."
        ));
    }
    say(format_args!("The schema is now at version {newest}."))
}
