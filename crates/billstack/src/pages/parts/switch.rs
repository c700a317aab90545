//! Where somebody is, and the way to their other projects and teams.

use billstack_core::ids::TeamId;
use billstack_core::project::ProjectMode;
use billstack_store::list::Page;
use billstack_store::projects::{self, Project};
use billstack_store::teams::{self, Team};
use billstack_store::{Fault, Tx};
use maud::{Markup, html};

use crate::pages::teams::project::address;
use crate::pages::view::View;

/// Projects and teams that are offered; all others are behind the names of theirs.
const MOST: i64 = 8;

/// Where somebody may go from here: the newest.
#[derive(Clone, Debug, Default)]
pub(in crate::pages) struct Places {
    projects: Vec<Project>,
    teams: Vec<Team>,
}

impl Places {
    /// The projects of this team, and the teams of this person.
    pub(in crate::pages) fn read(
        tx: &mut dyn Tx,
        team_id: &TeamId,
        user_id: &str,
    ) -> Result<Places, Fault> {
        let few = Page::first(MOST);
        let teams = teams::list_of_user(tx, user_id, &few)?.rows.into_iter();
        Ok(Places {
            projects: projects::list(tx, team_id, &few)?.rows,
            teams: teams.map(|of_user| of_user.team).collect(),
        })
    }
}

/// Whether nothing in a project is real.
fn is_test(project: &Project) -> bool {
    project.mode == ProjectMode::Test
}

/// The place, as the summary of a menu of others.
pub(in crate::pages) fn switch(view: &View) -> Markup {
    let Some(team) = &view.team else {
        return html! { @if view.person.is_some() { a href="/t" { "Teams" } } };
    };
    let is_here = |project: &Project| view.project.as_ref().is_some_and(|it| it.id == project.id);
    let others = view.places.teams.iter();
    let others: Vec<_> = others.filter(|other| other.id != team.id).collect();
    html! {
        details.menu.switch {
            summary aria-label={ "Team and project: " (team.name)
                @if let Some(project) = &view.project { " / " (project.name) @if is_test(project) { ", a test project" } } } {
                span { (team.name) @if let Some(project) = &view.project { " / " b { (project.name) } } }
                @if view.project.as_ref().is_some_and(is_test) { span.badge.test { "test" } }
            }
            div {
                @for project in &view.places.projects {
                    a href=(address(&team.id, &project.id)) aria-current=[is_here(project).then_some("true")] { (project.name) @if is_test(project) { " (test)" } }
                }
                a href={ "/t/" (team.id) } { "Team " (team.name) }
                @for other in others { a href={ "/t/" (other.id) } { "Team " (other.name) } }
                a href="/t" { "All teams" }
            }
        }
    }
}
