//! Webhooks: each delivery has its event and its endpoint, and is where its attempts and the queue say it is.

use billstack_core::event::Facts;
use billstack_core::webhook::attempt::AttemptError;
use billstack_core::webhook::endpoint::{Disabled, Types};
use billstack_core::webhook::health::EndpointState;
use billstack_core::webhook::schedule::ATTEMPTS;
use billstack_core::webhook::types::Type;

use super::{Reads, Rule};
use crate::seam::{Fault, Row};
use crate::tables::webhook_outbox;

declare_rules! {
    endpoint_number, "a project has ten webhook endpoints at most" =
        concat!("SELECT MIN(e.id), ", place_of!("e"), " FROM webhook_endpoints e WHERE e.deleted_at IS NULL \
        GROUP BY e.team_id, e.project_id HAVING COUNT(*) > 10 LIMIT 100");

    delivery_endpoint, "the endpoint of a webhook exists in its project" =
        concat!("SELECT d.id, ", place_of!("d"), " FROM webhook_deliveries d LEFT JOIN webhook_endpoints e \
        ON e.team_id = d.team_id AND e.project_id = d.project_id AND e.id = d.endpoint_id \
        WHERE e.id IS NULL LIMIT 100");

    delivery_work, "a webhook is in the queue exactly as long as it waits, in the lane of its endpoint" =
        concat!("SELECT d.id, ", place_of!("d"), " FROM webhook_deliveries d LEFT JOIN work w \
        ON w.team_id = d.team_id AND w.project_id = d.project_id AND w.kind = 'webhook' AND w.subject = d.id \
        AND w.lane = d.endpoint_id WHERE (d.state = 'waiting') <> (w.subject IS NOT NULL) LIMIT 100");

    webhook_work, "a webhook in the queue is there" =
        concat!("SELECT w.subject, ", place_of!("w"), " FROM work w LEFT JOIN webhook_deliveries d \
        ON d.team_id = w.team_id AND d.project_id = w.project_id AND d.id = w.subject \
        WHERE w.kind = 'webhook' AND d.id IS NULL LIMIT 100");

    outbox_endpoint, "an endpoint that is still to be told of an event exists in its project" =
        concat!("SELECT o.event_id, ", place_of!("o"), " FROM webhook_outbox o WHERE (SELECT COUNT(*) FROM \
        webhook_endpoints e WHERE e.team_id = o.team_id AND e.project_id = o.project_id \
        AND ' ' || o.endpoint_ids || ' ' LIKE '% ' || e.id || ' %') \
        <> LENGTH(o.endpoint_ids) - LENGTH(REPLACE(o.endpoint_ids, ' ', '')) + 1 LIMIT 100");

    attempt_delivery, "an attempt is of a webhook that exists, and says that the endpoint took it or why not" =
        concat!("SELECT a.delivery_id, ", crate::tables::teams::team_of!("a"), " FROM webhook_attempts a \
        LEFT JOIN webhook_deliveries d ON d.team_id = a.team_id AND d.id = a.delivery_id \
        WHERE d.id IS NULL OR (a.error IS NULL AND COALESCE(a.status, 0) NOT BETWEEN 200 AND 299) LIMIT 100");

    delivery_attempts, "a webhook has as many attempts as it says; the last one and no other succeeded if it is \
        delivered, and none otherwise" =
        concat!("SELECT d.id, ", place_of!("d"), " FROM webhook_deliveries d LEFT JOIN webhook_attempts a \
        ON a.team_id = d.team_id AND a.delivery_id = d.id \
        GROUP BY d.team_id, d.project_id, d.id, d.state, d.attempts \
        HAVING COUNT(a.number) <> d.attempts OR COALESCE(MAX(a.number), 0) <> d.attempts \
        OR COALESCE(SUM(CASE WHEN a.error IS NULL AND a.number IS NOT NULL THEN a.number END), 0) \
        <> CASE WHEN d.state = 'delivered' THEN d.attempts ELSE 0 END LIMIT 100");
}

/// Rules that read rows one by one.
pub(super) const READ_ROWS: &[Rule] = &[
    Rule {
        name: "endpoint_values",
        holds: "a webhook endpoint wants known types, is how its failures say, and is disabled for a known reason",
        sql: concat!(
            "SELECT id, ",
            place_of!("webhook_endpoints"),
            ", types, state, disabled_reason, first_failure_at, last_failure_at, disabled_at \
             FROM webhook_endpoints"
        ),
        reads: Reads::Once,
        breaks: is_no_endpoint,
    },
    Rule {
        name: "delivery_event",
        holds: "a webhook is of an event of its project, told as it should be, and tried as often as it may be",
        sql: concat!(
            "SELECT d.id, ",
            place_of!("d"),
            ", d.team_id, d.id, d.type, d.state, d.is_replay, d.attempts, v.type, v.facts, d.endpoint_id, v.subject \
             FROM (SELECT team_id, project_id, id, type, state, is_replay, attempts, event_at, event_id, endpoint_id \
             FROM webhook_deliveries WHERE (team_id, id) > ($1, $2) ORDER BY team_id, id LIMIT $3) d \
             LEFT JOIN events v ON v.team_id = d.team_id AND v.created_at = d.event_at AND v.id = d.event_id \
             AND v.project_id = d.project_id ORDER BY d.team_id, d.id"
        ),
        reads: Reads::InPages,
        breaks: is_no_delivery,
    },
    Rule {
        name: "outbox_event",
        holds: "what endpoints are still to be told of is an event of their project, told as it should be, and of \
                none of them",
        sql: concat!(
            "SELECT o.event_id, ",
            place_of!("o"),
            ", o.type, o.endpoint_ids, v.type, v.facts, v.subject FROM webhook_outbox o \
             LEFT JOIN events v ON v.team_id = o.team_id AND v.created_at = o.event_at AND v.id = o.event_id \
             AND v.project_id = o.project_id"
        ),
        reads: Reads::Once,
        breaks: is_not_to_be_told,
    },
    Rule {
        name: "attempt_values",
        holds: "an attempt failed for a known reason, if it did",
        sql: concat!(
            "SELECT delivery_id, ",
            crate::tables::teams::team_of!("webhook_attempts"),
            ", error FROM webhook_attempts WHERE error IS NOT NULL"
        ),
        reads: Reads::Once,
        breaks: |row| Ok(row.read(2, AttemptError::read)?.known().is_none()),
    },
];

fn is_no_endpoint(row: &dyn Row) -> Result<bool, Fault> {
    let types = row.read(2, Types::from_text)?;
    let all_known = match &types {
        Types::Every => true,
        Types::Only(types) => types.iter().all(|kind| kind.known().is_some()),
    };
    let state = row.read(3, EndpointState::read)?;
    let reason = row.opt_text(4)?.map(Disabled::read);
    let is_reason = reason.is_none_or(|reason| reason.is_some_and(|word| word.known().is_some()));
    let (first, last) = (row.opt_int(5)?, row.opt_int(6)?);
    let in_order = first.is_none_or(|first| last.is_some_and(|last| last >= first));
    let has_failed = first.is_some() || state != EndpointState::Failing;
    let is_off = (state == EndpointState::Disabled) == row.opt_int(7)?.is_some();
    Ok(!(all_known && state.known().is_some() && is_reason && in_order && has_failed && is_off))
}

fn is_not_to_be_told(row: &dyn Row) -> Result<bool, Fault> {
    let Some(logged) = row.opt_text(4)? else {
        return Ok(true);
    };
    let told = Type::of_logged(logged, &Facts::read(row.text(5)?));
    let (endpoints, subject) = (row.text(3)?, row.text(6)?);
    let of_another = webhook_outbox::ids(endpoints).all(|id| id != subject);
    Ok(told != Some(row.read(2, Type::read)?) || !of_another)
}

fn is_no_delivery(row: &dyn Row) -> Result<bool, Fault> {
    let (state, attempts) = (row.text(5)?, row.int(7)?);
    let is_state = matches!(state, "waiting" | "delivered" | "failed");
    let most = if row.flag(6)? { 1 } else { ATTEMPTS };
    let Some(logged) = row.opt_text(8)? else {
        return Ok(true);
    };
    let told = Type::of_logged(logged, &Facts::read(row.text(9)?));
    let is_told = told == Some(row.read(4, Type::read)?);
    // None is told of what happens to itself.
    let of_another = row.text(10)? != row.text(11)?;
    Ok(!(is_state && attempts <= most && is_told && of_another))
}
