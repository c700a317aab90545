//! Endpoints: how many, what becomes of one that is taken away, and its secrets.

use super::*;

#[test]
fn ten_endpoints_are_the_most() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let made: Vec<_> = (0..10).map(|_| world.endpoint(Types::Every)).collect();
        let place = world.place.clone();
        let more =
            world.run(move |tx, act| endpoints::create(tx, act, &place, &new_endpoint(), sealed));
        assert_eq!(more, Err(Refusal::TooManyEndpoints.into()));
        let (place, id) = (world.place.clone(), made[0].id.clone());
        world
            .run(move |tx, act| endpoints::delete(tx, act, &place, &id))
            .unwrap();
        world.endpoint(Types::Every);
        world.db.assert_sound();
        let sql = "UPDATE webhook_endpoints SET deleted_at = NULL, secret = 'x' WHERE deleted_at IS NOT NULL";
        assert!(found_after(&world.db, sql).contains("endpoint_number"));
    }
}

#[test]
fn one_that_is_taken_away_gets_nothing_and_is_forgotten_with_its_last_delivery() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        let job = world.claim(&endpoint, 1).remove(0);
        world.customer("grace");
        let (place, id) = (world.place.clone(), endpoint.id.clone());
        world
            .run(move |tx, act| endpoints::delete(tx, act, &place, &id))
            .unwrap();
        world.customer("later");
        world.db.assert_sound();
        // It was under way.
        assert_eq!(world.conclude(&job, Meaning::Again), Concluded::Again);
        world.wait(10 * SECOND);
        assert_eq!(world.claim(&endpoint, 4), []);
        assert_eq!(
            world.count("SELECT COUNT(*) FROM work WHERE kind = 'webhook'"),
            0
        );
        assert_eq!(
            world.count("SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'failed'"),
            2
        );
        assert_eq!(
            world.count("SELECT COUNT(*) FROM webhook_endpoints WHERE secret IS NOT NULL"),
            0
        );
        world.db.assert_sound();
        let ended = world.now;
        assert_eq!(world.forget(ended.plus(-HOUR), 100), 0);
        assert_eq!(world.forget(ended.plus(HOUR), 1), 1);
        assert_eq!(world.forget(ended.plus(HOUR), 100), 2);
        for table in [
            "webhook_endpoints",
            "webhook_deliveries",
            "webhook_attempts",
        ] {
            let sql: &'static str = format!("SELECT COUNT(*) FROM {table}").leak();
            assert_eq!(world.count(sql), 0, "{table}");
        }
    }
}

#[test]
fn what_waits_is_not_forgotten() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        world.customer("ada");
        world.customer("grace");
        let job = world.claim(&endpoint, 1).remove(0);
        world.conclude(&job, Meaning::Delivered);
        assert_eq!(world.forget(world.now.plus(DAY), 100), 1);
        assert_eq!(world.log(&endpoint).len(), 1);
        world.db.assert_sound();
    }
}

#[test]
fn a_secret_is_replaced_and_the_one_before_is_good_for_so_long() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        for (hours, secret, expected) in [
            (2, "second", vec!["second", "sealed"]),
            (1, "third", vec!["third", "second"]),
            (0, "fourth", vec!["fourth"]),
        ] {
            let (place, id) = (world.place.clone(), endpoint.id.clone());
            let rotate = move |tx: &mut dyn Tx, act: &mut Act| {
                endpoints::rotate(tx, act, &place, &id, secret, hours)
            };
            world.run(rotate).unwrap();
            assert_eq!(world.secrets(&endpoint), expected);
            world.wait(hours * HOUR);
            assert_eq!(world.secrets(&endpoint), [secret]);
        }
    }
}
