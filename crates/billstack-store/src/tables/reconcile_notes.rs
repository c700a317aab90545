//! Differences that were taken note of: they are told again only when they look different.

use billstack_core::ids::TeamId;
use billstack_core::reconcile::Drift;
use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT appearance FROM reconcile_notes WHERE team_id = $1 AND kind = $2 AND subject = $3";
    NOTE = "INSERT INTO reconcile_notes (team_id, kind, subject, appearance, noted_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (team_id, kind, subject) \
        DO UPDATE SET appearance = excluded.appearance, noted_at = excluded.noted_at";
}

/// What a difference looked like when it was taken note of.
pub(crate) fn get(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    kind: Drift,
    subject: &str,
) -> Result<Option<String>, Fault> {
    tx.one(GET, params![team_id, kind.as_str(), subject], |row| {
        row.string(0)
    })
}

/// Takes note of a difference that looks so.
pub(crate) fn note(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    (kind, subject): (Drift, &str),
    appearance: &str,
    at: Micros,
) -> Result<(), Fault> {
    tx.must(
        NOTE,
        params![team_id, kind.as_str(), subject, appearance, at],
    )
}
