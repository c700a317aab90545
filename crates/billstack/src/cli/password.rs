//! Passwords on standard input: on the command line itself others could read them.

use std::io::{self, IsTerminal as _, Read as _};

use super::output::Failure;
use super::terminal;
use crate::password::{PasswordHasher, check_strength};

/// More than any password may have, so that a whole file piped in by mistake is not read.
const LARGEST_INPUT: u64 = 4_096;

/// Reads a password, checks that it may be used, and hashes it.
pub(super) fn read_hashed() -> Result<String, Failure> {
    let password = read()?;
    check_strength(&password).map_err(Failure::refused)?;
    hashed(password)
}

/// Asks at a terminal for a password that may be used, until there is one, and hashes it.
pub(super) fn ask_hashed() -> Result<String, Failure> {
    loop {
        let password = unseen("Password (8 to 256 characters, not shown): ")?;
        if let Err(why) = check_strength(&password) {
            terminal::complain(why);
        } else if unseen("The same again: ")? == password {
            return hashed(password);
        } else {
            terminal::complain("These are two passwords.");
        }
    }
}

fn unseen(prompt: &str) -> Result<String, Failure> {
    rpassword::prompt_password(prompt)
        .map_err(|error| Failure::usage(format_args!("the password cannot be read: {error}")))
}

fn hashed(password: String) -> Result<String, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(Failure::refused)?;
    let hash = runtime.block_on(PasswordHasher::new().hash(password));
    hash.map_err(Failure::refused)
}

/// Reads to the end, or one line on a terminal, without the final line end. What is typed there is not shown.
fn read() -> Result<String, Failure> {
    let stdin = io::stdin();
    let mut text = String::new();
    let read = match stdin.is_terminal() {
        true => {
            text = unseen("Password (not shown): ")?;
            Ok(text.len())
        }
        false => stdin.lock().take(LARGEST_INPUT).read_to_string(&mut text),
    };
    read.map_err(|error| {
        Failure::usage(format!(
            "the password cannot be read from standard input: {error}"
        ))
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(Failure::usage(
            "there is no password on standard input; try: printf %s \"$PASSWORD\" | billstack …",
        ));
    }
    if line.contains(['\n', '\0']) {
        return Err(Failure::usage(
            "the password on standard input must be one line",
        ));
    }
    Ok(line.to_owned())
}
