//! What a server keeps to, whatever it is started with.

use std::fs::{File, read_to_string};
use std::net::TcpStream;
use std::process::Command;

use billstack_core::access::{api_key_hash, format_api_key};

use super::{INIT, PASSWORD, Place, Server, finish};

#[test]
fn more_connections_than_files_were_allowed_harm_nobody() {
    let place = Place::new();
    place.init().ok();
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_billstack");
    let line = format!("ulimit -Sn 64 && exec {program} serve --listen 127.0.0.1:0");
    command.args(["-c", &line]).current_dir(place.0.path());
    let mut server = Server::start(command);
    let idle: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(&server.address).expect("a connection"))
        .collect();
    assert!(server.get("/readyz").starts_with("HTTP/1.1 200"));
    drop(idle);
    assert_eq!(server.stop("-TERM"), Some(0));
}

#[test]
fn no_level_of_the_log_tells_what_the_database_is_asked_with() {
    let place = Place::new();
    let url = scratch_postgres::Cluster::shared().create_database("quiet", None);
    let url = url.expect("a database");
    let command = |args: &[&str]| {
        let mut command = place.command(args);
        command.env("DATABASE_URL", &url);
        command.env("BILLSTACK_SECRET_KEY", "ab".repeat(32));
        command
    };
    finish(command(&INIT), PASSWORD).ok();
    let mut serve = command(&["serve", "--listen", "127.0.0.1:0"]);
    serve.env("BILLSTACK_LOG", "trace,tokio_postgres=trace");
    serve.stderr(File::create(place.file("log")).expect("a file"));
    let mut server = Server::start_as_it_is(serve);
    let key = format_api_key([7; 20]);
    let path = "/api/billstack/teams/team_1/projects/proj_1/customers";
    let answer = server.get_with(path, &format!("Authorization: Bearer {key}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(server.stop("-TERM"), Some(0));
    let log = read_to_string(place.file("log")).expect("UTF-8");
    assert!(log.contains("answered"), "{log}");
    assert!(!log.contains(&api_key_hash(&key)), "{log}");
}

#[test]
fn others_cannot_take_the_lock_of_a_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let server = place.serve();
    let lock = place.file("billstack.db.lock").metadata().expect("a file");
    assert_eq!(lock.permissions().mode() & 0o777, 0o600);
    drop(server);
}

#[test]
fn the_webhook_secret_need_not_be_a_flag() {
    let place = Place::new();
    let is_of_secret = |arg: &str| ["--webhook-secret", "whsec_1"].contains(&arg);
    let args: Vec<&str> = INIT.into_iter().filter(|arg| !is_of_secret(arg)).collect();
    let mut command = place.command(&args);
    command.env("BILLSTACK_WEBHOOK_SECRET", "whsec_of_the_variable");
    let answer = finish(command, PASSWORD).ok();
    assert!(answer.contains("whsec_of_the_variable"), "{answer}");
}
