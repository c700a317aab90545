//! Whether the server keeps what it has confirmed.

use crate::params;
use crate::seam::{Fault, Tx};

const SAFETY: &str = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on' \
    ORDER BY name";

/// The settings of the server that let a power cut damage or lose what it has confirmed.
pub(crate) fn unsafe_settings(tx: &mut dyn Tx) -> Result<Vec<String>, Fault> {
    tx.all(SAFETY, params![], |row| row.string(0))
}
