//! The shell that owns a cluster's server and directory, and outlives the test process.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::{Error, Options};

/// The shell's program; what it promises is written there.
const SCRIPT: &str = include_str!("watcher.sh");

/// Our end of the pipes to one watcher.
///
/// Dropping it closes the pipe, which is the order to kill the server and remove the directory,
/// and waits until both are done. When the process dies instead, the kernel closes the pipe.
#[derive(Debug)]
pub(crate) struct Watcher {
    shell: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Watcher {
    /// Starts the shell for `dir`, as `user` when one is given.
    pub(crate) fn spawn(
        dir: &Path,
        bin: &Path,
        user: Option<(u32, u32)>,
        options: &Options,
    ) -> Result<Self, Error> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "scratch-postgres"]);
        command.arg(dir).arg(bin);
        command.args(options.server_arguments());
        command.current_dir(dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // Inherited, it would keep a pipe such as `cargo test | tee` open after the tests.
        command.stderr(Stdio::null());
        // Ctrl-C goes to the whole group of the tests; the watcher must live on to clean up.
        command.process_group(0);
        // The caller's settings must not leak into the throw-away server.
        for name in ["PGDATA", "PGPORT", "PGOPTIONS", "PGTZ"] {
            command.env_remove(name);
        }
        command.envs(options.environment.iter().cloned());
        if let Some((uid, gid)) = user {
            command.uid(uid).gid(gid);
        }
        let mut shell = command
            .spawn()
            .map_err(|error| Error::new(format!("cannot start /bin/sh: {error}")))?;
        let (Some(commands), Some(answers)) = (shell.stdin.take(), shell.stdout.take()) else {
            return Err(Error::new("the watcher has no pipes"));
        };
        Ok(Self {
            shell,
            commands: Some(commands),
            answers: BufReader::new(answers),
        })
    }

    /// Sends one command and waits for its answer; `true` means that it was `ok`.
    pub(crate) fn ask(&mut self, command: &str) -> Result<bool, Error> {
        let lost = |error: std::io::Error| Error::new(format!("the watcher is gone: {error}"));
        let Some(commands) = &mut self.commands else {
            return Err(Error::new("the watcher is already dismissed"));
        };
        commands
            .write_all(format!("{command}\n").as_bytes())
            .map_err(lost)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(lost)?;
        match answer.trim() {
            "" => Err(Error::new("the watcher is gone")),
            answer => Ok(answer == "ok"),
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        drop(self.commands.take());
        // A shell that cannot be waited for is gone already, which is all that is wanted.
        let _gone = self.shell.wait();
    }
}
