//! The demo, as somebody sees it who has just heard of the program.

use std::path::Path;
use std::process::Stdio;

use super::{Place, Server};

#[test]
fn the_demo_plays_to_its_end_and_cleans_up() {
    let place = Place::new();
    let temporary = place.file("tmp");
    std::fs::create_dir(&temporary).expect("a directory");
    let mut command = place.command(&["demo", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", &temporary);
    // Whatever the settings say, a demo must not touch data of ours.
    command.env("DATABASE_URL", "sqlite://precious.db");
    command.stderr(Stdio::piped());
    let mut server = Server::start_as_it_is(command);
    let log = server.child.stderr.take().expect("a pipe");
    server.read_until("Ctrl-C ends it");
    let ticks: Vec<_> = server
        .printed
        .lines()
        .filter(|line| line.starts_with('\u{2713}'))
        .collect();
    assert_eq!(ticks.len(), 27, "{}", server.printed);
    assert!(
        ticks
            .iter()
            .all(|line| line.ends_with('.') && line.chars().count() < 100)
    );
    for shown in [
        "What was proved:",
        "rules of `billstack verify` hold",
        "Ada $10.00",
        "API key",
        "120 days of a shop",
    ] {
        assert!(
            server.printed.contains(shown),
            "{shown}:\n{}",
            server.printed
        );
    }
    assert!(!server.printed.contains("curl"), "{}", server.printed);
    assert!(server.printed.len() < 4_000, "{}", server.printed.len());
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    signs_in_once(&server);
    assert_eq!(entries(&temporary), 1);
    assert_eq!(server.stop("-INT"), Some(0));
    assert_eq!(entries(&temporary), 0);
    assert!(!place.file("precious.db").exists());
    // What somebody is to read is not mixed with a log.
    let log = std::io::read_to_string(log).expect("UTF-8");
    assert!(!log.contains("WARN"), "{log}");
}

#[test]
fn the_demo_shows_its_calls_to_whoever_asks() {
    let place = Place::new();
    let mut server = Server::start(place.command(&[
        "demo",
        "--verbose",
        "--days",
        "0",
        "--listen",
        "127.0.0.1:0",
    ]));
    server.read_until("Ctrl-C ends it");
    assert_eq!(server.printed.matches("\n    curl ").count(), 27);
    assert!(server.printed.contains("\"status\": \"converted\""));
    assert_eq!(server.stop("-TERM"), Some(0));
}

/// A look does not use the link up, and a second use leads to the password.
fn signs_in_once(server: &Server) {
    let begin = server.printed.find("/sign-in/").expect("a link");
    let link = server.printed[begin..].lines().next().expect("a line");
    let link = link.trim().to_owned();
    let looked = server.get_with(&link, "Sec-Purpose: prefetch\r\n");
    assert!(looked.contains("location: /sign-in\r\n"), "{looked}");
    let entered = server.get_with(&link, BROWSER);
    assert!(entered.contains("location: /t/team_"), "{entered}");
    assert!(
        entered.contains("set-cookie: billstack_session="),
        "{entered}"
    );
    let again = server.get_with(&link, BROWSER);
    assert!(again.contains("location: /sign-in\r\n"), "{again}");
    assert!(!again.contains("set-cookie"), "{again}");
}

const BROWSER: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0\r\n";

fn entries(directory: &Path) -> usize {
    std::fs::read_dir(directory).expect("a directory").count()
}
