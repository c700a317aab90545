//! Why a cluster could not do as asked.

use std::error;
use std::fmt;

/// A sentence that says what failed, with the server's own words where it had any.
#[derive(Debug)]
pub struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl error::Error for Error {}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        // The driver's own text is only "db error"; the cause has the server's.
        match error.as_db_error() {
            Some(cause) => Self(format!("PostgreSQL: {cause}")),
            None => Self(format!("PostgreSQL: {error}")),
        }
    }
}
