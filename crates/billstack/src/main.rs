//! The `billstack` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Allocating and freeing was a quarter of the instructions of a read with the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    billstack::cli::main()
}
