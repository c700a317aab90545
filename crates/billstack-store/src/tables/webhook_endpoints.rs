//! Where webhooks of a project are sent. Secrets come and go sealed; the store cannot read them.

use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::{Disabled, Types};
use billstack_core::webhook::health::{EndpointState, Health};

use crate::seam::act::Listener;
use crate::seam::{Fault, Lane, Place, Row, Tx};
use crate::{params, statements};

/// SQL for the columns of an endpoint that is there.
macro_rules! columns {
    () => {
        "SELECT id, url, description, types, state, enabled_at, disabled_at, disabled_reason, first_failure_at, \
         failures, last_success_at, last_failure_at, created_at, version FROM webhook_endpoints \
         WHERE team_id = $1 AND project_id = $2 AND deleted_at IS NULL"
    };
}

statements! {
    GET = concat!(columns!(), " AND id = $3");
    OF_PROJECT = concat!(columns!(), " ORDER BY created_at, id");
    /// Who is told what: asked by every transaction that records an event in a project.
    LISTENING = "SELECT id, types FROM webhook_endpoints \
        WHERE team_id = $1 AND project_id = $2 AND deleted_at IS NULL AND disabled_at IS NULL ORDER BY id";
    SEALED = "SELECT team_id FROM webhook_endpoints WHERE secret IS NOT NULL LIMIT 1";
    TO_TEST = "SELECT url, secret, old_secret, old_valid_until FROM webhook_endpoints \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND deleted_at IS NULL";
    INSERT = "INSERT INTO webhook_endpoints (team_id, project_id, id, url, description, types, secret, state, \
        enabled_at, failures, created_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, 0, $8, 1)";
    UPDATE = "UPDATE webhook_endpoints SET url = $4, description = $5, types = $6, version = version + 1 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND version = $7 AND deleted_at IS NULL";
    ROTATE = "UPDATE webhook_endpoints SET secret = $4, old_secret = secret, old_valid_until = $5, \
        version = version + 1 WHERE team_id = $1 AND project_id = $2 AND id = $3 AND deleted_at IS NULL";
    /// Its row stays for what was sent to it.
    DELETE = "UPDATE webhook_endpoints SET secret = NULL, old_secret = NULL, old_valid_until = NULL, \
        deleted_at = $4, version = version + 1 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND deleted_at IS NULL";
    JUDGED = "UPDATE webhook_endpoints SET state = $4, enabled_at = $5, disabled_at = $6, disabled_reason = $7, \
        first_failure_at = $8, failures = $9, last_success_at = $10, last_failure_at = $11, version = version + 1 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3";
    FORGET = "DELETE FROM webhook_endpoints WHERE (team_id, project_id, id) IN (SELECT e.team_id, e.project_id, e.id \
        FROM webhook_endpoints AS e WHERE e.deleted_at IS NOT NULL AND e.deleted_at < $1 AND NOT EXISTS (SELECT 1 \
        FROM webhook_deliveries AS d WHERE d.team_id = e.team_id AND d.endpoint_id = e.id) AND NOT EXISTS (SELECT 1 \
        FROM webhook_outbox AS o WHERE o.team_id = e.team_id AND o.project_id = e.project_id \
        AND o.created_at <= e.deleted_at) LIMIT $2)";
    IS_TOLD = "SELECT id FROM webhook_endpoints WHERE team_id = $1 AND project_id = $2 AND id = $3 \
        AND deleted_at IS NULL AND disabled_at IS NULL";
    /// Endpoints with something due and a turn to give, so many after one of them in the order of their keys.
    /// For each it takes two steps into an index of work and one to the events of its project that nobody was told of,
    /// however much waits there.
    WITH_DUE = "SELECT e.team_id, e.project_id, e.id, \
        (SELECT w.run_after FROM work AS w WHERE w.team_id = e.team_id AND w.kind = 'webhook' AND w.lane = e.id \
            AND w.run_after <= $1 AND w.leased_until <= $1 ORDER BY w.run_after LIMIT 1), \
        (SELECT COUNT(*) FROM work AS u WHERE u.team_id = e.team_id AND u.kind = 'webhook' AND u.lane = e.id \
            AND u.leased_until > 0 AND u.leased_until > $1), \
        (SELECT o.created_at FROM webhook_outbox AS o WHERE o.team_id = e.team_id AND o.project_id = e.project_id \
            ORDER BY o.event_at, o.event_id LIMIT 1) \
        FROM webhook_endpoints AS e WHERE (e.team_id, e.project_id, e.id) > ($2, $3, $4) \
        ORDER BY e.team_id, e.project_id, e.id LIMIT $5";
}

/// An endpoint, but for its secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// `whe_…`.
    pub id: String,
    /// Where it is.
    pub url: String,
    /// What its owners say of it.
    pub description: Option<String>,
    /// What it is told.
    pub types: Types,
    /// How it does.
    pub health: Health,
    /// Since when it is told nothing, and why.
    pub disabled: Option<(Micros, Disabled)>,
    /// When it was made.
    pub created_at: Micros,
    /// How often it has been changed.
    pub version: i64,
}

fn decode(row: &dyn Row) -> Result<Endpoint, Fault> {
    let disabled = match row.opt_time(6)? {
        None => None,
        Some(at) => Some((at, row.read(7, Disabled::read)?)),
    };
    Ok(Endpoint {
        id: row.string(0)?,
        url: row.string(1)?,
        description: row.opt_string(2)?,
        types: row.read(3, Types::from_text)?,
        health: Health {
            state: row.read(4, EndpointState::read)?,
            enabled_at: row.time(5)?,
            first_failure_at: row.opt_time(8)?,
            failures: row.int(9)?,
            last_success_at: row.opt_time(10)?,
            last_failure_at: row.opt_time(11)?,
        },
        disabled,
        created_at: row.time(12)?,
        version: row.int(13)?,
    })
}

/// The endpoint with this id.
pub(crate) fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Endpoint>, Fault> {
    let scope = params![&place.team_id, &place.project_id, id];
    tx.one(GET, scope, decode)
}

/// Whether any endpoint has a sealed secret.
pub fn holds_secrets(tx: &mut dyn Tx) -> Result<bool, Fault> {
    tx.exists(SEALED, params![])
}

/// Where an endpoint is, and the secrets that are good at a time, sealed.
pub(crate) fn to_test(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    now: Micros,
) -> Result<Option<(String, Vec<String>)>, Fault> {
    let scope = params![&place.team_id, &place.project_id, id];
    tx.one(TO_TEST, scope, |row| {
        let is_good = row.opt_time(3)?.is_some_and(|until| until > now);
        let old = row.opt_string(2)?.filter(|_| is_good);
        let secrets = row.opt_string(1)?.into_iter().chain(old);
        Ok((row.string(0)?, secrets.collect()))
    })
}

/// The endpoints of a project, the oldest first; there are few.
pub fn of_project(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Endpoint>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.all(OF_PROJECT, scope, decode)
}

/// A row of [`LISTENING`].
pub(crate) fn decode_listener(row: &dyn Row) -> Result<Listener, Fault> {
    Ok(Listener {
        id: row.string(0)?,
        types: row.read(1, Types::from_text)?,
    })
}

/// Whether the endpoint of a lane is told of events.
pub(crate) fn is_told(tx: &mut dyn Tx, lane: &Lane) -> Result<bool, Fault> {
    let key = params![lane.team, lane.project, &lane.endpoint_id];
    tx.exists(IS_TOLD, key)
}

/// The endpoints of a project that are told of events.
pub(crate) fn listening(tx: &mut dyn Tx, place: &Place) -> Result<Vec<Listener>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.all(LISTENING, scope, decode_listener)
}

/// What a new endpoint is made of.
#[derive(Clone, Debug)]
pub struct NewEndpoint {
    /// Where it is.
    pub url: String,
    /// What its owners say of it.
    pub description: Option<String>,
    /// What it is told.
    pub types: Types,
}

/// Adds an endpoint with its secret, sealed.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    new: &NewEndpoint,
    secret: &str,
    at: Micros,
) -> Result<(), Fault> {
    let types = new.types.to_text();
    let row = params![
        &place.team_id,
        &place.project_id,
        id,
        &new.url,
        new.description.as_deref(),
        &types,
        secret,
        at,
    ];
    tx.must(INSERT, row)
}

/// Keeps what was changed of an endpoint, in place of the version that was read.
pub(crate) fn update(tx: &mut dyn Tx, place: &Place, endpoint: &Endpoint) -> Result<(), Fault> {
    let types = endpoint.types.to_text();
    let row = params![
        &place.team_id,
        &place.project_id,
        &endpoint.id,
        &endpoint.url,
        endpoint.description.as_deref(),
        &types,
        endpoint.version,
    ];
    tx.must(UPDATE, row)
}

/// Replaces the secret; the one before is good until a time.
pub(crate) fn rotate(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    secret: &str,
    old_valid_until: Micros,
) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        id,
        secret,
        old_valid_until
    ];
    tx.must(ROTATE, row)
}

/// Takes an endpoint away.
pub(crate) fn delete(tx: &mut dyn Tx, place: &Place, id: &str, at: Micros) -> Result<(), Fault> {
    tx.must(DELETE, params![&place.team_id, &place.project_id, id, at])
}

/// Keeps how an endpoint does; told later if there is none.
pub(crate) fn judged(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    health: &Health,
    disabled: Option<(Micros, Disabled)>,
) -> Result<(), Fault> {
    let (disabled_at, reason) = disabled.unzip();
    let row = params![
        &place.team_id,
        &place.project_id,
        id,
        health.state.as_str(),
        health.enabled_at,
        disabled_at,
        reason.as_ref().map(Disabled::as_str),
        health.first_failure_at,
        health.failures,
        health.last_success_at,
        health.last_failure_at,
    ];
    tx.must_later(JUDGED, row)
}

/// Forgets a number of endpoints that were taken away before a time and have no deliveries left. Returns how many.
pub(crate) fn forget(tx: &mut dyn Tx, before: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(FORGET, params![before, limit])
}

/// A page of endpoints: how many there were, the last of them, and those that can be given a turn, with the time at
/// which what is due there first was.
pub(crate) struct DuePage {
    pub(crate) seen: usize,
    pub(crate) last: Lane,
    pub(crate) due: Vec<(Lane, Micros)>,
}

/// The next endpoints after one in the order of their keys.
pub(crate) fn with_due(
    tx: &mut dyn Tx,
    now: Micros,
    at_once: i64,
    after: Lane,
    limit: i64,
) -> Result<DuePage, Fault> {
    let mut page = DuePage {
        seen: 0,
        due: Vec::new(),
        last: after.clone(),
    };
    let scope = params![now, after.team, after.project, &after.endpoint_id, limit];
    tx.query(WITH_DUE, scope, &mut |row| {
        let lane = Lane {
            team: row.int(0)?,
            project: row.int(1)?,
            endpoint_id: row.string(2)?,
        };
        page.seen += 1;
        page.last = lane.clone();
        let since = [row.opt_time(3)?, row.opt_time(5)?];
        if let Some(since) = since.into_iter().flatten().min()
            && row.int(4)? < at_once
        {
            page.due.push((lane, since));
        }
        Ok(())
    })?;
    Ok(page)
}
