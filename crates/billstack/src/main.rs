//! The `billstack` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    billstack::cli::main()
}
