//! Questions: asked at a terminal, and nowhere else.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::{PASSWORD, PATIENCE, Place};

/// A program at a terminal that `script` makes for it.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    fn start(place: &Place, args: &str) -> Terminal {
        let program = place.command(&[]);
        let line = format!("{} {args}", program.get_program().display());
        let mut command = Command::new("script");
        command.args(["-qec", &line, "/dev/null"]);
        command.current_dir(place.0.path());
        for (name, value) in program.get_envs() {
            assert!(value.is_none(), "it only takes settings away");
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a terminal");
        let mut output = child.stdout.take().expect("a pipe");
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let keyboard = child.stdin.take().expect("a pipe");
        Terminal {
            child,
            keyboard,
            screen,
            shown: String::new(),
        }
    }

    /// Waits for a question and types the answer.
    fn answer(&mut self, question: &str, text: &str) {
        let begin = self.shown.len();
        while !self.shown[begin..].contains(question) {
            let more = self.screen.recv_timeout(PATIENCE);
            let more =
                more.unwrap_or_else(|why| panic!("{why} before {question}:\n{}", self.shown));
            self.shown.push_str(&String::from_utf8_lossy(&more));
        }
        // It stops showing what is typed right after it has asked.
        std::thread::sleep(Duration::from_millis(300));
        writeln!(self.keyboard, "{text}").expect("typed");
    }

    fn end(mut self) -> (Option<i32>, String) {
        while let Ok(more) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&String::from_utf8_lossy(&more));
        }
        (self.child.wait().expect("an end").code(), self.shown)
    }
}

#[test]
fn init_asks_for_what_was_not_given() {
    let place = Place::new();
    let mut at = Terminal::start(&place, "init --project Rockets");
    at.answer("e-mail address: ", "nobody");
    at.answer("e-mail address: ", "ada@example.com");
    at.answer("Name of your team: ", "Acme");
    at.answer("(empty: later): ", "sk_1");
    at.answer("(empty: later): ", "");
    at.answer("not shown): ", "password");
    at.answer("not shown): ", PASSWORD);
    at.answer("again: ", "kelp-Onion-78");
    at.answer("not shown): ", PASSWORD);
    at.answer("again: ", PASSWORD);
    let (code, shown) = at.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("API key  bs_") && shown.contains("easy to guess"),
        "{shown}"
    );
    assert!(shown.contains("it must be an e-mail address"), "{shown}");
    assert!(!shown.contains("Name of its first project"), "{shown}");
    assert!(!shown.contains("kelp"), "{shown}");
    assert!(
        place
            .run(&["members", "list"])
            .ok()
            .contains("ada@example.com")
    );

    let mut at = Terminal::start(&place, "users set-password --email ada@example.com");
    at.answer("not shown): ", "tR4-kelp-Radish");
    at.answer("again: ", "tR4-kelp-Radish");
    let (code, shown) = at.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.contains("is set") && !shown.contains("Radish"),
        "{shown}"
    );
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let place = Place::new();
    let ran = place.run_with(&["init", "--email", "ada@example.com"], "kelp-Onion-77");
    let complaint = ran.refused(2);
    let missing = "--password-stdin, --team, --project must be given";
    assert!(complaint.contains(missing), "{complaint}");
    let set = place.run(&["users", "set-password", "--email", "ada@example.com"]);
    assert!(set.refused(2).contains("--password-stdin must be given"));
    let made = std::fs::read_dir(place.0.path())
        .expect("a listing")
        .count();
    assert_eq!(made, 0, "nothing was made");
}
