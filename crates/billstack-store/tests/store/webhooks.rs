//! Webhooks on their way to the systems of a team: told of what was kept, sent by one at a time, and judged by how it
//! went.

pub(crate) mod damage;
mod of_endpoints;
mod race;
mod replays;
mod spreading;

use std::sync::atomic::{AtomicU64, Ordering};

use billstack_core::time::{DAY, HOUR, Micros, SECOND};
use billstack_core::webhook::attempt::{AttemptError, Meaning};
use billstack_core::webhook::endpoint::{DeliveryState, Disabled, Types};
use billstack_core::webhook::health::EndpointState;
use billstack_core::webhook::types::Type;
use billstack_store::list::Page;
use billstack_store::webhooks::log::Shown;
use billstack_store::webhooks::replay::{Range, Rest};
use billstack_store::webhooks::{
    self, Attempt, Concluded, DeliveryFilter, Endpoint, Job, NewEndpoint, Told, endpoints, log,
    replay,
};
use billstack_store::{Abort, Act, Lane, Place, Refusal, Tx, customers, params, retention, work};

use crate::damage::found_after;
use crate::support::{
    Db, ENGINES, Engine, START, make_customer, make_project, make_team, new_customer, origin_at,
    wait_for,
};

const TEAM: &str = "team_1";
const LEASE: i64 = 25 * SECOND;

/// A database with a project, and the time there.
pub(crate) struct World {
    pub(crate) db: Db,
    pub(crate) place: Place,
    now: Micros,
    runs: u64,
}

impl World {
    pub(crate) fn new(db: Db) -> World {
        let place = db.store.write_blocking(origin_at(START, 1), |tx, act| {
            make_team(tx, TEAM)?;
            make_project(tx, act, TEAM)
        });
        World {
            db,
            place: place.unwrap(),
            now: START,
            runs: 1,
        }
    }

    fn run<T: Send + 'static>(
        &mut self,
        op: impl FnMut(&mut dyn Tx, &mut Act) -> Result<T, Abort> + Send + 'static,
    ) -> Result<T, Abort> {
        self.now = self.now.plus(1_000);
        self.runs += 1;
        let origin = origin_at(self.now, self.runs);
        self.db.store.write_blocking(origin, op)
    }

    pub(crate) fn endpoint(&mut self, types: Types) -> Endpoint {
        let place = self.place.clone();
        let new = NewEndpoint {
            types,
            ..new_endpoint()
        };
        self.run(move |tx, act| endpoints::create(tx, act, &place, &new, sealed))
            .unwrap()
    }

    fn get(&self, id: &str) -> Endpoint {
        let (place, id) = (self.place.clone(), id.to_owned());
        let read = move |tx: &mut dyn Tx| endpoints::get(tx, &place, &id);
        self.db.store.scan_blocking(read).unwrap()
    }

    pub(crate) fn customer(&mut self, name: &'static str) -> String {
        let place = self.place.clone();
        self.run(move |tx, act| make_customer(tx, act, &place, name, None))
            .unwrap()
            .id
    }

    fn due(&self) -> Vec<Lane> {
        let now = self.now;
        let read = move |tx: &mut dyn Tx| Ok(webhooks::due(tx, now)?);
        self.db.store.scan_blocking(read).unwrap()
    }

    fn claim(&mut self, endpoint: &Endpoint, most: i64) -> Vec<Job> {
        let lane = Lane::new(&self.place, &endpoint.id);
        self.run(move |tx, act| {
            let until = act.real().plus(LEASE);
            Ok(webhooks::claim(tx, act, &lane, most, until)?)
        })
        .unwrap()
    }

    fn conclude(&mut self, job: &Job, meaning: Meaning) -> Concluded {
        let (job, told) = (job.clone(), told(self.now, meaning));
        self.run(move |tx, act| Ok(webhooks::conclude(tx, act, &job, &told)?))
            .unwrap()
    }

    /// Makes the deliveries of all events that somebody is still to be told of.
    fn spread(&self) {
        static RUNS: AtomicU64 = AtomicU64::new(1 << 48);
        let lane = Lane::new(&self.place, "");
        loop {
            let (lane, run) = (lane.clone(), RUNS.fetch_add(1, Ordering::Relaxed));
            let spread =
                move |tx: &mut dyn Tx, act: &mut Act| Ok(webhooks::spread(tx, act, &lane)?);
            let origin = origin_at(self.now, run);
            if self.db.store.write_blocking(origin, spread).unwrap() == 0 {
                return;
            }
        }
    }

    fn log(&self, endpoint: &Endpoint) -> Vec<Shown> {
        self.spread();
        let (place, id) = (self.place.clone(), endpoint.id.clone());
        let page = Page {
            limit: 100,
            offset: 0,
            after: None,
        };
        let filter = DeliveryFilter::default();
        let read = move |tx: &mut dyn Tx| log::list(tx, &place, &id, &filter, &page);
        self.db.store.scan_blocking(read).unwrap().rows
    }

    fn count(&self, sql: &'static str) -> i64 {
        let read = move |tx: &mut dyn Tx| Ok(tx.one(sql, params![], |row| row.int(0))?);
        self.db.store.scan_blocking(read).unwrap().unwrap()
    }

    fn replay(&mut self, endpoint: &Endpoint, id: &str) -> Shown {
        let (place, of, id) = (self.place.clone(), endpoint.id.clone(), id.to_owned());
        self.run(move |tx, act| replay::one(tx, act, &place, &of, &id))
            .unwrap()
    }

    /// What a worker does with ranges that are due; tells how many there were.
    fn carry_on(&mut self, settled: Micros) -> usize {
        let claimed = self.run(|tx, act| {
            let until = act.at.plus(LEASE);
            Ok(work::claim(tx, act, replay::KIND, 10, until)?)
        });
        let claimed = claimed.unwrap();
        for leased in &claimed {
            let leased = leased.clone();
            let step = move |tx: &mut dyn Tx, act: &mut Act| {
                if replay::carry_on(tx, act, &leased, settled)? == Rest::Nothing {
                    work::done(tx, &leased.key)?;
                }
                // Whoever was taken for dead changes nothing any more.
                assert_eq!(replay::carry_on(tx, act, &leased, settled)?, Rest::Later);
                Ok(())
            };
            self.run(step).unwrap();
        }
        claimed.len()
    }

    fn forget(&mut self, before: Micros, limit: i64) -> u64 {
        self.run(move |tx, _| Ok(retention::drop_webhooks(tx, before, limit)?))
            .unwrap()
    }

    /// With which secrets something would be signed that happens now.
    fn secrets(&mut self, endpoint: &Endpoint) -> Vec<String> {
        let name: &'static str = format!("c{}", self.runs).leak();
        self.customer(name);
        let job = self.claim(endpoint, 1).remove(0);
        self.conclude(&job, Meaning::Delivered);
        job.to_send.secrets
    }

    fn wait(&mut self, by: i64) {
        self.now = self.now.plus(by);
    }
}

fn new_endpoint() -> NewEndpoint {
    NewEndpoint {
        url: "https://example.com/hook".to_owned(),
        description: None,
        types: Types::Every,
    }
}

/// What a secret is kept as; the store cannot tell.
fn sealed(_: &str) -> String {
    "sealed".to_owned()
}

fn told(now: Micros, meaning: Meaning) -> Told {
    let (status, error) = match meaning {
        Meaning::Delivered => (204, None),
        Meaning::Gone => (410, Some(AttemptError::Status)),
        Meaning::Again => (500, Some(AttemptError::Status)),
    };
    Told {
        attempt: Attempt {
            at: now,
            duration_ms: 3,
            status: Some(status),
            error,
            answer: Some("ok".to_owned()),
        },
        meaning,
        retry_after: None,
        chance: 200_000,
    }
}

fn types(jobs: &[Job]) -> Vec<&str> {
    let kinds = jobs.iter().map(|job| job.to_send.delivery.kind.as_str());
    kinds.collect()
}

#[test]
fn each_endpoint_that_wants_an_event_is_told_of_it() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        world.customer("before");
        let every = world.endpoint(Types::Every);
        let some = world.endpoint(Types::only(vec![Type::CustomerErased]).unwrap());
        world.customer("ada");
        assert_eq!(types(&world.claim(&some, 4)), Vec::<&str>::new());
        let jobs = world.claim(&every, 4);
        assert_eq!(types(&jobs), ["customer.created"]);
        let to_send = &jobs[0].to_send;
        assert_eq!(to_send.event.kind, "customer.created");
        assert_eq!(
            (to_send.place.clone(), jobs[0].attempt()),
            (world.place.clone(), 1)
        );
        assert_eq!(to_send.secrets, ["sealed"]);
        world.db.assert_sound();
    }
}

#[test]
fn nobody_is_told_of_what_was_not_kept() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        world.endpoint(Types::Every);
        world.customer("ada");
        let place = world.place.clone();
        let refused = world.run(move |tx, act| {
            make_customer(tx, act, &place, "grace", None)?;
            customers::create(tx, act, &place, &new_customer("ada@example.com", None))
        });
        assert!(matches!(
            refused,
            Err(Abort::Refused(Refusal::CustomerExists(..)))
        ));
        assert_eq!(world.count("SELECT COUNT(*) FROM webhook_outbox"), 1);
        world.db.assert_sound();
        world.spread();
        assert_eq!(world.count("SELECT COUNT(*) FROM webhook_outbox"), 0);
        assert_eq!(world.count("SELECT COUNT(*) FROM webhook_deliveries"), 1);
        assert_eq!(
            world.count("SELECT COUNT(*) FROM work WHERE kind = 'webhook'"),
            1
        );
        world.db.assert_sound();
    }
}

#[test]
fn four_are_under_way_at_once_and_the_oldest_first() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let (slow, quick) = (world.endpoint(Types::Every), world.endpoint(Types::Every));
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let ids: Vec<String> = names.iter().map(|name| world.customer(name)).collect();
        assert_eq!(world.due().len(), 2);
        let jobs = world.claim(&slow, 3);
        let more = world.claim(&slow, 64);
        assert_eq!((jobs.len(), more.len()), (3, 1));
        let subjects = jobs
            .iter()
            .chain(&more)
            .map(|job| job.to_send.event.subject.clone());
        assert_eq!(subjects.collect::<Vec<_>>(), ids[..4]);
        assert_eq!(world.claim(&slow, 64), []);
        // It has no turn to give, and delays nobody.
        assert_eq!(world.due(), [Lane::new(&world.place, &quick.id)]);
        assert_eq!(world.claim(&quick, 64).len(), 4);
        assert_eq!(
            world.conclude(&jobs[0], Meaning::Delivered),
            Concluded::Delivered
        );
        assert_eq!(world.claim(&slow, 64)[0].to_send.event.subject, ids[4]);
        // Nobody came back with the rest: others may take them up.
        world.wait(LEASE);
        let again = world.claim(&slow, 64);
        assert_eq!(again[0].to_send.delivery.id, jobs[1].to_send.delivery.id);
        assert_eq!(again.len(), 4);
        assert_eq!(
            world.conclude(&jobs[1], Meaning::Delivered),
            Concluded::Lost
        );
        world.db.assert_sound();
    }
}

#[test]
fn what_should_have_been_sent_is_counted() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let overdue = |world: &World| {
            let now = world.now;
            let read = move |tx: &mut dyn Tx| Ok(webhooks::overdue(tx, now)?);
            world.db.store.scan_blocking(read).unwrap()
        };
        assert_eq!(overdue(&world), (0, None));
        let (first, _second) = (world.endpoint(Types::Every), world.endpoint(Types::Every));
        for name in ["ada", "grace", "joan"] {
            world.customer(name);
        }
        let (number, oldest) = overdue(&world);
        assert_eq!(number, 6);
        let job = world.claim(&first, 1).remove(0);
        assert_eq!(oldest, Some(job.to_send.delivery.created_at));
        assert_eq!(overdue(&world).0, 5, "one is being sent");
        world.conclude(&job, Meaning::Again);
        assert_eq!(overdue(&world).0, 5, "and is due later");
    }
}

#[test]
fn a_delivery_is_tried_ten_times_by_its_schedule() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        let first = world.claim(&endpoint, 1);
        assert_eq!(world.conclude(&first[0], Meaning::Again), Concluded::Again);
        let seconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
        for (number, pause) in seconds.into_iter().enumerate() {
            // Each step of the test takes a thousandth of a second.
            world.wait(pause * SECOND - 3_000);
            assert_eq!(world.claim(&endpoint, 1), []);
            world.wait(3_000);
            let jobs = world.claim(&endpoint, 1);
            assert_eq!(jobs[0].attempt(), number as i64 + 2);
            let is_last = number == 8;
            let expected = match is_last {
                true => Concluded::Failed,
                false => Concluded::Again,
            };
            assert_eq!(world.conclude(&jobs[0], Meaning::Again), expected);
            world.db.assert_sound();
        }
        assert_eq!(
            world.count("SELECT COUNT(*) FROM work WHERE kind = 'webhook'"),
            0
        );
        let shown = world.log(&endpoint).remove(0);
        assert_eq!(
            (shown.delivery.state, shown.attempts.len()),
            (DeliveryState::Failed, 10)
        );
        assert_eq!(shown.next_attempt_at, None);
        assert_eq!(world.get(&endpoint.id).health.state, EndpointState::Failing);
    }
}

#[test]
fn whoever_fails_for_a_day_is_told_of_and_for_five_is_switched_off() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let (bad, other) = (world.endpoint(Types::Every), world.endpoint(Types::Every));
        for number in 0..12 {
            let name: &'static str = Box::leak(format!("c{number}").into_boxed_str());
            world.customer(name);
            let job = world.claim(&bad, 4).pop().unwrap();
            assert_eq!(world.conclude(&job, Meaning::Again), Concluded::Again);
            for job in world.claim(&other, 4) {
                world.conclude(&job, Meaning::Delivered);
            }
            if number == 10 {
                assert_eq!(world.get(&bad.id).health.state, EndpointState::Failing);
            }
            world.wait(11 * HOUR);
        }
        let off = world.get(&bad.id);
        assert_eq!(off.health.state, EndpointState::Disabled);
        let told = world.log(&other);
        let of_endpoint =
            |shown: &Shown| shown.delivery.kind.as_str().starts_with("webhook_endpoint");
        let kinds = told.iter().filter(|shown| of_endpoint(shown));
        let kinds: Vec<_> = kinds.map(|shown| shown.delivery.kind).collect();
        assert_eq!(
            kinds,
            [Type::WebhookEndpointDisabled, Type::WebhookEndpointFailing]
        );
        assert!(!world.log(&bad).iter().any(of_endpoint));
        // It is told of nothing that happens from now on, and what waits is ended.
        let before = world.log(&bad).len();
        world.customer("later");
        assert_eq!(world.log(&bad).len(), before);
        world.wait(4 * DAY);
        assert_eq!(world.claim(&bad, 4), []);
        assert!(
            world
                .log(&bad)
                .iter()
                .all(|shown| shown.delivery.state == DeliveryState::Failed)
        );
        world.db.assert_sound();
        // Enabled, it begins anew.
        let (place, id) = (world.place.clone(), bad.id.clone());
        let enabled = world.run(move |tx, act| endpoints::enable(tx, act, &place, &id));
        let (enabled, since) = enabled.unwrap();
        // What it did not take before that is offered too.
        let first = world
            .log(&bad)
            .iter()
            .map(|shown| shown.delivery.event_at)
            .min();
        assert!(first < off.disabled.map(|(at, _)| at));
        assert_eq!((enabled.health.failures, since), (0, first));
        world.customer("again");
        let job = world.claim(&bad, 4).pop().unwrap();
        world.conclude(&job, Meaning::Again);
        assert_eq!(world.get(&bad.id).health.state, EndpointState::Active);
        world.db.assert_sound();
    }
}

#[test]
fn whoever_is_gone_is_switched_off_at_once() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        world.customer("grace");
        let jobs = world.claim(&endpoint, 1);
        assert_eq!(world.conclude(&jobs[0], Meaning::Gone), Concluded::Failed);
        let gone = world.get(&endpoint.id);
        assert_eq!(gone.disabled.unwrap().1, Disabled::Gone);
        assert_eq!(world.claim(&endpoint, 4), []);
        let log = world.log(&endpoint);
        let tries = log
            .iter()
            .map(|shown| (shown.delivery.state, shown.attempts.len()));
        let tries: Vec<_> = tries.collect();
        assert_eq!(
            tries,
            [(DeliveryState::Failed, 0), (DeliveryState::Failed, 1)]
        );
        world.db.assert_sound();
    }
}

#[test]
fn a_lease_is_given_back_for_another_to_take() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        let job = world.claim(&endpoint, 4).remove(0);
        assert_eq!(world.claim(&endpoint, 4), []);
        let back = job.clone();
        let given = world.run(move |tx, act| Ok(webhooks::give_back(tx, act, &back)?));
        assert_eq!(given, Ok(true));
        let again = world.claim(&endpoint, 4).remove(0);
        assert_eq!(again.to_send.delivery, job.to_send.delivery);
        assert_eq!(again.attempt(), 1);
        assert_eq!(world.conclude(&job, Meaning::Delivered), Concluded::Lost);
        let all = world.run(|tx, _| Ok(webhooks::give_back_all(tx)?)).unwrap();
        assert_eq!(all, u64::from(engine == Engine::Sqlite));
    }
}

#[test]
fn the_store_says_where_something_has_come() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        let lanes = wait_for(world.db.store.filled().take());
        assert_eq!(lanes, [Lane::new(&world.place, &endpoint.id)]);
    }
}
