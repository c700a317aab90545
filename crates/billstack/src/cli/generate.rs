//! `billstack generate DIRECTORY`: what a package carries beside the binary.

use std::fs;
use std::path::{Path, PathBuf};

use clap_complete::Shell;

use super::output::Failure;

pub(super) const EXAMPLES: &str = "\
The directory gets what belongs below /usr/share: manual pages, one for each command, and what completes
command lines in bash, zsh and fish.

Example:
  billstack generate /usr/local/share";

const NAME: &str = "billstack";

/// Where shells look for what completes a command, and under which name.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/billstack"),
    (Shell::Zsh, "zsh/site-functions/_billstack"),
    (Shell::Fish, "fish/vendor_completions.d/billstack.fish"),
];

#[derive(clap::Args)]
pub(super) struct GenerateArgs {
    /// The directory, /usr/share or one like it
    #[arg(value_name = "DIRECTORY")]
    directory: PathBuf,
}

/// Writes the manual pages and completions of a parser.
pub(super) fn run(mut command: clap::Command, args: &GenerateArgs) -> Result<(), Failure> {
    let manuals = args.directory.join("man/man1");
    make(&manuals)?;
    let written = clap_mangen::generate_to(command.clone(), &manuals);
    written.map_err(|error| unusable(&manuals, &error))?;
    for (shell, place) in COMPLETIONS {
        // Debian's zsh leaves the usual place below /usr/share to whoever looks after the machine.
        let place = match args.directory.ends_with("usr/share") {
            true => place.replace("site-functions", "vendor-completions"),
            false => place.to_owned(),
        };
        let file = args.directory.join(place);
        make(file.parent().unwrap_or(&args.directory))?;
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut command, NAME, &mut text);
        fs::write(&file, text).map_err(|error| unusable(&file, &error))?;
    }
    Ok(())
}

fn make(directory: &Path) -> Result<(), Failure> {
    fs::create_dir_all(directory).map_err(|error| unusable(directory, &error))
}

fn unusable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::refused(format_args!("cannot write {}: {error}", path.display()))
}
