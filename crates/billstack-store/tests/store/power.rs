//! The power goes while SQLite writes, and the disk fails: what was acknowledged is there afterwards.
//!
//! A child works on a disk that records it. What it acknowledges, it writes into a file of the same directory, so
//! that the record has both in their true order. From the record come images of the disk after a power cut at any
//! moment; each is opened as the server opens it.

mod disk;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use billstack_store::customers::{self, CustomerPatch};
use billstack_store::migrate::migrate;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Act, Place, Tx};

use crate::crash::{TEAM, lifetime, next_origin, set_up};
use crate::support::{START, deliver, incoming, make_customer, start};

/// Tells the child what to do: the directory and the number of its round.
const CHILD: &str = "BILLSTACK_STORE_POWER_CHILD";

/// What a child acknowledges goes here.
const ACKNOWLEDGED: &str = "acknowledged";

/// Threads that each live the lives of referrals.
const THREADS: u64 = 3;

/// How often the largest customer is changed: often enough for the log to be copied several times.
const CHANGES: u64 = 600;

/// The most lives of one thread.
const MOST_LIVES: u64 = 25;

/// How a child ends after its storage failed, as the server does.
const STORAGE_FAILED: i32 = 70;

/// What the child of a round does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// Everything, until the process ends from one moment to the next.
    Whole,
    /// A little, and an end in order.
    Short,
    /// Everything until a sync goes wrong.
    Interrupted,
    /// Stripe sends again what it may have sent already.
    Again,
}

impl Work {
    const ALL: [Work; 4] = [Work::Whole, Work::Short, Work::Interrupted, Work::Again];
}

fn target(directory: &Path) -> Target {
    let file = directory.join("test.db");
    Target::from_url(&format!("sqlite://{}", file.display())).unwrap()
}

/// Opens it as the server does.
fn open(directory: &Path) -> Store {
    let target = target(directory);
    migrate(&target, START).unwrap();
    let options = Options {
        exclusive: true,
        on_fatal: Arc::new(|why| {
            eprintln!("{why}");
            std::process::exit(STORAGE_FAILED);
        }),
        ..Options::default()
    };
    Store::open(&target, &options).unwrap()
}

/// Does nothing unless one of the tests started it.
#[test]
fn child() {
    let Ok(work) = std::env::var(CHILD) else {
        return;
    };
    let [directory, round, work]: [&str; 3] =
        work.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let (directory, round) = (Path::new(directory), round.parse().unwrap());
    let work = Work::ALL.into_iter().find(|one| format!("{one:?}") == work);
    let store = open(directory);
    let mut options = OpenOptions::new();
    let file = options.create(true).append(true);
    let file = file.open(directory.join(ACKNOWLEDGED)).unwrap();
    let acknowledged = Acknowledged(Mutex::new(file));
    work_on(&store, round, work.unwrap(), &acknowledged);
}

/// The file into which a child writes what it acknowledges.
struct Acknowledged(Mutex<File>);

impl Acknowledged {
    fn note(&self, what: &str) {
        let mut file = self.0.lock().unwrap();
        file.write_all(format!("{what}\n").as_bytes()).unwrap();
    }
}

fn work_on(store: &Store, round: u64, work: Work, acknowledged: &Acknowledged) {
    let place = if round == 0 {
        let place = set_up(store);
        acknowledged.note(&format!("project {}", place.project_id));
        place
    } else {
        place_of(store)
    };
    match work {
        Work::Again => deliver_again(store, round, acknowledged),
        Work::Short => load(store, &place, round, CHANGES / 20, acknowledged),
        Work::Whole | Work::Interrupted => {
            load(store, &place, round, CHANGES, acknowledged);
            // Nothing is closed.
            std::process::exit(0);
        }
    }
}

/// The one project there is.
fn place_of(store: &Store) -> Place {
    let find = |tx: &mut dyn Tx| {
        let found = tx.one("SELECT id FROM projects", &[], |row| row.string(0))?;
        Ok(Place::new(TEAM, found.expect("a project")))
    };
    store.scan_blocking(find).unwrap()
}

/// Lives the lives of referrals beside a customer who is changed again and again.
fn load(store: &Store, place: &Place, round: u64, changes: u64, acknowledged: &Acknowledged) {
    let next = AtomicU64::new((round + 1) << 32);
    let is_over = AtomicBool::new(false);
    let report = |what: String| acknowledged.note(&what);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (next, is_over, report) = (&next, &is_over, &report);
            scope.spawn(move || {
                for number in 1..=MOST_LIVES {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("{round}_{thread}_{number}");
                    lifetime(store, place, &name, next, report).unwrap();
                }
            });
        }
        change_often(store, place, round, &next, changes, acknowledged);
        is_over.store(true, Ordering::Relaxed);
    });
}

/// Each of its changes fills some pages of the log.
fn change_often(
    store: &Store,
    place: &Place,
    round: u64,
    next: &AtomicU64,
    changes: u64,
    told: &Acknowledged,
) {
    let at = place.clone();
    let make = move |tx: &mut dyn Tx, act: &mut Act| {
        Ok(make_customer(tx, act, &at, &format!("large{round}"), None)?.id)
    };
    let id = store.write_blocking(next_origin(next), make).unwrap();
    told.note(&format!("customer {id}"));
    for number in 0..changes {
        let (at, of) = (place.clone(), id.clone());
        let patch = CustomerPatch {
            metadata: Some(large(number)),
            ..CustomerPatch::default()
        };
        let change = move |tx: &mut dyn Tx, act: &mut Act| -> Result<_, Abort> {
            customers::update(tx, act, &at, &of, &patch)
        };
        store.write_blocking(next_origin(next), change).unwrap();
        told.note(&format!("metadata {id} {number}"));
    }
}

fn large(number: u64) -> String {
    let filling = "x".repeat(24_000);
    format!("{{\"number\":\"{number}\",\"filling\":\"{filling}\"}}")
}

/// The number in [`large`], 0 for a customer who has not been changed.
fn number_in(metadata: &str) -> u64 {
    let digits = metadata.split('"').nth(3);
    digits.map_or(0, |digits| digits.parse().unwrap())
}

/// Sends every event that is there once more: whoever is told "done" will not send it again.
fn deliver_again(store: &Store, round: u64, acknowledged: &Acknowledged) {
    let next = AtomicU64::new((round + 1) << 32);
    let all = |tx: &mut dyn Tx| Ok(tx.all("SELECT id FROM stripe_events", &[], |r| r.string(0))?);
    for id in store.scan_blocking(all).unwrap() {
        let stripe = id.replace("evt_", "cus_");
        let event = incoming(&id, start(Some(&stripe)));
        let again = move |tx: &mut dyn Tx, act: &mut Act| -> Result<_, Abort> {
            deliver(tx, act, TEAM, &event)
        };
        store.write_blocking(next_origin(&next), again).unwrap();
        acknowledged.note(&format!("event {id}"));
    }
}

/// What has been acknowledged, as the checks of [`crate::crash`] take it; and the last change of each customer that
/// was changed often.
fn acknowledged_in(text: &str) -> (Option<Place>, Vec<String>, BTreeMap<String, u64>) {
    let (mut place, mut kept, mut changes) = (None, Vec::new(), BTreeMap::new());
    for line in text.lines() {
        match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["project", id] => place = Some(Place::new(TEAM, *id)),
            ["metadata", id, number] => {
                changes.insert((*id).to_owned(), number.parse().unwrap());
            }
            _ => kept.push(line.to_owned()),
        }
    }
    (place, kept, changes)
}
