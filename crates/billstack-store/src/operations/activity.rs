//! Who did what in a team.

use std::collections::{BTreeMap, BTreeSet};

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use crate::seam::list::{Cursor, Page, Part};
use crate::seam::{Fault, Tx};
use crate::tables::events::activity::{Range, program_before, read};
use crate::tables::{api_keys, found, users};

pub use crate::tables::events::activity::Deed;

/// How many events are read at once.
const AT_ONCE: i64 = 500;

/// How many events are looked at for one page.
const MOST_LOOKED_AT: i64 = 5_000;

/// What may be asked for.
#[derive(Clone, Debug, Default)]
pub struct ActivityFilter {
    /// By whom, such as `user:usr_…`.
    pub actor: Option<String>,
    /// Of which type.
    pub kind: Option<String>,
    /// What changed.
    pub subject: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// At this time or later.
    pub from: Option<Micros>,
    /// Before this time.
    pub to: Option<Micros>,
}

impl ActivityFilter {
    fn holds(&self, deed: &Deed) -> bool {
        let is = |wanted: &Option<String>, value: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == value)
        };
        is(&self.actor, &deed.actor)
            && is(&self.kind, &deed.kind)
            && is(&self.subject, &deed.subject)
            && is(&self.request_id, &deed.request_id)
    }

    /// Whether all that a range holds is wanted.
    fn is_met_by(&self, range: &Range) -> bool {
        let asked = [&self.actor, &self.kind, &self.subject, &self.request_id];
        let asked = asked.into_iter().flatten().count();
        asked <= usize::from(*range != Range::All)
    }

    /// The range that holds all that is wanted, and little else where an index leads to it.
    fn range(&self, tx: &mut dyn Tx, team_id: &TeamId) -> Result<Range, Fault> {
        if let Some(request) = &self.request_id {
            return Ok(Range::OfRequest(request.clone()));
        }
        if let Some(subject) = &self.subject {
            return Ok(match found::story_of(tx, team_id, subject)? {
                Some(referral) => Range::OfStory(referral),
                None => Range::OfSubject(subject.clone()),
            });
        }
        if let Some(actor) = self
            .actor
            .as_ref()
            .filter(|actor| actor.starts_with("user:"))
        {
            return Ok(Range::ByPerson(actor.clone()));
        }
        // Whatever happens to referrals, credits and deliveries may be part of a story.
        let is_told = |kind: &&String| {
            ["referral.", "credit.", "delivery."]
                .iter()
                .any(|of| kind.starts_with(of))
        };
        Ok(match self.kind.as_ref().filter(|kind| !is_told(kind)) {
            Some(kind) => Range::BesideStories(kind.clone()),
            None => Range::All,
        })
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// As the log has it.
    pub deed: Deed,
    /// What the person or the key is called who did it; none where it was neither.
    pub actor_name: Option<String>,
    /// What the program was before, where it was changed: facts like those of the change.
    pub before: Option<String>,
}

/// What was done in a team, the latest first. A page may have fewer rows than asked for, and another page after it: so
/// far was looked.
pub fn list(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    filter: &ActivityFilter,
    page: &Page,
) -> Result<Part<Told>, Fault> {
    let range = filter.range(tx, team_id)?;
    let from = filter.from.unwrap_or(Micros(i64::MIN));
    let mut before = Cursor {
        at: filter.to.map_or(i64::MAX, |to| to.0),
        key: String::new(),
    };
    // The earlier of the two.
    if let Some(after) = page.after.as_ref().filter(|after| after.at < before.at) {
        before = after.clone();
    }
    let (mut rows, mut looked_at, mut more) = (Vec::new(), 0, true);
    let mut names = BTreeMap::new();
    let at_once = match filter.is_met_by(&range) {
        true => page.limit + 1,
        false => AT_ONCE,
    };
    let limit = usize::try_from(page.limit).unwrap_or_default();
    while more && rows.len() < limit && looked_at < MOST_LOOKED_AT {
        let deeds = read(tx, team_id, &range, (&before, from), at_once)?;
        more = i64::try_from(deeds.len()).is_ok_and(|count| count == at_once);
        for deed in deeds {
            if rows.len() == limit {
                more = true;
                break;
            }
            looked_at += 1;
            before = Cursor {
                at: deed.at.0,
                key: deed.id.clone(),
            };
            if filter.holds(&deed) {
                rows.push(told(tx, team_id, &mut names, deed)?);
            }
        }
    }
    Ok(Part {
        rows,
        next: more.then_some(before),
    })
}

fn told(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    names: &mut BTreeMap<String, Option<String>>,
    deed: Deed,
) -> Result<Told, Fault> {
    let before = match &deed.project_id {
        Some(project_id) if deed.kind == "program.updated" => {
            program_before(tx, team_id, project_id, &deed)?
        }
        _ => None,
    };
    let actor_name = match names.get(&deed.actor) {
        Some(known) => known.clone(),
        None => {
            let name = name_of(tx, team_id, &deed.actor)?;
            names.insert(deed.actor.clone(), name.clone());
            name
        }
    };
    Ok(Told {
        deed,
        actor_name,
        before,
    })
}

/// What the people and the keys are called that stand among these actors.
pub fn names<'a>(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    actors: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut names = BTreeMap::new();
    for actor in actors.collect::<BTreeSet<_>>() {
        if let Some(name) = name_of(tx, team_id, actor)? {
            names.insert(actor.to_owned(), name);
        }
    }
    Ok(names)
}

/// What a person or a key is called.
fn name_of(tx: &mut dyn Tx, team_id: &TeamId, actor: &str) -> Result<Option<String>, Fault> {
    Ok(match actor.split_once(':') {
        Some(("user", id)) => users::get(tx, id)?.map(|user| user.name),
        Some(("api_key", id)) => api_keys::get(tx, team_id, id)?.map(|key| key.name),
        _ => None,
    })
}
