//! PostgreSQL whose connections break, whose server ends, and whose disk is full.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use faulty_disk::{Disk, Fault};
use scratch_postgres::{Cluster, Options, Proxy};

use super::{Caller, Place, Trouble, World, load, runtime, sleep, times};
use crate::support::database;

/// A server with a database of this URL.
fn world(url: String) -> World {
    let place = Place(database::directory());
    World::new(place, vec![("DATABASE_URL".to_owned(), url.into())])
}

/// Without a database there are no reads either, and nothing hangs.
async fn assert_away(caller: &Caller) {
    caller.assert_refuses_writes().await;
    let read = caller.get("customers").await;
    assert_eq!(read, Err(Trouble::unavailable()));
}

#[test]
fn a_commit_whose_connection_breaks_is_unknown_and_its_repetition_does_it_once() {
    let cluster = Cluster::shared();
    let proxy = Proxy::to(cluster.port()).expect("a proxy");
    let url = cluster.create_database("cut_commits", None);
    let direct = format!(":{}/", cluster.port());
    let by_way = format!(":{}/", proxy.port());
    let world = world(url.expect("a database").replace(&direct, &by_way));
    let mut server = world.serve();
    let caller = world.caller(&server);
    runtime().block_on(async {
        let code = caller.open().await;
        for _ in 0..times(1, 20) {
            let (mut lives, ()) = load(&caller, &code, async {
                proxy.cut_commits(7);
                sleep(1_000).await;
            })
            .await;
            lives.assert_answered();
            assert!(lives.met(&Trouble::unknown()) > 0);
            proxy.cut_commits(0);
            caller.until_ready().await;
            lives.settle(&caller, &code).await;
            world.verify();
        }
    });
    assert_eq!(server.stop("-TERM"), Some(0));
}

#[test]
fn sessions_that_end_at_any_moment_lose_and_double_nothing() {
    let cluster = Cluster::shared();
    let url = cluster.create_database("ended_sessions", None);
    let world = world(url.expect("a database"));
    let mut server = world.serve();
    let caller = world.caller(&server);
    runtime().block_on(async {
        let code = caller.open().await;
        let (mut lives, ()) = load(&caller, &code, async {
            for round in 0..times(10, 500) as u64 {
                // Another moment of the commits each time.
                sleep(17 + round * 29 % 83).await;
                let ended = cluster.end_sessions("ended_sessions");
                ended.expect("an answer");
            }
        })
        .await;
        lives.assert_answered();
        caller.until_ready().await;
        lives.settle(&caller, &code).await;
    });
    world.verify();
    assert_eq!(server.stop("-TERM"), Some(0));
}

#[test]
fn a_database_server_that_stops_is_found_again() {
    let cluster = Cluster::start(Options::default()).expect("a cluster");
    let url = cluster.create_database("comes_back", None);
    let world = world(url.expect("a database"));
    let mut server = world.serve();
    let caller = world.caller(&server);
    runtime().block_on(async {
        let code = caller.open().await;
        for round in 0..times(2, 20) {
            let (mut lives, ()) = load(&caller, &code, async {
                sleep(400).await;
                let stopped = match round % 2 {
                    0 => cluster.stop(),
                    _ => cluster.stop_immediate(),
                };
                stopped.expect("an end of the server");
                assert_away(&caller).await;
            })
            .await;
            assert_away(&caller).await;
            lives.assert_answered();
            cluster.restart().expect("a server");
            caller.until_ready().await;
            lives.settle(&caller, &code).await;
            world.verify();
        }
    });
    assert_eq!(server.stop("-TERM"), Some(0));
}

/// First tables and indexes cannot grow, which PostgreSQL refuses; then its log cannot be written, and it panics.
#[test]
fn a_full_disk_of_the_database_server_refuses_writes_until_there_is_room() {
    // It runs as another user, for whom this has to be open.
    let within = database::directory();
    set_permissions(within.path(), Permissions::from_mode(0o755)).expect("an open directory");
    let disk = Disk::of(within.path()).expect("a disk");
    let options = Options {
        within: Some(within.path().to_owned()),
        environment: disk.environment(),
        ..Options::default()
    };
    let cluster = Cluster::start(options).expect("a cluster");
    let url = cluster.create_database("full_disk", None);
    let world = world(url.expect("a database"));
    let mut server = world.serve();
    let caller = world.caller(&server);
    runtime().block_on(async {
        let code = caller.open().await;
        let (mut lives, ()) = load(&caller, &code, async {
            sleep(300).await;
            disk.break_down(Fault::Full).expect("a fault");
            caller.until_not_ready().await;
        })
        .await;
        lives.assert_answered();
        assert!(lives.met(&Trouble::unavailable()) > 0);
        assert!(caller.readiness().await.is_err());
        caller.get("customers").await.expect("a read");
        disk.mend().expect("an end of the fault");
        caller.until_ready().await;
        lives.settle(&caller, &code).await;
        world.verify();

        let (mut lives, ()) = load(&caller, &code, async {
            sleep(300).await;
            disk.break_down(Fault::Writes("pg_wal/")).expect("a fault");
            caller.until_not_ready().await;
        })
        .await;
        lives.assert_answered();
        disk.mend().expect("an end of the fault");
        cluster.restart().expect("a server");
        caller.until_ready().await;
        lives.settle(&caller, &code).await;
        world.verify();
    });
    assert_eq!(server.stop("-TERM"), Some(0));
}
