//! Two nodes that send at the same time: no delivery is under way twice, and of an endpoint four at most.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::thread;

use billstack_store::store::Store;

use super::*;
use crate::support::origin_at;

const EVENTS: usize = 120;

/// What is under way, by whoever sends it.
#[derive(Default)]
struct UnderWay {
    now: BTreeSet<String>,
    by_endpoint: BTreeMap<String, i64>,
    sent: Vec<String>,
    most: i64,
}

impl UnderWay {
    fn begin(&mut self, job: &Job) {
        let delivery = &job.to_send.delivery;
        assert!(self.now.insert(delivery.id.clone()), "under way twice");
        let of_endpoint = self.by_endpoint.entry(delivery.endpoint_id.clone());
        let of_endpoint = of_endpoint.or_default();
        *of_endpoint += 1;
        self.most = self.most.max(*of_endpoint);
        assert!(*of_endpoint <= webhooks::AT_ONCE, "{of_endpoint} at once");
    }

    fn end(&mut self, job: &Job) {
        let delivery = &job.to_send.delivery;
        self.now.remove(&delivery.id);
        *self.by_endpoint.get_mut(&delivery.endpoint_id).unwrap() -= 1;
        self.sent.push(delivery.id.clone());
    }
}

/// What a worker does until nothing is left.
fn send_all(store: &Store, at: Micros, worker: u64, under_way: &Mutex<UnderWay>) {
    let mut runs = worker << 32;
    let mut origin = || {
        runs += 1;
        origin_at(at, runs)
    };
    loop {
        let due = store.scan_blocking(move |tx: &mut dyn Tx| Ok(webhooks::due(tx, at)?));
        let left = "SELECT (SELECT COUNT(*) FROM work WHERE kind = 'webhook') \
            + (SELECT COUNT(*) FROM webhook_outbox)";
        let left = store.scan_blocking(move |tx| Ok(tx.one(left, params![], |row| row.int(0))?));
        if left.unwrap() == Some(0) {
            return;
        }
        for lane in due.unwrap() {
            let claim = move |tx: &mut dyn Tx, act: &mut Act| {
                Ok(webhooks::claim(tx, act, &lane, 3, at.plus(LEASE))?)
            };
            let jobs = store.write_blocking(origin(), claim).unwrap();
            jobs.iter()
                .for_each(|job| under_way.lock().unwrap().begin(job));
            for job in jobs {
                // Before it is given up, or another could begin first.
                under_way.lock().unwrap().end(&job);
                let told = told(at, Meaning::Delivered);
                let conclude = move |tx: &mut dyn Tx, act: &mut Act| {
                    Ok(webhooks::conclude(tx, act, &job, &told)?)
                };
                let concluded = store.write_blocking(origin(), conclude).unwrap();
                assert_eq!(concluded, Concluded::Delivered);
            }
        }
    }
}

#[test]
fn two_nodes_send_side_by_side() {
    for engine in ENGINES {
        let mut world = World::new(Db::crowded(engine));
        world.endpoint(Types::Every);
        world.endpoint(Types::Every);
        for number in 0..EVENTS {
            world.customer(&*format!("c{number}").leak());
        }
        let under_way = Mutex::new(UnderWay::default());
        let (db, at) = (&world.db, world.now.plus(SECOND));
        thread::scope(|scope| {
            for worker in 1..=4 {
                let under_way = &under_way;
                scope.spawn(move || {
                    let store = if worker % 2 == 0 {
                        &db.store
                    } else {
                        db.node()
                    };
                    send_all(store, at, worker, under_way);
                });
            }
        });
        let under_way = under_way.into_inner().unwrap();
        assert_eq!(under_way.sent.len(), 2 * EVENTS);
        let distinct: BTreeSet<_> = under_way.sent.iter().collect();
        assert_eq!(distinct.len(), 2 * EVENTS, "sent twice");
        assert!(under_way.most > 1, "they never met");
        world.db.assert_sound();
    }
}

/// An endpoint that is switched off while events are recorded: nothing is left waiting, and no event is lost to the
/// others.
#[test]
fn an_endpoint_is_switched_off_while_events_are_recorded() {
    for engine in ENGINES {
        let mut world = World::new(Db::crowded(engine));
        let (off, on) = (world.endpoint(Types::Every), world.endpoint(Types::Every));
        let (db, place, at) = (&world.db, &world.place, world.now.plus(SECOND));
        thread::scope(|scope| {
            scope.spawn(|| {
                for number in 0..60_u64 {
                    let place = place.clone();
                    let make = move |tx: &mut dyn Tx, act: &mut Act| {
                        make_customer(tx, act, &place, &format!("c{number}"), None)
                    };
                    let origin = origin_at(at.plus(number as i64), 1 << 40 | number);
                    db.node().write_blocking(origin, make).unwrap();
                }
            });
            scope.spawn(|| {
                for number in 0..10_u64 {
                    let (place, id) = (place.clone(), off.id.clone());
                    let switch = move |tx: &mut dyn Tx, act: &mut Act| match number % 2 {
                        0 => endpoints::disable(tx, act, &place, &id).map(drop),
                        _ => endpoints::enable(tx, act, &place, &id).map(drop),
                    };
                    let origin = origin_at(at.plus(number as i64), 1 << 41 | number);
                    db.store.write_blocking(origin, switch).unwrap();
                }
                let (place, id) = (place.clone(), off.id.clone());
                let switch = move |tx: &mut dyn Tx, act: &mut Act| {
                    endpoints::disable(tx, act, &place, &id).map(drop)
                };
                db.store
                    .write_blocking(origin_at(at, 1 << 42), switch)
                    .unwrap();
            });
        });
        world.wait(HOUR);
        world.spread();
        assert_eq!(world.claim(&off, 4), []);
        let of = |endpoint: &Endpoint| {
            let shown = world.log(endpoint);
            let created = shown
                .iter()
                .filter(|shown| shown.delivery.kind == Type::CustomerCreated);
            (
                created.count(),
                shown.iter().all(|shown| shown.next_attempt_at.is_none()),
            )
        };
        assert_eq!(of(&on).0, 60);
        assert!(of(&off).1, "something waits for it");
        world.db.assert_sound();
    }
}
