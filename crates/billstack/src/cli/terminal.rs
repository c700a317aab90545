//! Questions to somebody at a terminal. Nobody is asked where standard input is none: a script would hang.

use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};

use super::output::Failure;

/// Whether somebody can be asked.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal()
}

/// Asks until the answer can be read. `read` answers what is wrong with it.
pub(super) fn ask<T>(
    prompt: &str,
    read: impl Fn(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    loop {
        let mut err = io::stderr();
        let _ = write!(err, "{prompt}: ");
        let _ = err.flush();
        let mut line = String::new();
        let length = io::stdin().read_line(&mut line);
        if length.map_err(Failure::usage)? == 0 {
            return Err(Failure::usage("the questions were not answered"));
        }
        match read(line.trim()) {
            Ok(answer) => return Ok(answer),
            Err(why) => complain(why),
        }
    }
}

/// Says what is wrong with an answer.
pub(super) fn complain(why: impl Display) {
    let _ = writeln!(io::stderr(), "  {why}");
}
