//! What whoever writes a program needs to know of a team and its projects.

use billstack_core::ids::TeamId;
use billstack_store::projects::Project;
use maud::{Markup, html};

use super::notice::copyable;
use super::time::moment;
use crate::app::App;

/// As many projects are named.
const MOST: usize = 5;

/// The ids, and where calls go.
pub(in crate::pages) fn programs(app: &App, team_id: &TeamId, projects: &[Project]) -> Markup {
    let calls = format!("{}/api/billstack/teams/{team_id}/projects/", app.base_url());
    html! {
        section #programs {
            h2 { "For programs" }
            dl.facts {
                @for project in projects.iter().take(MOST) {
                    div {
                        dt { "Project " (project.name) }
                        dd { (copyable(project.id.as_str())) " " span.quiet { "made " (moment(project.created_at)) } }
                    }
                }
                div { dt { "Team" } dd { (copyable(team_id.as_str())) } }
                @match projects {
                    [only] => { div { dt { "Calls begin with" } dd { (copyable(&format!("{calls}{}", only.id))) } } },
                    _ => { div { dt { "Calls begin with" } dd { (copyable(&calls)) " " span.quiet { "and the id of a project" } } } },
                }
            }
            @if projects.len() > MOST { p.quiet { "These are the newest. The id of any other stands in the address of its pages." } }
            p { a href="/docs" { "Every call of the API" } ", to read and to try" }
        }
    }
}
