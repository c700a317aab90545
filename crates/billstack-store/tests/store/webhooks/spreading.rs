//! From the one row of an event to a delivery for each endpoint that wanted it.

use super::*;

/// As many events as are spread at once.
const BATCH: usize = 32;

impl World {
    fn untold(&self) -> i64 {
        self.count("SELECT COUNT(*) FROM webhook_outbox")
    }

    fn customers(&mut self, number: usize) {
        for _ in 0..number {
            let name: &'static str = format!("c{}", self.runs).leak();
            self.customer(name);
        }
    }
}

#[test]
fn those_are_told_who_wanted_the_event_when_it_happened() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let then = world.endpoint(Types::Every);
        world.customer("ada");
        let later = world.endpoint(Types::Every);
        let place = world.place.clone();
        let (id, patch) = (
            then.id.clone(),
            endpoints::EndpointPatch {
                types: Types::only(vec![Type::CodeCreated]),
                ..endpoints::EndpointPatch::default()
            },
        );
        world
            .run(move |tx, act| endpoints::update(tx, act, &place, &id, &patch))
            .unwrap();
        assert_eq!(world.claim(&later, 4), []);
        assert_eq!(types(&world.claim(&then, 4)), ["customer.created"]);
        world.db.assert_sound();
    }
}

#[test]
fn a_lane_spreads_no_more_than_it_needs() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customers(2 * BATCH);
        let jobs = world.claim(&endpoint, 4);
        assert_eq!((jobs.len(), world.untold()), (4, BATCH as i64));
        // It has enough to do, and is slow.
        assert_eq!(world.claim(&endpoint, 4), []);
        world.conclude(&jobs[0], Meaning::Again);
        assert_eq!(world.claim(&endpoint, 4).len(), 1);
        assert_eq!(world.untold(), BATCH as i64);
        let overdue = world.now;
        let read = move |tx: &mut dyn Tx| Ok(webhooks::overdue(tx, overdue)?);
        let (number, _) = world.db.store.scan_blocking(read).unwrap();
        assert_eq!(number, 2 * BATCH as i64 - 5);
        world.db.assert_sound();
    }
}

/// What waits for one endpoint delays what is for another by no more than it takes to spread it.
#[test]
fn a_lane_finds_what_is_for_it_behind_what_is_for_others() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        world.endpoint(Types::Every);
        let rare = world.endpoint(Types::only(vec![Type::ProgramUpdated]).unwrap());
        let off = world.endpoint(Types::Every);
        world.customers(BATCH + 1);
        let (place, id) = (world.place.clone(), off.id.clone());
        world
            .run(move |tx, act| endpoints::disable(tx, act, &place, &id))
            .unwrap();
        let lane = Lane::new(&world.place, &rare.id);
        assert!(world.due().contains(&lane));
        wait_for(world.db.store.filled().take());
        assert_eq!(world.claim(&rare, 1), []);
        let filled = wait_for(world.db.store.filled().take());
        assert!(filled.contains(&lane), "it goes on at once");
        assert_eq!(world.claim(&rare, 1), []);
        let filled = wait_for(world.db.store.filled().take());
        assert!(!filled.contains(&lane), "nothing is left");
        assert_eq!(world.untold(), 0);
        // What was for the one that is off since is ended with its turn.
        while !world.claim(&off, 4).is_empty() {}
        let shown = world.log(&off);
        let failed = shown.iter().filter(|one| {
            one.delivery.state == DeliveryState::Failed && one.delivery.attempts == 0
        });
        assert_eq!(failed.count(), BATCH + 1);
        world.db.assert_sound();
    }
}

#[test]
fn one_that_is_told_nothing_any_more_does_not_hurry() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let (off, _on) = (world.endpoint(Types::Every), world.endpoint(Types::Every));
        let (place, id) = (world.place.clone(), off.id.clone());
        world
            .run(move |tx, act| endpoints::disable(tx, act, &place, &id))
            .unwrap();
        world.customers(2 * BATCH);
        wait_for(world.db.store.filled().take());
        let lane = Lane::new(&world.place, &off.id);
        assert_eq!(world.claim(&off, 1), []);
        let filled = wait_for(world.db.store.filled().take());
        assert!(!filled.contains(&lane));
        // With the event that it is off.
        assert_eq!(world.untold(), BATCH as i64 + 1);
    }
}
