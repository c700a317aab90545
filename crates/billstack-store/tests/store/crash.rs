//! The process, or the database server, dies at any moment: what was answered is there afterwards,
//! and nothing is there by halves.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use billstack_store::migrate::migrate;
use billstack_store::options::Options;
use billstack_store::store::{Store, Target};
use billstack_store::{Abort, Fault, Tx};
use billstack_store::{Act, Origin, Place};
use billstack_store::{codes, customers, intake, programs, referrals};
use scratch_postgres::Cluster;

use crate::support::{
    Random, START, apply_code, assert_sound, deliver, directory, incoming, make_customer,
    make_project, make_team, origin_at, program, start,
};

pub(crate) const TEAM: &str = "team_crash";
const THREADS: u64 = 4;

/// Tells the child what to do: the address, the project and the number of its round.
const CHILD: &str = "BILLSTACK_STORE_CRASH_CHILD";

pub(crate) fn set_up(store: &Store) -> Place {
    let op = |tx: &mut dyn Tx, act: &mut Act| {
        make_team(tx, TEAM)?;
        let place = make_project(tx, act, TEAM)?;
        programs::put(tx, act, &place, &program())?;
        Ok(place)
    };
    store.write_blocking(origin_at(START, 0), op).unwrap()
}

/// Writes until the store fails, and reports each thing once its write has been answered.
fn load(store: &Store, place: &Place, round: u64, report: &(dyn Fn(String) + Sync)) {
    let next = &AtomicU64::new((round + 1) << 32);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let mut number = 0;
                let fault = loop {
                    number += 1;
                    let name = format!("{round}_{thread}_{number}");
                    if let Err(fault) = lifetime(store, place, &name, next, report) {
                        break fault;
                    }
                };
                // A server that goes away must not look like a defect of ours.
                let gone = matches!(
                    fault,
                    Abort::Fault(Fault::Unavailable(_) | Fault::Unknown(_))
                );
                assert!(gone, "{fault:?}");
            });
        }
    });
}

/// An origin whose ids no other process makes that counts from another number.
pub(crate) fn next_origin(next: &AtomicU64) -> Origin {
    let number = next.fetch_add(1, Ordering::Relaxed);
    origin_at(START.plus(1_000 * (number & 0xffff_ffff) as i64), number)
}

/// The whole life of one referral.
pub(crate) fn lifetime(
    store: &Store,
    place: &Place,
    name: &str,
    next: &AtomicU64,
    report: &(dyn Fn(String) + Sync),
) -> Result<(), Abort> {
    let origin = || next_origin(next);
    let (at, stripe, given) = (place.clone(), format!("cus_{name}"), name.to_owned());
    let (referrer, referee) = store.write_blocking(origin(), move |tx, act| {
        let referrer = make_customer(tx, act, &at, &format!("r{given}"), None)?.id;
        let referee = make_customer(tx, act, &at, &format!("e{given}"), Some(&stripe))?.id;
        Ok((referrer, referee))
    })?;
    report(format!("customer {referrer}"));
    report(format!("customer {referee}"));
    let at = place.clone();
    let code = store.write_blocking(origin(), move |tx, act| {
        Ok(codes::create(tx, act, &at, &referrer)?.code)
    })?;
    report(format!("code {code}"));
    let at = place.clone();
    let referral = store.write_blocking(origin(), move |tx, act| {
        Ok(apply_code(tx, act, &at, &code, &referee)?.id)
    })?;
    report(format!("referral {referral}"));
    let event = incoming(&format!("evt_{name}"), start(Some(&format!("cus_{name}"))));
    let id = event.id.clone();
    store.write_blocking(origin(), move |tx, act| deliver(tx, act, TEAM, &event))?;
    report(format!("event {id}"));
    Ok(())
}

/// Panics for the first thing that was reported and is not there.
pub(crate) fn assert_kept(store: &Store, place: &Place, reported: &[String]) {
    let (place, reported) = (place.clone(), reported.to_vec());
    let read = move |tx: &mut dyn Tx| {
        for line in &reported {
            let (kind, id) = line.split_once(' ').unwrap();
            let kept = match kind {
                "customer" => customers::get(tx, &place, id)?.is_some(),
                "code" => codes::get(tx, &place, id)?.is_some(),
                "referral" => referrals::get(tx, &place, id)?.is_some(),
                "event" => matches!(intake::get(tx, &place.team_id, id), Ok(Some(_))),
                _ => panic!("{line}"),
            };
            assert!(kept, "lost: {line}");
        }
        Ok(())
    };
    store.scan_blocking(read).unwrap();
    assert_sound(store);
}

/// The other half of the next test: does nothing unless that started it.
#[test]
fn child() {
    let Ok(work) = std::env::var(CHILD) else {
        return;
    };
    let [url, project_id, round]: [&str; 3] =
        work.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let place = Place::new(TEAM, project_id);
    let store = Store::open(&Target::from_url(url).unwrap(), &Options::default()).unwrap();
    load(&store, &place, round.parse().unwrap(), &|line| {
        writeln!(std::io::stdout(), "reported {line}").unwrap();
    });
}

/// Runs the child, kills it some time after its first report, and returns what it reported.
fn killed_child(url: &str, place: &Place, round: u64, after: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::child", "--exact", "--nocapture"])
        .env(CHILD, format!("{url} {} {round}", place.project_id))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut reported = Vec::new();
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        // A report that was cut off by the end is none; the test runner's own words are none either.
        let whole = line.strip_suffix('\n');
        if let Some((_, report)) = whole.and_then(|line| line.split_once("reported ")) {
            reported.push(report.to_owned());
        }
        (!line.is_empty(), reported.len())
    };
    while next() == (true, 0) {}
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(after);
            child.kill().unwrap();
            child.wait().unwrap();
        });
        while next().0 {}
    });
    reported
}

#[test]
fn sqlite_keeps_what_a_killed_process_was_told() {
    let directory = directory();
    let file = directory.path().join("test.db");
    let url = format!("sqlite://{}", file.display());
    let target = Target::from_url(&url).unwrap();
    migrate(&target, START).unwrap();
    // Nobody may have the file open while the child dies, or there is nothing to recover.
    let open = || Store::open(&target, &Options::default()).unwrap();
    let place = set_up(&open());
    let mut random = Random::new(3);
    let mut all = Vec::new();
    for round in 0..20 {
        let after = Duration::from_millis(random.below(150));
        let reported = killed_child(&url, &place, round, after);
        assert!(!reported.is_empty(), "round {round} did nothing");
        assert_kept(&open(), &place, &reported);
        all.extend(reported);
    }
    assert_kept(&open(), &place, &all);
    let connection = rusqlite::Connection::open(&file).unwrap();
    let whole: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
}

#[test]
fn postgres_keeps_what_was_told_before_the_server_died() {
    let cluster = Cluster::start(scratch_postgres::Options::default()).unwrap();
    let url = cluster.create_database("crash", None).unwrap();
    let target = Target::from_url(&url).unwrap();
    migrate(&target, START).unwrap();
    // One store through all of it: its lanes have to find the server again by themselves.
    let store = Store::open(&target, &Options::default()).unwrap();
    let place = set_up(&store);
    let mut random = Random::new(4);
    let all = Mutex::new(Vec::new());
    for round in 0..5 {
        let before = all.lock().unwrap().len();
        std::thread::scope(|scope| {
            let report = |line| all.lock().unwrap().push(line);
            let (store, place) = (&store, &place);
            scope.spawn(move || load(store, place, round, &report));
            while all.lock().unwrap().len() == before {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(100 + random.below(300)));
            cluster.stop_immediate().unwrap();
        });
        cluster.restart().unwrap();
        assert_kept(&store, &place, &all.lock().unwrap());
    }
}
