//! What is left of an erased person in the file of a SQLite database: nothing, once it is closed.

use std::fs;

use billstack_core::time::DAY;
use billstack_store::Place;
use billstack_store::customers::{self, NewCustomer};
use billstack_store::erase::erase;
use billstack_store::idempotency::{self, Answer, Keyed};
use billstack_store::intake::Incoming;
use billstack_store::retention;
use billstack_store::store::Store;

use crate::support::{
    Db, Engine, START, deliver, incoming, make_project, make_team, new_customer, start, write,
};

/// In everything personal of those who are erased; lower case, as an address is kept.
const MARK: &str = "marked-for-oblivion";

/// Enough customers that the pages of their tables and indexes are split many times.
const CUSTOMERS: u32 = 400;

/// Whether a customer is one of those to be erased.
fn is_marked(number: u32) -> bool {
    number % 8 == 3
}

/// A text of about so many bytes that nobody else's equals; with the mark all over it, or without.
fn text(number: u32, length: usize) -> String {
    let word = if is_marked(number) {
        MARK
    } else {
        "of somebody who stays"
    };
    let line = format!("{word} {number} ");
    line.repeat(length / line.len() + 1)
}

fn customer(number: u32) -> NewCustomer {
    // In no order, so that indexes grow in all places.
    let spread = number.wrapping_mul(2_654_435_769);
    let word = if is_marked(number) { MARK } else { "somebody" };
    let email = format!("{spread:08x}-{word}@example.com");
    NewCustomer {
        name: Some(text(number, 40)),
        external_id: Some(format!("{spread:08x}-{word}")),
        metadata: format!(
            "{{\"note\":\"{}\"}}",
            text(number, [100, 1_500, 9_000][number as usize % 3])
        ),
        ..new_customer(&email, Some(&format!("cus_{number}")))
    }
}

fn answer(number: u32, customer_id: String) -> (Keyed, Answer) {
    let keyed = Keyed {
        team_id: "team_1".into(),
        caller: "key:1".to_owned(),
        key: format!("{number:08x}"),
        request_hash: "hash".to_owned(),
    };
    let body = text(number, [200, 3_000, 9_000][number as usize % 3]);
    (
        keyed,
        Answer {
            status: 201,
            body,
            customer_id: Some(customer_id),
        },
    )
}

fn event(number: u32) -> Incoming {
    Incoming {
        payload: text(number, [400, 3_000, 20_000][number as usize % 3]),
        ..incoming(
            &format!("evt_{number}"),
            start(Some(&format!("cus_{number}"))),
        )
    }
}

/// Makes a customer with an answer and an event about it, and tells its id.
fn make(store: &Store, place: &Place, number: u32, new: NewCustomer) -> String {
    let place = place.clone();
    write(store, move |tx, act| {
        let made = customers::create(tx, act, &place, &new)?;
        let (keyed, answer) = answer(number, made.id.clone());
        idempotency::record(tx, act, &keyed, &answer)?;
        deliver(tx, act, "team_1", &event(number))?;
        Ok(made.id)
    })
}

fn database() -> (Db, Place) {
    let db = Db::new(Engine::Sqlite);
    let place = write(&db.store, |tx, act| {
        make_team(tx, "team_1")?;
        make_project(tx, act, "team_1")
    });
    (db, place)
}

/// How often the mark is in the file when nobody has it open, and that there is no other file.
fn marks(db: Db) -> usize {
    let file = db.target.sqlite_file().unwrap().to_owned();
    let directory = db.close();
    let log = file.with_extension("db-wal");
    assert!(!log.exists(), "the log was left");
    let bytes = fs::read(file).unwrap();
    drop(directory);
    bytes
        .windows(MARK.len())
        .filter(|window| *window == MARK.as_bytes())
        .count()
}

#[test]
fn nothing_of_a_person_who_was_erased_stays_in_the_file() {
    let (db, place) = database();
    let make = |number| make(&db.store, &place, number, customer(number));
    let ids: Vec<_> = (0..CUSTOMERS).map(make).collect();
    for (number, id) in (0..).zip(ids) {
        if is_marked(number) {
            let place = place.clone();
            write(&db.store, move |tx, act| erase(tx, act, &place, &id));
        }
    }
    assert_eq!(marks(db), 0);
}

#[test]
fn nothing_that_retention_has_forgotten_stays_in_the_file() {
    let (db, place) = database();
    for number in 0..CUSTOMERS {
        let (email, stripe) = (format!("{number}@example.com"), format!("cus_{number}"));
        let new = new_customer(&email, Some(&stripe));
        make(&db.store, &place, number, new);
    }
    let later = START.plus(1_000 * DAY);
    let gone = write(&db.store, move |tx, _| {
        let payloads = retention::drop_old_payloads(tx, later, 1_000)?;
        Ok((payloads, retention::drop_answers(tx, later, 1_000)?))
    });
    assert_eq!(gone, (u64::from(CUSTOMERS), u64::from(CUSTOMERS)));
    assert_eq!(marks(db), 0);
}
