//! `billstack openapi`.

use std::io::Write as _;

use super::output::Failure;
use crate::routes;

pub(super) const EXAMPLES: &str = "\
A running server gives out the same document at /openapi.json, and shows it to people at /docs.

Example:
  billstack openapi > openapi.json";

/// Prints the API document.
pub(super) fn run() -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    out.write_all(routes::document().as_bytes())?;
    out.flush()?;
    Ok(())
}
