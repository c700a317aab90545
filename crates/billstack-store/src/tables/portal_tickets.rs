//! Tickets to customers' own pages. One is good once, and goes when it is used.

use billstack_core::ids::TeamId;
use billstack_core::portal::{Locale, Session};
use billstack_core::time::Micros;

use super::projects::project_of;
use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO portal_tickets (team_id, ticket_hash, project_id, customer_id, epoch, read_only, locale, \
        created_at, expires_at, session_ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    FIND = concat!("SELECT ", project_of!("portal_tickets"), ", customer_id, epoch, read_only, locale, created_at, \
        session_ends_at FROM portal_tickets WHERE team_id = $1 AND ticket_hash = $2 AND expires_at > $3");
    USE = "DELETE FROM portal_tickets WHERE team_id = $1 AND ticket_hash = $2";
    DROP_OF_CUSTOMER = "DELETE FROM portal_tickets WHERE team_id = $1 AND project_id = $2 AND customer_id = $3";
    DROP_EXPIRED = "DELETE FROM portal_tickets WHERE (team_id, ticket_hash) IN (\
        SELECT team_id, ticket_hash FROM portal_tickets WHERE expires_at < $1 LIMIT $2)";
}

/// Keeps a ticket for a session.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    ticket_hash: &str,
    session: &Session,
    expires_at: Micros,
) -> Result<(), Fault> {
    let row = params![
        &place.team_id,
        ticket_hash,
        &place.project_id,
        &session.customer_id,
        session.epoch,
        session.read_only,
        session.locale.as_ref().map(Locale::as_str),
        session.issued_at,
        expires_at,
        session.expires_at,
    ];
    tx.must(INSERT, row)
}

/// The session that a ticket is good for, if the ticket is not over. It stays until it is [`used`](use_up).
pub(crate) fn find(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    ticket_hash: &str,
    now: Micros,
) -> Result<Option<Session>, Fault> {
    tx.one(FIND, params![team_id, ticket_hash, now], |row| {
        Ok(Session {
            team_id: team_id.clone(),
            project_id: row.project_id(0)?,
            customer_id: row.string(1)?,
            epoch: row.int(2)?,
            read_only: row.flag(3)?,
            locale: row.opt_read(4, Locale::read)?,
            issued_at: row.time(5)?,
            expires_at: row.time(6)?,
        })
    })
}

/// Uses a ticket up; tells whether nobody was first.
pub(crate) fn use_up(tx: &mut dyn Tx, team_id: &TeamId, ticket_hash: &str) -> Result<bool, Fault> {
    tx.hit(USE, params![team_id, ticket_hash])
}

/// Takes the tickets of a customer away.
pub(crate) fn drop_of_customer(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<(), Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.execute(DROP_OF_CUSTOMER, scope).map(|_| ())
}

/// Drops tickets that nobody has used in time. Returns how many.
pub(crate) fn drop_expired(tx: &mut dyn Tx, now: Micros, limit: i64) -> Result<u64, Fault> {
    tx.execute(DROP_EXPIRED, params![now, limit])
}
