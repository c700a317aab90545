//! Connections that PostgreSQL ends while nobody uses them, as it does when it is restarted.

use std::time::Duration;

use billstack_store::Refusal;
use billstack_store::options::Options;
use billstack_store::{Abort, Tx};
use postgres::{Client, NoTls};

use crate::support::{Db, Engine, make_team, origin, wait_for};

/// A database whose server has one connection of each kind.
fn database() -> Db {
    let options = Options {
        write_lanes: 1,
        point_lanes: 1,
        scan_lanes: 1,
        ..Options::default()
    };
    Db::with(Engine::Postgres, &options)
}

/// A statement that no connection has prepared; each number is another one.
fn number(tx: &mut dyn Tx, number: i64) -> Result<i64, Abort> {
    let found = tx.one(&format!("SELECT {number}::BIGINT"), &[], |row| row.int(0));
    Ok(found?.unwrap_or(0))
}

fn scan(db: &Db, wanted: i64) -> Result<i64, Abort> {
    db.store.scan_blocking(move |tx| number(tx, wanted))
}

fn look_up(db: &Db, wanted: i64) -> Result<i64, Abort> {
    wait_for(db.store.point(move |tx| number(tx, wanted)))
}

fn make(db: &Db, team: i64) -> Result<i64, Abort> {
    db.store.write_blocking(origin(), move |tx, _| {
        make_team(tx, &format!("team_{team}"))?;
        number(tx, team)
    })
}

fn refused(db: &Db, team: i64) -> Result<i64, Abort> {
    db.store.write_blocking(origin(), move |tx, _| {
        number(tx, team)?;
        Err(Refusal::LastOwner.into())
    })
}

/// Ends every connection to the database, and waits until the server has let go of them.
fn end_connections(db: &Db) {
    let mut client = Client::connect(&db.url, NoTls).unwrap();
    let others = "FROM pg_stat_activity WHERE datname = current_database() \
                  AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    let end = format!("SELECT pg_terminate_backend(pid) {others}");
    assert!(!client.query(&end, &[]).unwrap().is_empty());
    let left = format!("SELECT pid {others}");
    while !client.query(&left, &[]).unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_connection_that_was_ended_meanwhile_is_made_anew() {
    let db = database();
    for round in (0..40).step_by(10) {
        assert_eq!(scan(&db, round), Ok(round));
        assert_eq!(look_up(&db, round), Ok(round));
        assert_eq!(make(&db, round), Ok(round));
        end_connections(&db);
        assert_eq!(scan(&db, round + 1), Ok(round + 1));
        assert_eq!(look_up(&db, round + 1), Ok(round + 1));
        assert_eq!(make(&db, round + 1), Ok(round + 1));
        end_connections(&db);
        let wanted = Err(Abort::Refused(Refusal::LastOwner));
        assert_eq!(refused(&db, round + 2), wanted);
    }
    db.assert_sound();
}

#[test]
fn what_was_under_way_when_a_connection_ended_is_run_again() {
    let db = database();
    let (mut reads, mut writes) = (0, 0);
    let url = db.url.clone();
    let end = move || {
        let mut client = Client::connect(&url, NoTls).unwrap();
        let sql = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.batch_execute(sql).unwrap();
    };
    let end_once = end.clone();
    let read = db.store.scan_blocking(move |tx| {
        reads += 1;
        let first = number(tx, 1)?;
        if reads == 1 {
            end_once();
        }
        Ok((reads, first + number(tx, 2)?))
    });
    assert_eq!(read, Ok((2, 3)));
    let written = db.store.write_blocking(origin(), move |tx, _| {
        writes += 1;
        make_team(tx, "team_1")?;
        if writes == 1 {
            end();
        }
        Ok((writes, number(tx, 3)?))
    });
    assert_eq!(written, Ok((2, 3)));
    let teams = "SELECT COUNT(*) FROM teams";
    let teams = db.store.scan_blocking(move |tx| {
        let found = tx.one(teams, &[], |row| row.int(0))?;
        Ok(found)
    });
    assert_eq!(teams, Ok(Some(1)));
}
