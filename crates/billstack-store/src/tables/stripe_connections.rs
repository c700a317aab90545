//! Connections of teams to Stripe. Secrets come and go sealed; the store cannot read them.

use billstack_core::delivery::Pause;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use super::teams::team_of;
use crate::seam::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT is_active, secret_key, publishable_key, webhook_secret, old_webhook_secret, \
        old_valid_until, livemode, account_id, account_name, connected_at, endpoint_id, delivery_pause, \
        delivery_lacks, delivery_paused_until, secret_version FROM stripe_connections WHERE team_id = $1";
    IS_ACTIVE = "SELECT team_id FROM stripe_connections WHERE team_id = $1 AND is_active";
    /// The connections of all teams, so that the server can check at its start that their secrets open.
    ACTIVE = concat!("SELECT is_active, secret_key, publishable_key, webhook_secret, \
        old_webhook_secret, old_valid_until, livemode, account_id, account_name, connected_at, \
        endpoint_id, delivery_pause, delivery_lacks, delivery_paused_until, secret_version, ",
        team_of!("stripe_connections"), " FROM stripe_connections WHERE is_active \
        ORDER BY team_id LIMIT 1000");
    LIVEMODE = "SELECT livemode FROM stripe_connections WHERE team_id = $1 AND is_active";
    /// Finds a team that is connected with a secret key.
    WITH_SECRET_KEY = "SELECT livemode FROM stripe_connections \
        WHERE team_id = $1 AND is_active AND secret_key IS NOT NULL";
    DELIVERIES = "SELECT delivery_paused_until FROM stripe_connections \
        WHERE team_id = $1 AND is_active AND secret_key IS NOT NULL";
    SEALED = "SELECT team_id FROM stripe_connections WHERE secret_key IS NOT NULL \
        OR webhook_secret IS NOT NULL OR old_webhook_secret IS NOT NULL LIMIT 1";
    PUT = "INSERT INTO stripe_connections (team_id, is_active, secret_key, publishable_key, \
        webhook_secret, livemode, account_id, account_name, connected_at, endpoint_id, probe) \
        VALUES ($1, TRUE, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
        ON CONFLICT (team_id) DO UPDATE SET is_active = excluded.is_active, \
        secret_key = excluded.secret_key, publishable_key = excluded.publishable_key, \
        webhook_secret = excluded.webhook_secret, old_webhook_secret = NULL, \
        secret_version = stripe_connections.secret_version + 1, \
        old_valid_until = NULL, livemode = excluded.livemode, \
        account_id = excluded.account_id, account_name = excluded.account_name, \
        connected_at = excluded.connected_at, probe = excluded.probe, \
        endpoint_id = COALESCE(excluded.endpoint_id, stripe_connections.endpoint_id), \
        delivery_pause = NULL, delivery_lacks = NULL, delivery_paused_until = NULL";
    DISCONNECT = "UPDATE stripe_connections SET is_active = FALSE, secret_key = NULL, \
        publishable_key = NULL, webhook_secret = NULL, old_webhook_secret = NULL, \
        old_valid_until = NULL, endpoint_id = NULL, probe = NULL WHERE team_id = $1 AND is_active";
    PROBE = "SELECT probe FROM stripe_connections WHERE team_id = $1 AND is_active";
    /// Only of the connection that was looked at: another one has another key.
    PROBED = "UPDATE stripe_connections SET probe = $3 \
        WHERE team_id = $1 AND is_active AND secret_key = $2";
    PAUSE = "UPDATE stripe_connections SET delivery_pause = $2, delivery_lacks = $3, delivery_paused_until = $4 \
        WHERE team_id = $1 AND is_active AND connected_at = $5";
    /// Of several who would try, one does.
    TRY_AGAIN = "UPDATE stripe_connections SET delivery_paused_until = $3 \
        WHERE team_id = $1 AND delivery_paused_until = $2";
    RESUME = "UPDATE stripe_connections SET delivery_pause = NULL, delivery_lacks = NULL, \
        delivery_paused_until = NULL WHERE team_id = $1 AND delivery_pause IS NOT NULL";
    ROLL = "UPDATE stripe_connections SET webhook_secret = $2, secret_version = secret_version + 1, \
        old_webhook_secret = webhook_secret, old_valid_until = CASE \
        WHEN webhook_secret IS NULL THEN NULL ELSE CAST($3 AS BIGINT) END \
        WHERE team_id = $1 AND is_active";
}

/// Whether a team is connected with a secret key, so that Stripe can be asked.
pub fn has_secret_key(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.exists(WITH_SECRET_KEY, params![team_id])
}

/// Whether anything can be delivered for a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deliveries {
    /// As usual.
    Usual,
    /// Nothing is until this time, when it is tried again.
    PausedUntil(Micros),
    /// It has no secret key connected.
    Impossible,
}

/// Whether anything can be delivered for the team with this number.
pub(crate) fn deliveries(tx: &mut dyn Tx, team: i64) -> Result<Deliveries, Fault> {
    let found = tx.one(DELIVERIES, params![team], |row| row.opt_time(0))?;
    Ok(match found {
        None => Deliveries::Impossible,
        Some(None) => Deliveries::Usual,
        Some(Some(until)) => Deliveries::PausedUntil(until),
    })
}

/// How a team is, or was, connected to Stripe.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Whether it is in use; a connection that is not has no keys and no secrets.
    pub is_active: bool,
    /// The secret API key, sealed.
    pub secret_key: Option<String>,
    /// The publishable API key.
    pub publishable_key: Option<String>,
    /// The secret that webhooks are signed with, sealed.
    pub webhook_secret: Option<String>,
    /// The number of that secret among those that the team has had.
    pub secret_version: i64,
    /// The one before it, sealed.
    pub old_webhook_secret: Option<String>,
    /// From when on the one before it is not valid any more.
    pub old_valid_until: Option<Micros>,
    /// Whether the keys are live ones; `None` when nothing tells.
    pub livemode: Option<bool>,
    /// The Stripe account, when a secret key told it.
    pub account_id: Option<String>,
    /// The name of that account.
    pub account_name: Option<String>,
    /// When it was last connected.
    pub connected_at: Micros,
    /// The webhook endpoint that we made in Stripe last, unless it was taken away again.
    pub endpoint_id: Option<String>,
    /// Why nothing is delivered at present, if so.
    pub pause: Option<Paused>,
}

/// Why nothing of a team is delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Paused {
    /// The reason.
    pub reason: Pause,
    /// The permission that its key lacks, where Stripe named it.
    pub lacks: Option<String>,
    /// When it is tried again.
    pub until: Micros,
}

fn decode(row: &dyn Row) -> Result<Connection, Fault> {
    Ok(Connection {
        is_active: row.flag(0)?,
        secret_key: row.opt_string(1)?,
        publishable_key: row.opt_string(2)?,
        webhook_secret: row.opt_string(3)?,
        secret_version: row.int(14)?,
        old_webhook_secret: row.opt_string(4)?,
        old_valid_until: row.opt_time(5)?,
        livemode: row.opt_flag(6)?,
        account_id: row.opt_string(7)?,
        account_name: row.opt_string(8)?,
        connected_at: row.time(9)?,
        endpoint_id: row.opt_string(10)?,
        pause: match row.opt_text(11)? {
            None => None,
            Some(_) => Some(Paused {
                reason: row.read(11, Pause::read)?,
                lacks: row.opt_string(12)?,
                until: row.opt_time(13)?.unwrap_or(Micros(0)),
            }),
        },
    })
}

/// The team's connection, active or not; `None` when there never was one.
pub fn get(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<Connection>, Fault> {
    tx.one(GET, params![team_id], decode)
}

/// Whether the team is connected.
pub(crate) fn is_active(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.exists(IS_ACTIVE, params![team_id])
}

/// Whether an event is of another mode than a team is connected in, as far as both are known.
pub fn modes_differ(ours: Option<bool>, theirs: Option<bool>) -> bool {
    ours.zip(theirs)
        .is_some_and(|(ours, theirs)| ours != theirs)
}

/// Whether the team is connected in live mode; `None` where nothing tells.
pub(crate) fn livemode(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<bool>, Fault> {
    Ok(tx
        .one(LIVEMODE, params![team_id], |row| row.opt_flag(0))?
        .flatten())
}

/// Whether any team has a sealed secret.
pub fn holds_secrets(tx: &mut dyn Tx) -> Result<bool, Fault> {
    tx.exists(SEALED, params![])
}

/// The teams that are connected, up to a thousand of them.
pub fn active(tx: &mut dyn Tx) -> Result<Vec<(TeamId, Connection)>, Fault> {
    tx.all(ACTIVE, params![], |row| {
        Ok((row.team_id(15)?, decode(row)?))
    })
}

/// What a team is connected with.
#[derive(Clone, Debug, Default)]
pub struct NewConnection {
    /// The secret API key, sealed.
    pub secret_key: Option<String>,
    /// The publishable API key.
    pub publishable_key: Option<String>,
    /// The secret that webhooks are signed with, sealed; none as long as there is no endpoint.
    pub webhook_secret: Option<String>,
    /// Whether the keys are live ones.
    pub livemode: Option<bool>,
    /// The Stripe account.
    pub account_id: Option<String>,
    /// The name of that account.
    pub account_name: Option<String>,
    /// The webhook endpoint that we made for it; without one the last that we made stays known.
    pub endpoint_id: Option<String>,
    /// What the key may do, as it was found out just now.
    pub probe: Option<String>,
}

/// Keeps what a team is connected with, in place of anything before.
pub(crate) fn put(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    new: &NewConnection,
    at: Micros,
) -> Result<(), Fault> {
    let row = params![
        team_id,
        new.secret_key.as_deref(),
        new.publishable_key.as_deref(),
        new.webhook_secret.as_deref(),
        new.livemode,
        new.account_id.as_deref(),
        new.account_name.as_deref(),
        at,
        new.endpoint_id.as_deref(),
        new.probe.as_deref(),
    ];
    tx.must(PUT, row)
}

/// What the key of a team may do, as it was last found out.
pub fn probe(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<String>, Fault> {
    let found = tx.one(PROBE, params![team_id], |row| row.opt_string(0))?;
    Ok(found.flatten())
}

/// Keeps what a key may do; tells whether it is still the team's.
pub fn probed(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    secret_key: &str,
    probe: &str,
) -> Result<bool, Fault> {
    tx.hit(PROBED, params![team_id, secret_key, probe])
}

/// Removes keys and secrets; tells whether the team was connected.
pub(crate) fn deactivate(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.hit(DISCONNECT, params![team_id])
}

/// Lets nothing of a team be delivered until a time, by what was learnt of this connection.
pub(crate) fn pause(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    connection: &Connection,
    paused: &Paused,
) -> Result<bool, Fault> {
    let row = params![
        team_id,
        paused.reason.as_str(),
        paused.lacks.as_deref(),
        paused.until,
        connection.connected_at
    ];
    tx.hit(PAUSE, row)
}

/// Takes the turn to try whether a pause is over; tells whether nobody else has.
pub(crate) fn try_again(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    paused: &Paused,
    until: Micros,
) -> Result<bool, Fault> {
    tx.hit(TRY_AGAIN, params![team_id, paused.until, until])
}

/// Ends a pause; tells whether there was one.
pub(crate) fn resume(tx: &mut dyn Tx, team_id: &TeamId) -> Result<bool, Fault> {
    tx.hit(RESUME, params![team_id])
}

/// Replaces the webhook secret; tells whether the team was connected.
pub(crate) fn roll(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    webhook_secret: &str,
    old_valid_until: Micros,
) -> Result<bool, Fault> {
    tx.hit(ROLL, params![team_id, webhook_secret, old_valid_until])
}
