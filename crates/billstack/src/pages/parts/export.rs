//! The file of a list.

use billstack_store::Place;
use maud::{Markup, html};

use super::pager::with_query;
use crate::http::query::Query;

/// A link to all rows of a list as a file for people: the call `exports/{list}` under the filters of the page, which are
/// in the form of that call.
pub(in crate::pages) fn csv(place: &Place, list: &str, filters: &Query, names: &[&str]) -> Markup {
    let filters = filters.pairs().filter(|(name, _)| names.contains(name));
    let all: Vec<_> = [("format", "spreadsheet")]
        .into_iter()
        .chain(filters)
        .collect();
    html! { a.button.plain href=(with_query(&path(place, list), &all)) { "Export CSV" } }
}

/// The call that makes a file.
pub(in crate::pages) fn path(place: &Place, list: &str) -> String {
    format!(
        "/api/billstack/teams/{}/projects/{}/referrals/exports/{list}",
        place.team_id, place.project_id
    )
}
