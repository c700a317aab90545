//! Standard output, standard error, and how a command ends.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::process::ExitCode;

use billstack_store::{Abort, Fault, Refusal, Thing};
use serde::Serialize;

use crate::error::ApiError;
use crate::server::StartError;

/// Why a command did not do what it was asked to.
pub(super) struct Failure {
    code: u8,
    message: Option<String>,
}

impl Failure {
    /// The database, the state or the data says no.
    pub(super) fn refused(why: impl Display) -> Failure {
        Failure {
            code: 1,
            message: Some(why.to_string()),
        }
    }

    /// The call itself is at fault.
    pub(super) fn usage(why: impl Display) -> Failure {
        Failure {
            code: 2,
            message: Some(why.to_string()),
        }
    }

    /// The same, of a command whose code 1 says something else.
    pub(super) fn in_the_way(self) -> Failure {
        Failure { code: 2, ..self }
    }

    /// A signal ended it early, as it should.
    pub(super) fn interrupted() -> Failure {
        Failure {
            code: 0,
            message: None,
        }
    }

    /// Says why on standard error and gives the exit code.
    pub(super) fn report(self) -> ExitCode {
        if let Some(message) = self.message {
            // Where nobody can be told, the exit code still tells.
            let _ = writeln!(io::stderr(), "error: {message}");
        }
        ExitCode::from(self.code)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message.as_deref().unwrap_or_default())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        match fault {
            // It is a sentence of its own: what is in the way, and often what to do.
            Fault::Unavailable(why) => Failure::refused(why),
            other => Failure::refused(other),
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Failure {
        match error {
            StartError::Database(fault) => fault.into(),
            StartError::KeyLost(_) => Failure::refused(error),
            StartError::Key(_) | StartError::Stripe(_) => Failure::usage(error),
        }
    }
}

impl From<Abort> for Failure {
    fn from(abort: Abort) -> Failure {
        match abort {
            Abort::Fault(fault) => fault.into(),
            Abort::Refused(Refusal::NotFound(what)) => Failure::refused(match what {
                Thing::Project => "the team has no such project",
                Thing::ApiKey => "the team has no such API key",
                Thing::Member => "the team has no such member",
                _ => "there is no such thing",
            }),
            Abort::Refused(refusal) => Failure::refused(ApiError::from(refusal)),
        }
    }
}

impl From<io::Error> for Failure {
    /// A reader that went away (`billstack openapi | head`) has seen what it wanted.
    fn from(error: io::Error) -> Failure {
        if error.kind() == ErrorKind::BrokenPipe {
            return Failure {
                code: 0,
                message: None,
            };
        }
        Failure::refused(format!("cannot write the answer: {error}"))
    }
}

/// Writes a line to standard output.
pub(super) fn say(line: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// Writes rows with their columns one below the other.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> Result<(), Failure> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].len()]).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..N).map(width).collect();
    let heads = heads.map(str::to_owned);
    for row in std::iter::once(&heads).chain(rows) {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        say(cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Writes an answer as JSON.
pub(super) fn say_json(answer: &impl Serialize) -> Result<(), Failure> {
    say(serde_json::to_string(answer).map_err(Failure::refused)?)
}

/// How far a command has come, on standard error: one line that changes on a terminal, plain lines
/// elsewhere. Nothing fails because nobody watches.
pub(super) struct Progress {
    on_terminal: bool,
}

impl Progress {
    /// Shows nothing yet.
    pub(super) fn new() -> Progress {
        Progress {
            on_terminal: io::stderr().is_terminal(),
        }
    }

    /// Whether the line changes in place, so that showing more of them costs nothing.
    pub(super) fn in_place(&self) -> bool {
        self.on_terminal
    }

    /// Shows a step.
    pub(super) fn step(&self, text: impl Display) {
        let mut err = io::stderr().lock();
        let _ = if self.on_terminal {
            write!(err, "\r\x1b[2K{text}")
        } else {
            writeln!(err, "{text}")
        };
        let _ = err.flush();
    }

    /// Clears the line, for whatever is printed next.
    pub(super) fn done(&self) {
        if self.on_terminal {
            let mut err = io::stderr().lock();
            let _ = write!(err, "\r\x1b[2K");
            let _ = err.flush();
        }
    }
}
