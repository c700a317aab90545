//! Projects of a team.

use billstack_core::event::Event;
use billstack_core::ids::{IdKind, ProjectId, TeamId};
use billstack_core::project::ProjectMode;

use super::refusal::Abort;
use super::{links, programs};
use crate::seam::{Act, Place, Tx};
use crate::tables::{events, projects};

pub use crate::tables::projects::{Project, exists, get, list};

/// Creates a live project, with a program that is switched off.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    name: &str,
) -> Result<Project, Abort> {
    create_in_mode(tx, act, team_id, name, ProjectMode::Live)
}

/// [`create`] for a project of either mode.
pub fn create_in_mode(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    name: &str,
    mode: ProjectMode,
) -> Result<Project, Abort> {
    let project = Project {
        id: ProjectId::from(act.id(IdKind::Project)),
        name: name.to_owned(),
        mode,
        created_at: act.at,
    };
    projects::insert(tx, team_id, &project)?;
    let place = Place::new(team_id.clone(), project.id.clone());
    programs::create_default(tx, act, &place)?;
    links::name(tx, act, &place)?;
    let event = Event::ProjectCreated { name };
    events::record(tx, act, &place, project.id.as_str(), &event)?;
    Ok(project)
}
