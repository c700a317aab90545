//! Hosts that are there but say nothing: one whose server hangs, or whose machine was cut off.

use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use billstack_store::migrate::migrate;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx};
use scratch_postgres::{Cluster, Proxy};

use crate::support::{START, make_team, origin, postgres_database, wait_for};

/// Far longer than any of it may take, and less than for ever.
const PATIENCE: Duration = Duration::from_secs(100);

/// Does the work on a thread of its own, so that a test of something that might hang can fail.
#[track_caller]
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, wait) = channel();
    thread::spawn(move || {
        let _ = done.send(work());
    });
    wait.recv_timeout(PATIENCE).expect("an end")
}

/// The address of a database by way of another port first, and then that of its server.
fn by_way_of(port: u16, database: &str) -> String {
    let server = Cluster::shared().port();
    let both = format!("127.0.0.1:{port},127.0.0.1:{server}");
    let url = database.replace(&format!("127.0.0.1:{server}"), &both);
    format!("{url}?connect_timeout=1")
}

fn team_and_number(tx: &mut dyn Tx, team: &str) -> Result<i64, Abort> {
    make_team(tx, team)?;
    number(tx)
}

fn number(tx: &mut dyn Tx) -> Result<i64, Abort> {
    let sql = "SELECT 7::BIGINT";
    Ok(tx.one(sql, &[], |row| row.int(0))?.unwrap_or(0))
}

#[test]
fn a_host_that_takes_connections_and_never_speaks_is_passed_over() {
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let target = Target::from_url(&by_way_of(port, &postgres_database(None))).unwrap();
    let migrated = in_time(move || migrate(&target, START));
    assert_eq!(migrated, Ok(vec![1]));
    drop(mute);
}

#[test]
fn a_server_that_falls_silent_is_given_up_for_the_next() {
    let database = postgres_database(Some("migrated"));
    let proxy = Proxy::to(Cluster::shared().port()).unwrap();
    let target = Target::from_url(&by_way_of(proxy.port(), &database)).unwrap();
    let options = Options {
        scan_lanes: 1,
        point_lanes: 1,
        ..Options::default()
    };
    in_time(move || {
        let store = Store::open(&target, &options).unwrap();
        assert_eq!(store.scan_blocking(|tx| number(tx)), Ok(7));
        assert_eq!(look_up(&store), Ok(7));
        // Whatever was sent before is answered; what is lost is the answer to COMMIT, or COMMIT itself.
        let committed = thread::scope(|scope| {
            let store = &store;
            let (fell, silent) = channel();
            let readers = scope.spawn(move || {
                silent.recv().unwrap();
                let scanned = scope.spawn(|| store.scan_blocking(|tx| number(tx)));
                assert_eq!(look_up(store), Ok(7));
                assert_eq!(scanned.join().unwrap(), Ok(7));
            });
            let committed = store.write_blocking(origin(), move |tx, _| {
                let found = team_and_number(tx, "team_1")?;
                proxy.fall_silent();
                fell.send(()).unwrap();
                Ok(found)
            });
            readers.join().unwrap();
            committed
        });
        let unknown = matches!(committed, Err(Abort::Fault(Fault::Unknown(_))));
        assert!(unknown, "{committed:?}");
        let written = store.write_blocking(origin(), |tx, _| team_and_number(tx, "team_2"));
        assert_eq!(written, Ok(7));
    });
}

fn look_up(store: &Store) -> Result<i64, Abort> {
    wait_for(store.point(|tx| number(tx)))
}
