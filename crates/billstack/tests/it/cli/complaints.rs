//! What the program says when it is started in a place or with an address that is no use.

use super::{Place, Server};

#[test]
fn a_directory_that_is_not_there_is_named() {
    let place = Place::new();
    let url = ["--database-url", "sqlite://none/billstack.db"];
    let init = [
        "--email",
        "a@example.com",
        "--password-stdin",
        "--team",
        "A",
    ];
    let init = [&["init"][..], &init, &["--project", "B"]].concat();
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["migrate"],
        &init,
    ] {
        let ran = place.run_with(&[command, &url].concat(), "kelp-Onion-77");
        let complaint = ran.refused(1);
        let wanted = "error: there is no directory none for the database; make it first";
        assert_eq!(complaint, wanted, "{command:?}");
    }
}

#[test]
fn a_file_of_another_program_gets_no_key_beside_it() {
    let place = Place::new();
    std::fs::write(place.file("notes.db"), "a file that is no database at all").expect("a file");
    let url = ["--database-url", "sqlite://notes.db"];
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"]] {
        let complaint = place.run(&[command, &url].concat()).refused(1);
        assert!(complaint.contains("not a database"), "{complaint}");
    }
    let left = std::fs::read_dir(place.0.path())
        .expect("a listing")
        .count();
    assert_eq!(left, 1);
}

#[test]
fn an_address_of_postgresql_that_cannot_be_read_is_not_called_unavailable() {
    let place = Place::new();
    let url = "postgres://billstack:hidden@localhost/x?colour=blue";
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["verify"]] {
        let ran = place.run(&[command, &["--database-url", url]].concat());
        let complaint = ran.refused(2);
        assert!(complaint.contains("DATABASE_URL"), "{complaint}");
        assert!(complaint.contains("`colour`"), "{complaint}");
        assert!(!complaint.contains("unavailable"), "{complaint}");
        assert!(!complaint.contains("hidden"), "{complaint}");
    }
}

#[test]
fn who_reads_the_metrics_is_told_which_token_they_need() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("BILLSTACK_METRICS_TOKEN", "0123456789abcdef");
    let server = Server::start(command);
    let answer = server.get("/metrics");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("BILLSTACK_METRICS_TOKEN"), "{answer}");
    assert!(!answer.contains("sign in"), "{answer}");
}
