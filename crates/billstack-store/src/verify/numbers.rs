//! Numbers of teams and projects: rows under a wrong number cannot be found.

use billstack_core::ids::number_of;

use super::{Reads, Rule};
use crate::seam::{Fault, Row};
use crate::tables::teams::team_of;

pub(super) const RULES: &[Rule] = &[
    Rule {
        name: "team_number",
        holds: "a team is stored under the number of its id",
        sql: "SELECT id, id, team_id FROM teams",
        reads: Reads::Once,
        breaks: is_misnumbered,
    },
    Rule {
        name: "project_number",
        holds: "a project is stored under the number of its id",
        sql: concat!(
            "SELECT id, ",
            team_of!("projects"),
            ", project_id FROM projects"
        ),
        reads: Reads::Once,
        breaks: is_misnumbered,
    },
];

fn is_misnumbered(row: &dyn Row) -> Result<bool, Fault> {
    Ok(row.int(2)? != number_of(row.text(0)?))
}
