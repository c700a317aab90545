//! The `billstack` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A request makes some two hundred small allocations; see `bench/README.md` for what this gains.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    billstack::cli::main()
}
