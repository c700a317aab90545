//! The log of a team as an audit log: who did what, the latest first.
//!
//! No column of the log but its time and its stories has an index for everything, because each event would pay for it.
//! What people do, and what is no part of a story, is rare and has one. Anything else is looked for from the latest on,
//! so far at a time.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::time::Micros;

use super::super::projects::project_of;
use super::log;
use crate::seam::list::Cursor;
use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::{params, statements};

/// A range of the log by what follows the `WHERE`: before `$2` and `$3`, from `$4` on, `$5` rows.
macro_rules! range_where {
    ($condition:literal) => {
        concat!(
            "SELECT e.created_at, e.id, CASE WHEN e.project_id IS NULL THEN NULL ELSE ",
            project_of!("e"),
            " END, e.type, e.subject, e.referral_id, e.actor, e.request_id, e.facts FROM events e \
             WHERE e.team_id = $1 AND (e.created_at, e.id) < ($2, $3) AND e.created_at >= $4",
            $condition,
            " ORDER BY e.created_at DESC, e.id DESC LIMIT $5"
        )
    };
}

statements! {
    ALL = range_where!("");
    BY_PERSON = range_where!(" AND substr(e.actor, 1, 5) = 'user:' AND e.actor = $6");
    BESIDE_STORIES = range_where!(" AND e.referral_id IS NULL AND e.type = $6");
    OF_SUBJECT = range_where!(" AND e.referral_id IS NULL AND e.subject = $6");
    OF_STORY = range_where!(" AND e.referral_id = $6");
    OF_REQUEST = range_where!(" AND e.request_id = $6");
}

/// What is looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Range {
    /// All that happened.
    All,
    /// What a person did.
    ByPerson(String),
    /// What is of a type and part of no story.
    BesideStories(String),
    /// What happened to something, and is part of no story.
    OfSubject(String),
    /// The story of a referral.
    OfStory(String),
    /// What happened in a request.
    OfRequest(String),
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq)]
pub struct Deed {
    /// When.
    pub at: Micros,
    /// `evt_…`.
    pub id: String,
    /// In which project; none where it is about the team.
    pub project_id: Option<ProjectId>,
    /// Its type.
    pub kind: String,
    /// The id or code of what changed.
    pub subject: String,
    /// Whose story it is part of.
    pub referral_id: Option<String>,
    /// Who did it.
    pub actor: String,
    /// The request it happened in.
    pub request_id: String,
    /// Details, a JSON object.
    pub facts: String,
}

fn decode(row: &dyn Row) -> Result<Deed, Fault> {
    Ok(Deed {
        at: row.time(0)?,
        id: row.string(1)?,
        project_id: row.opt_string(2)?.map(|id| ProjectId::from(&*id)),
        kind: row.string(3)?,
        subject: row.string(4)?,
        referral_id: row.opt_string(5)?,
        actor: row.string(6)?,
        request_id: row.string(7)?,
        facts: row.string(8)?,
    })
}

/// A part of a range of the log: before a place and from a time on, the latest first, so many at most.
pub(crate) fn read(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    range: &Range,
    (before, from): (&Cursor, Micros),
    limit: i64,
) -> Result<Vec<Deed>, Fault> {
    let (sql, value) = match range {
        Range::All => (ALL, None),
        Range::ByPerson(actor) => (BY_PERSON, Some(actor)),
        Range::BesideStories(kind) => (BESIDE_STORIES, Some(kind)),
        Range::OfSubject(subject) => (OF_SUBJECT, Some(subject)),
        Range::OfStory(referral) => (OF_STORY, Some(referral)),
        Range::OfRequest(request) => (OF_REQUEST, Some(request)),
    };
    let mut scope = params![team_id, before.at, &before.key, from, limit].to_vec();
    scope.extend(value.map(|value| Val::from(&**value)));
    tx.all(sql, &scope, decode)
}

/// What the program was before a change of it, as the log tells.
pub(crate) fn program_before(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    project_id: &ProjectId,
    deed: &Deed,
) -> Result<Option<String>, Fault> {
    let place = Place::new(team_id.clone(), project_id.clone());
    let earlier = (Micros(i64::MIN), deed.at);
    let last = log::program_changes(tx, &place, earlier, 1)?
        .into_iter()
        .next();
    let Some((at, id)) = last else {
        return Ok(None);
    };
    tx.one(log::GET, params![team_id, at, &id], |row| {
        Ok(log::decode(row)?.facts)
    })
}
