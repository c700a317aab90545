//! Whatever a server, a database, a role or an address says is usual: a session keeps our promises, or is refused.

use billstack_store::options::Options;
use billstack_store::params;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault};
use postgres::{Client, NoTls};

use crate::support::{origin, postgres_database};

/// An address of a database that is set as the text says.
fn database_with(setting: &str) -> String {
    let url = postgres_database(Some("migrated"));
    let mut client = Client::connect(&url, NoTls).unwrap();
    let name = url.rsplit('/').next().unwrap();
    let change = format!("ALTER DATABASE {name} SET {setting}");
    client.batch_execute(&change).unwrap();
    url
}

fn open(url: &str) -> Result<Store, Fault> {
    Store::open(&Target::from_url(url).unwrap(), &Options::default())
}

/// What a writer and a reader work with.
fn in_use(store: &Store, name: &'static str) -> [String; 2] {
    let ask = move |tx: &mut dyn billstack_store::Tx| {
        let found = tx.one("SELECT current_setting($1)", params![name], |row| {
            row.string(0)
        })?;
        Ok::<_, Abort>(found.unwrap_or_default())
    };
    let written = store.write_blocking(origin(), move |tx, _| ask(tx));
    [written.unwrap(), store.scan_blocking(ask).unwrap()]
}

#[test]
fn a_commit_waits_for_the_disk_whatever_is_usual() {
    for weak in ["off", "local", "remote_write"] {
        let url = database_with(&format!("synchronous_commit = '{weak}'"));
        assert_eq!(
            in_use(&open(&url).unwrap(), "synchronous_commit"),
            ["on", "on"]
        );
        let by_address = format!("{url}?options=-c%20synchronous_commit%3D{weak}");
        let store = open(&by_address).unwrap();
        assert_eq!(in_use(&store, "synchronous_commit"), ["on", "on"]);
    }
    let url = database_with("synchronous_commit = 'remote_apply'");
    let stronger = ["remote_apply", "remote_apply"];
    assert_eq!(in_use(&open(&url).unwrap(), "synchronous_commit"), stronger);
}

#[test]
fn texts_mean_the_same_whatever_is_usual() {
    let url = database_with("standard_conforming_strings = off");
    let store = open(&url).unwrap();
    assert_eq!(in_use(&store, "standard_conforming_strings"), ["on", "on"]);
    let url = database_with("client_encoding = 'LATIN1'");
    let store = open(&format!("{url}?options=-c%20client_encoding%3DLATIN1")).unwrap();
    assert_eq!(in_use(&store, "client_encoding"), ["UTF8", "UTF8"]);
}

fn refusal(opened: Result<Store, Fault>) -> String {
    match opened {
        Ok(_) => panic!("it was opened"),
        Err(why) => why.to_string(),
    }
}

#[test]
fn what_only_the_operator_can_mend_is_named() {
    let url = database_with("session_replication_role = 'replica'");
    let why = refusal(open(&url));
    assert!(why.contains("session_replication_role is replica"), "{why}");
    let url = postgres_database(Some("migrated"));
    let by_address = format!("{url}?options=-c%20session_replication_role%3Dreplica");
    let why = refusal(open(&by_address));
    assert!(why.contains("session_replication_role is replica"), "{why}");
}

#[test]
fn a_database_that_cannot_hold_every_name_is_refused() {
    let url = postgres_database(None);
    let name = url.rsplit('/').next().unwrap().to_owned();
    let mut client = Client::connect(&url, NoTls).unwrap();
    let narrow = format!("{name}_narrow");
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let make =
            format!("CREATE DATABASE {narrow} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0");
        client.batch_execute(&make).unwrap();
        let why = refusal(open(&url.replace(&name, &narrow)));
        assert!(
            why.contains(encoding) && why.contains("--encoding UTF8"),
            "{why}"
        );
        let drop = format!("DROP DATABASE {narrow} WITH (FORCE)");
        client.batch_execute(&drop).unwrap();
    }
}
