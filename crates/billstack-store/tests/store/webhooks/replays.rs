//! What somebody asks for to be sent again.

use super::*;

#[test]
fn a_replay_is_tried_once_and_says_nothing_of_the_endpoint() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        let job = world.claim(&endpoint, 1).remove(0);
        world.conclude(&job, Meaning::Gone);
        let (off, delivery) = (world.get(&endpoint.id), job.to_send.delivery);
        assert!(off.disabled.is_some());
        // It is sent all the same.
        for (meaning, expected, state) in [
            (Meaning::Again, Concluded::Failed, DeliveryState::Failed),
            (
                Meaning::Delivered,
                Concluded::Delivered,
                DeliveryState::Delivered,
            ),
        ] {
            let replayed = world.replay(&endpoint, &delivery.id).delivery;
            assert_eq!(
                (&replayed.event_id, replayed.is_replay),
                (&delivery.event_id, true)
            );
            let job = world.claim(&endpoint, 4).remove(0);
            assert_eq!(world.conclude(&job, meaning), expected);
            let shown = world.log(&endpoint).remove(0);
            assert_eq!((shown.delivery.state, shown.attempts.len()), (state, 1));
        }
        assert_eq!(world.get(&endpoint.id), off);
        world.db.assert_sound();
    }
}

#[test]
fn a_range_of_the_log_is_sent_twenty_in_a_second() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        let (place, id) = (world.place.clone(), endpoint.id.clone());
        world
            .run(move |tx, act| endpoints::disable(tx, act, &place, &id))
            .unwrap();
        world.wait(SECOND);
        let since = world.now;
        let names: Vec<&'static str> = (0..230).map(|n| &*format!("c{n}").leak()).collect();
        for name in &names {
            world.customer(name);
        }
        let range = Range {
            since,
            until: world.now.plus(SECOND),
            state: None,
            types: Types::only(vec![Type::CustomerCreated]),
        };
        let (place, id) = (world.place.clone(), endpoint.id.clone());
        let counted = range.clone();
        let number = move |tx: &mut dyn Tx| replay::count(tx, &place, &id, &counted);
        assert_eq!(world.db.store.scan_blocking(number), Ok(230));
        let (place, id) = (world.place.clone(), endpoint.id.clone());
        let begin =
            move |tx: &mut dyn Tx, act: &mut Act| replay::begin(tx, act, &place, &id, &range, 230);
        world.run(begin).unwrap();
        let begun = world.now;
        world.wait(2 * SECOND);
        assert_eq!(world.carry_on(Micros(i64::MAX / 2)), 1);
        let waiting =
            "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'waiting' AND is_replay";
        assert_eq!(world.count(waiting), 200);
        let last = world.count("SELECT MAX(run_after) FROM work WHERE kind = 'webhook'");
        assert_eq!((last - begun.0) / SECOND, 2 + 9);
        assert_eq!(
            world.carry_on(Micros(i64::MAX / 2)),
            0,
            "not before those are sent"
        );
        world.wait(10 * SECOND);
        assert_eq!(world.carry_on(Micros(i64::MAX / 2)), 1);
        assert_eq!(world.count(waiting), 230);
        assert_eq!(
            world.count("SELECT COUNT(*) FROM work WHERE kind = 'webhook_replay'"),
            0
        );
        let events = "SELECT COUNT(DISTINCT event_id) FROM webhook_deliveries";
        assert_eq!(world.count(events), 230);
        world.db.assert_sound();
    }
}

#[test]
fn the_failed_of_a_range_are_sent_again_and_the_end_of_the_log_is_waited_for() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        let since = world.now;
        for name in ["a", "b", "c"] {
            world.customer(name);
        }
        let jobs = world.claim(&endpoint, 3);
        world.conclude(&jobs[0], Meaning::Delivered);
        world.conclude(&jobs[1], Meaning::Gone);
        let range = |state| Range {
            since,
            until: since.plus(HOUR),
            state,
            types: None,
        };
        for (state, expected) in [
            (Some(DeliveryState::Failed), 1),
            (Some(DeliveryState::Delivered), 1),
            (None, 3),
        ] {
            let (place, id, counted) = (world.place.clone(), endpoint.id.clone(), range(state));
            let number = move |tx: &mut dyn Tx| replay::count(tx, &place, &id, &counted);
            assert_eq!(
                world.db.store.scan_blocking(number),
                Ok(expected),
                "{state:?}"
            );
        }
        let (place, id, range) = (world.place.clone(), endpoint.id.clone(), range(None));
        let begin =
            move |tx: &mut dyn Tx, act: &mut Act| replay::begin(tx, act, &place, &id, &range, 3);
        world.run(begin).unwrap();
        // Nothing is settled yet.
        assert_eq!(world.carry_on(since), 1);
        let replays = "SELECT COUNT(*) FROM webhook_deliveries WHERE is_replay";
        assert_eq!(world.count(replays), 0);
        world.wait(6 * SECOND);
        assert_eq!(world.carry_on(since.plus(2 * HOUR)), 1);
        assert_eq!(world.count(replays), 3);
        world.db.assert_sound();
    }
}
