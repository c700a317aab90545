//! `/t/{teamId}/activity`: who did what in a team.

use axum::extract::State;
use axum::response::Response;
use billstack_core::event::Event;
use billstack_core::ids::TeamId;
use billstack_store::activity::{self, Told};
use billstack_store::list::Part;
use billstack_store::{Share, Weight};
use maud::{Markup, html};

use crate::api::teams::activity::filter;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::parts::days::in_times;
use crate::pages::parts::deed_names::said;
use crate::pages::parts::deeds::Reader;
use crate::pages::parts::form::{apply, choice};
use crate::pages::parts::named::{self, Narrowed};
use crate::pages::parts::notice::beside;
use crate::pages::parts::pager::{Trail, only_known, pager, with_query};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::view::View;

/// Rows of a page.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 6] = ["actor", "type", "subject", "requestId", "from", "to"];

/// The log, the latest first.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let query = query.without_empty();
    only_known(&query, &FILTERS)?;
    let path = format!("/t/{}/activity", access.team_id);
    let kept = query.only(&FILTERS);
    let narrowed = Narrowed {
        path: &path,
        kept: &kept,
    };
    let mut asked = in_times(query.clone());
    let who = named::actor(&app, &access.team_id, narrowed, &mut asked).await?;
    let about = named::subject(&app, &access.team_id, narrowed, &mut asked).await?;
    let (wanted, page) = (filter(&asked)?, page(&query, ROWS)?);
    let trail = Trail::of(&query);
    let (share, team_id) = (
        Share {
            team: access.team_id.number(),
            weight: Weight::Long,
        },
        access.team_id.clone(),
    );
    let read = app.store.scan_for(share, move |tx| {
        Ok(activity::list(tx, &team_id, &wanted, &page)?)
    });
    let part = read.await?;
    let body = html! {
        h1 { "Activity" }
        (filters(&path, &kept))
        (who.unwrap_or_default())
        (about.unwrap_or_default())
        (csv(&access.team_id, &asked))
        (list(&part, !kept.is_empty(), Reader::new(&view, &access.team_id)))
        (pager(&path, &kept, &trail, part.next.as_ref()))
    };
    Ok(view.page("Activity", body))
}

fn filters(path: &str, kept: &[(&str, &str)]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let any = [("", "any")].into_iter();
    let kinds = any.chain(Event::KINDS.iter().map(|kind| (*kind, said(kind))));
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (choice("What", "type", kinds, value("type")))
            (named::line("Who", "actor", "a name", value("actor")))
            (named::line("About", "subject", "name or id", value("subject")))
            (line("Request", "requestId", "text", value("requestId")))
            (line("From (UTC)", "from", "date", day(value("from"))))
            (line("To (UTC)", "to", "date", day(value("to"))))
            (apply(path, !kept.is_empty()))
        }
    }
}

/// A link to all rows as a file, under the filters of the page.
fn csv(team_id: &TeamId, filters: &Query) -> Markup {
    let path = format!("/api/billstack/teams/{team_id}/activity.csv");
    html! { p { a.button.plain href=(with_query(&path, &filters.only(&FILTERS))) { "Export CSV" } } }
}

/// A field for a day shows the day of a time.
fn day(time: &str) -> &str {
    time.get(..10).unwrap_or(time)
}

fn line(label: &str, name: &str, kind: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) maxlength="255" autocomplete="off";
        }
    }
}

fn list(part: &Part<Told>, is_filtered: bool, reader: Reader<'_>) -> Markup {
    let empty = match (&part.next, is_filtered) {
        (Some(_), _) => "Nothing of this kind so far back. Look further with \"Older\".",
        (None, true) => "Nothing matches the filters.",
        (None, false) => "Nothing has happened yet.",
    };
    let columns = [
        Column::short("When"),
        Column::text("Who"),
        Column::text("What"),
        Column::text("About"),
        Column::text("Details"),
        Column::text("Request"),
    ];
    let rows = part.rows.iter().map(|told| {
        let deed = &told.deed;
        [
            html! { span id=(deed.id) { (moment(deed.at)) } },
            reader.actor(&deed.actor, told.actor_name.as_deref()),
            html! { (said(&deed.kind)) },
            beside(
                reader.subject(&deed.kind, deed.project_id.as_ref(), &deed.subject),
                &deed.subject,
            ),
            reader.facts(&deed.kind, &deed.facts, told.before.as_deref()),
            beside(reader.request(&deed.request_id), &deed.request_id),
        ]
    });
    table("What was done, the latest first", columns, rows, empty)
}
