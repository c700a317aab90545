//! SQLite on a disk that is full, or breaks.

use faulty_disk::{Disk, Fault};

use super::{Place, Server, Trouble, World, finish, load, runtime, sleep, times};
use crate::support::database;

/// A server on a disk of its own.
fn world() -> (World, Disk) {
    let place = Place(database::directory());
    let disk = Disk::of(place.0.path()).expect("a disk");
    let world = World::new(place, disk.environment());
    (world, disk)
}

/// The server goes on, and takes writes again as soon as there is room. Each time with a new database: once the log
/// was copied, what fits into the old one needs no room.
fn the_server_waits_for_room(fault: Fault) {
    for _ in 0..times(1, 20) {
        let (world, disk) = world();
        let mut server = world.serve();
        let caller = world.caller(&server);
        runtime().block_on(async {
            let code = caller.open().await;
            let (mut lives, ()) = load(&caller, &code, async {
                sleep(300).await;
                disk.break_down(fault).expect("a fault");
                caller.until_not_ready().await;
                sleep(300).await;
                caller.assert_only_reads().await;
            })
            .await;
            caller.assert_only_reads().await;
            lives.assert_answered();
            assert!(lives.met(&Trouble::unavailable()) > 0);
            disk.mend().expect("an end of the fault");
            caller.until_ready().await;
            lives.settle(&caller, &code).await;
            world.verify();
        });
        assert_eq!(server.stop("-TERM"), Some(0));
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    the_server_waits_for_room(Fault::Full);
}

#[test]
fn a_used_up_quota_is_a_full_disk() {
    the_server_waits_for_room(Fault::OverQuota);
}

/// Memory and disk may differ, so the server ends, and the next one begins with what the disk has.
fn the_server_ends_and_the_next_one_goes_on(fault: Fault) {
    let (world, disk) = world();
    let mut server = world.serve();
    let mut caller = world.caller(&server);
    runtime().block_on(async {
        let code = caller.open().await;
        for _ in 0..times(1, 20) {
            let (mut lives, ()) = load(&caller, &code, async {
                sleep(300).await;
                disk.break_down(fault).expect("a fault");
                sleep(200).await;
            })
            .await;
            assert_ended(&world, &mut server);
            println!("{} lives", lives.0.len());
            assert!(lives.met(&Trouble::Broken) > 0);
            assert_refuses_to_start(&world);
            disk.mend().expect("an end of the fault");
            server = world.serve();
            caller = world.caller(&server);
            caller.until_ready().await;
            lives.settle(&caller, &code).await;
            world.verify();
        }
    });
    assert_eq!(server.stop("-TERM"), Some(0));
}

/// It has ended on purpose, with one sentence about it.
fn assert_ended(world: &World, server: &mut Server) {
    assert_eq!(server.wait().code(), Some(70));
    let log = world.log();
    let sentence = "the storage can no longer be trusted; ending at once";
    assert_eq!(log.matches(sentence).count(), 1, "{log}");
}

/// As long as the disk is broken nobody serves from it, and nothing is left of the attempt.
fn assert_refuses_to_start(world: &World) {
    let again = world.command(&["serve", "--listen", "127.0.0.1:0"]);
    let said = finish(again, "").refused(1);
    assert!(said.contains("cannot be synced"), "{said}");
    assert!(!world.place.file("billstack.db-wal-synced").exists());
}

#[test]
fn a_failed_sync_of_the_log_ends_the_server_and_nothing_is_lost() {
    the_server_ends_and_the_next_one_goes_on(Fault::Syncs("-wal"));
}

#[test]
fn a_failed_write_of_the_log_ends_the_server_and_nothing_is_lost() {
    the_server_ends_and_the_next_one_goes_on(Fault::Writes("-wal"));
}
