//! The short names of projects in links. One leads to its project for ever.

use billstack_core::time::Micros;

use super::projects::project_of;
use super::teams::team_of;
use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

/// The name of links that have none: they lead to the first project of the server.
pub const FIRST: &str = "";

statements! {
    FIND = concat!("SELECT ", team_of!("link_slugs"), ", ", project_of!("link_slugs"), " FROM link_slugs \
        WHERE slug = $1");
    OF_PROJECT = "SELECT slug FROM link_slugs WHERE team_id = $1 AND project_id = $2 ORDER BY slug";
    INSERT = "INSERT INTO link_slugs (slug, team_id, project_id, created_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
}

/// The project that a name leads to.
pub fn find(tx: &mut dyn Tx, slug: &str) -> Result<Option<Place>, Fault> {
    tx.one(FIND, params![slug], |row| {
        Ok(Place::new(row.team_id(0)?, row.project_id(1)?))
    })
}

/// The names that lead to a project; [`FIRST`] is among those of the first project of the server.
pub(crate) fn of_project(tx: &mut dyn Tx, place: &Place) -> Result<Vec<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.all(OF_PROJECT, scope, |row| row.string(0))
}

/// Lets a name lead to a project; tells whether it led nowhere.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    slug: &str,
    at: Micros,
) -> Result<bool, Fault> {
    tx.hit(INSERT, params![slug, &place.team_id, &place.project_id, at])
}
