//! Changes by hand to what is kept of webhooks: the rules find them on both engines.

use super::*;

/// Damage, and the rules that must notice it, perhaps among others.
pub(crate) const DAMAGES: &[(&str, &[&str])] = &[
    (
        "DELETE FROM webhook_endpoints",
        &["delivery_endpoint", "outbox_endpoint"],
    ),
    (
        "UPDATE webhook_outbox SET endpoint_ids = endpoint_ids || ' whe_other'",
        &["outbox_endpoint"],
    ),
    (
        "UPDATE webhook_outbox SET type = 'code.created'",
        &["outbox_event"],
    ),
    (
        "UPDATE webhook_outbox SET event_at = event_at + 1",
        &["outbox_event"],
    ),
    (
        "UPDATE webhook_endpoints SET types = 'code.burnt'",
        &["endpoint_values"],
    ),
    (
        "UPDATE webhook_endpoints SET state = 'odd'",
        &["endpoint_values"],
    ),
    (
        "UPDATE webhook_endpoints SET state = 'failing'",
        &["endpoint_values"],
    ),
    (
        "UPDATE webhook_endpoints SET first_failure_at = 9, failures = 1, last_failure_at = 8",
        &["endpoint_values"],
    ),
    (
        "DELETE FROM events WHERE type = 'customer.created'",
        &["delivery_event"],
    ),
    (
        "UPDATE events SET type = 'code.created'",
        &["delivery_event"],
    ),
    (
        "UPDATE webhook_deliveries SET type = 'ping'",
        &["delivery_event"],
    ),
    (
        "UPDATE webhook_deliveries SET event_at = event_at + 1",
        &["delivery_event"],
    ),
    (
        "UPDATE events SET subject = (SELECT MIN(id) FROM webhook_endpoints)",
        &["delivery_event", "outbox_event"],
    ),
    (
        "UPDATE webhook_deliveries SET state = 'odd' WHERE state = 'failed'",
        &["delivery_event"],
    ),
    (
        "DELETE FROM work WHERE kind = 'webhook'",
        &["delivery_work"],
    ),
    (
        "UPDATE work SET lane = 'x' WHERE kind = 'webhook'",
        &["delivery_work"],
    ),
    (
        "UPDATE webhook_deliveries SET state = 'failed', ended_at = 1 WHERE state = 'waiting'",
        &["delivery_work"],
    ),
    (
        "UPDATE webhook_deliveries SET state = 'waiting', ended_at = NULL WHERE state = 'failed'",
        &["delivery_work"],
    ),
    (
        "UPDATE webhook_deliveries SET state = 'failed' WHERE state = 'delivered'",
        &["delivery_attempts"],
    ),
    (
        "UPDATE webhook_deliveries SET state = 'delivered' WHERE state = 'failed'",
        &["delivery_attempts"],
    ),
    (
        "UPDATE webhook_deliveries SET attempts = attempts + 1",
        &["delivery_attempts"],
    ),
    (
        "UPDATE webhook_deliveries SET attempts = 11 WHERE state = 'failed'",
        &["delivery_event", "delivery_attempts"],
    ),
    ("DELETE FROM webhook_attempts", &["delivery_attempts"]),
    (
        "UPDATE webhook_attempts SET number = number + 1",
        &["delivery_attempts"],
    ),
    (
        "UPDATE webhook_attempts SET error = NULL WHERE error IS NOT NULL",
        &["attempt_delivery", "delivery_attempts"],
    ),
    (
        "UPDATE webhook_attempts SET error = 'odd' WHERE error IS NOT NULL",
        &["attempt_values"],
    ),
    (
        "DELETE FROM webhook_deliveries",
        &["webhook_work", "attempt_delivery"],
    ),
];

#[test]
fn damage_to_webhooks_is_found() {
    for engine in ENGINES {
        let mut world = World::new(Db::new(engine));
        let endpoint = world.endpoint(Types::Every);
        for name in ["a", "b", "c"] {
            world.customer(name);
        }
        let jobs = world.claim(&endpoint, 2);
        world.conclude(&jobs[0], Meaning::Delivered);
        let again = world.replay(&endpoint, &jobs[0].to_send.delivery.id);
        let job = world.claim(&endpoint, 4).into_iter();
        let mut job = job.filter(|job| job.to_send.delivery.id == again.delivery.id);
        world.conclude(&job.next().unwrap(), Meaning::Again);
        world.customer("untold");
        world.db.assert_sound();
        for (sql, rules) in DAMAGES {
            let found = found_after(&world.db, sql);
            for rule in *rules {
                let is_found = found.contains(*rule);
                assert!(is_found, "{engine:?}: {sql}: {rule} not in {found:?}");
            }
        }
    }
}
