//! What is read outside of a project: by a person, or by an API key as far as it may read.
//!
//! A key that is good for one project sees that project alone, and whatever is in no project not at all.

use billstack_core::ids::{ProjectId, TeamId};

use super::api_keys::{self, ApiKey};
use super::callers::Credential;
use super::received::{self, EventFilter};
use super::refusal::{Abort, Refusal};
use crate::seam::list::{Page, Part};
use crate::seam::{Place, Tx};
use crate::tables::projects::{self, Project};
use crate::tables::stripe_events::{self, StripeEvent};

/// In so many parts of a list is looked for what is of one project.
const MOST_PARTS: usize = 10;

/// Who reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reader {
    /// A person, by their id.
    Person(String),
    /// An API key, by its hash.
    Key(String),
}

impl Reader {
    /// Who shows a credential: the person behind a session, or the key.
    pub fn new(credential: &Credential, user_id: Option<&str>) -> Option<Reader> {
        match credential {
            Credential::ApiKey(hash) => Some(Reader::Key(hash.clone())),
            Credential::Session(_) => user_id.map(|id| Reader::Person(id.to_owned())),
        }
    }

    /// The one project that is seen, where it is not every project of the team.
    fn only(&self, tx: &mut dyn Tx) -> Result<Option<ProjectId>, Abort> {
        match self {
            Reader::Person(_) => Ok(None),
            Reader::Key(hash) => Ok(key(tx, hash)?.1.project_id),
        }
    }
}

/// A key that was let in, and its team.
pub fn key(tx: &mut dyn Tx, hash: &str) -> Result<(TeamId, ApiKey), Abort> {
    Ok(api_keys::held(tx, hash)?.ok_or(Refusal::CallerNoLongerAllowed)?)
}

/// The projects of a team that somebody sees, the newest first.
pub fn projects(
    tx: &mut dyn Tx,
    reader: &Reader,
    team_id: &TeamId,
    page: &Page,
) -> Result<Part<Project>, Abort> {
    let Some(only) = reader.only(tx)? else {
        return Ok(projects::list(tx, team_id, page)?);
    };
    let is_first = page.after.is_none() && page.offset == 0;
    let found = projects::get(tx, &Place::new(team_id.clone(), only))?;
    Ok(Part {
        rows: found.filter(|_| is_first).into_iter().collect(),
        next: None,
    })
}

/// The events of Stripe that somebody sees; see [`received::list`]. Those of one project have no index of their own: they
/// are picked from a bounded part of all, so a page may be short, or empty, and not be the last.
pub fn stripe_events(
    tx: &mut dyn Tx,
    reader: &Reader,
    team_id: &TeamId,
    filter: &EventFilter,
    page: &Page,
) -> Result<Part<StripeEvent>, Abort> {
    let Some(only) = reader.only(tx)? else {
        return Ok(received::list(tx, team_id, filter, page)?);
    };
    let mut from = page.clone();
    let mut rows = Vec::new();
    for _ in 0..MOST_PARTS {
        let mut part = received::list(tx, team_id, filter, &from)?;
        part.rows
            .retain(|event| event.settled.project_id.as_ref() == Some(&only));
        rows.append(&mut part.rows);
        from.offset = 0;
        from.after = part.next;
        // Another part could bring more than a page may hold.
        if from.after.is_none() || !rows.is_empty() {
            break;
        }
    }
    Ok(Part {
        rows,
        next: from.after,
    })
}

/// An event of Stripe that somebody sees. Its body is for people: whatever Stripe knows of a customer may be in it.
pub fn stripe_event(
    tx: &mut dyn Tx,
    reader: &Reader,
    team_id: &TeamId,
    id: &str,
) -> Result<Option<StripeEvent>, Abort> {
    let only = reader.only(tx)?;
    let found = stripe_events::get(tx, team_id, id)?;
    let is_seen = |event: &StripeEvent| only.is_none() || event.settled.project_id == only;
    Ok(found.filter(is_seen).map(|event| match reader {
        Reader::Person(_) => event,
        Reader::Key(_) => StripeEvent {
            payload: None,
            ..event
        },
    }))
}
