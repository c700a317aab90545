//! What the connections of an idle store hold: nothing.

use std::thread;
use std::time::{Duration, Instant};

use billstack_store::Abort;
use billstack_store::params;
use billstack_store::store::Store;
use postgres::{Client, NoTls};

use crate::support::{Db, Engine};

const OPEN: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                    AND state LIKE 'idle in transaction%'";

/// Several reads at once, so that lanes take reads from each other.
fn read_at_once(store: &Store) {
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let read = store.scan_blocking(|tx| {
                    Ok::<_, Abort>(tx.exists("SELECT 1 FROM teams", params![])?)
                });
                assert_eq!(read, Ok(false));
            });
        }
    });
}

#[test]
fn no_read_lane_waits_inside_a_transaction() {
    let db = Db::new(Engine::Postgres);
    let mut client = Client::connect(&db.url, NoTls).unwrap();
    for round in 0..1000 {
        read_at_once(&db.store);
        // The answer is given before COMMIT is sent, and on a busy machine that may come late; a lane that waits inside
        // of a transaction waits for ever.
        let limit = Instant::now() + Duration::from_secs(30);
        while !client.query(OPEN, &[]).unwrap().is_empty() {
            assert!(Instant::now() < limit, "open in round {round}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}
