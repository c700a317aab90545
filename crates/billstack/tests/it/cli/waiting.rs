//! A database that is not there yet, or may not be used.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Place, Server, finish};

#[test]
fn a_command_waits_for_a_database_and_gives_up_in_time() {
    let place = Place::new();
    let url = "postgres://ada:hidden@127.0.0.1:1/books";
    let serve: &[&str] = &["serve", "--listen", "127.0.0.1:0"];
    for command in [serve, &["migrate"], &["verify"]] {
        let mut command = place.command(&[command, &["--wait-for-database", "2"]].concat());
        command
            .env("DATABASE_URL", url)
            .env("BILLSTACK_SECRET_KEY", "ab".repeat(32));
        let begin = Instant::now();
        let ran = finish(command, "");
        let complaint = ran.refused(1);
        assert!(begin.elapsed() >= Duration::from_secs(2));
        assert!(
            complaint.contains("has not answered for 2 s"),
            "{complaint}"
        );
        let named = "PostgreSQL at 127.0.0.1:1, database books, user ada";
        assert!(complaint.contains(named), "{complaint}");
        assert!(
            ran.err().contains("waiting for the database"),
            "{}",
            ran.err()
        );
        assert!(!ran.err().contains("hidden"), "{}", ran.err());
    }
    let odd = place
        .run(&["migrate", "--wait-for-database", "soon"])
        .refused(2);
    assert!(odd.contains("BILLSTACK_WAIT_FOR_DATABASE"), "{odd}");
}

#[test]
fn a_server_starts_once_its_database_is_there() {
    let place = Place::new();
    let data = place.file("data");
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--wait-for-database"]);
    command.env(
        "DATABASE_URL",
        format!("sqlite://{}/billstack.db", data.display()),
    );
    command.stderr(Stdio::null());
    let mut server = Server::launch(command);
    std::thread::sleep(Duration::from_millis(500));
    assert!(
        server.child.try_wait().expect("a child").is_none(),
        "it waits"
    );
    std::fs::create_dir(&data).expect("a directory");
    server.read_until("http://");
    assert_eq!(server.stop("-TERM"), Some(0));

    // A signal ends the wait.
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--wait-for-database"]);
    command
        .env("DATABASE_URL", "sqlite://none/billstack.db")
        .stderr(Stdio::null());
    let mut waiting = Server::launch(command);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(waiting.stop("-TERM"), Some(0));
}

#[test]
fn a_file_that_may_not_be_used_is_named_with_its_owner() {
    let place = Place::new();
    let directory = place.file("locked");
    std::fs::create_dir(&directory).expect("a directory");
    std::fs::create_dir(directory.join("billstack.db")).expect("something in the way");
    let locked = std::fs::Permissions::from_mode(0o555);
    std::fs::set_permissions(&directory, locked).expect("a mode");
    let url = format!("sqlite://{}/billstack.db", directory.display());
    let complaint = place.run(&["migrate", "--database-url", &url]).refused(1);
    for wanted in [
        "locked/billstack.db",
        "belongs to user",
        "mode 555",
        "this process runs as user",
    ] {
        assert!(complaint.contains(wanted), "{wanted}: {complaint}");
    }
}
