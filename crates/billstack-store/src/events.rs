//! The audit log, read back: why something is as it is.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::list::{Cursor, List, Order, Page, Part, Texts};
use crate::params;
use crate::tx::{Fault, Row, Tx};

/// Every list of events.
pub(crate) const LISTS: &[&List] = &[&STORY];

static STORY: List = List {
    name: "events of a referral",
    select: "SELECT id, type, subject, actor, request_id, facts, created_at FROM events \
        WHERE team_id = $1 AND referral_id = $2",
    scope: 2,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::OldestFirst,
    texts: Texts::new(),
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `evt_…`.
    pub id: String,
    /// Dotted name in the past tense, such as `referral.converted`.
    pub kind: String,
    /// The id or code of what changed.
    pub subject: String,
    /// Who did it, as [`crate::act::Actor::to_text`] writes it.
    pub actor: String,
    /// The request it happened in.
    pub request_id: String,
    /// Details, a JSON object.
    pub facts: String,
    /// When.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Event, Fault> {
    Ok(Event {
        id: row.string(0)?,
        kind: row.string(1)?,
        subject: row.string(2)?,
        actor: row.string(3)?,
        request_id: row.string(4)?,
        facts: row.string(5)?,
        created_at: row.time(6)?,
    })
}

/// The whole story of a referral, the oldest first.
pub fn story(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    referral_id: &str,
    page: &Page,
) -> Result<Part<Event>, Fault> {
    STORY.read(
        tx,
        params![team_id, referral_id],
        &[],
        page,
        decode,
        |event| Cursor {
            at: event.created_at.0,
            key: event.id.clone(),
        },
    )
}
