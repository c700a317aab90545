//! `/t/{teamId}/activity`: who did what in a team.

use axum::extract::State;
use axum::response::Response;
use billstack_core::event::Event;
use billstack_core::ids::TeamId;
use billstack_store::activity::{self, Told};
use billstack_store::list::Part;
use billstack_store::{Share, Weight};
use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::api::teams::activity::filter;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::parts::days::in_times;
use crate::pages::parts::form::choice;
use crate::pages::parts::notice::beside;
use crate::pages::parts::pager::{pager, with_query};
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
    let (asked, page) = (filter(&in_times(query.clone()))?, page(&query, ROWS)?);
    let is_first = page.after.is_none();
    let (share, team_id) = (
        Share {
            team: access.team_id.number(),
            weight: Weight::Long,
        },
        access.team_id.clone(),
    );
    let read = app.store.scan_for(share, move |tx| {
        Ok(activity::list(tx, &team_id, &asked, &page)?)
    });
    let part = read.await?;
    let path = format!("/t/{}/activity", access.team_id);
    let kept: Vec<_> = query
        .pairs()
        .filter(|(name, _)| FILTERS.contains(name))
        .collect();
    let body = html! {
        h1 { "Activity" }
        (filters(&path, &kept))
        (csv(&access.team_id, &in_times(query.clone())))
        (list(&part, &path, !kept.is_empty()))
        (pager(&path, &kept, is_first, part.next.as_ref()))
    };
    Ok(view.page("Activity", body))
}

fn filters(path: &str, kept: &[(&str, &str)]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let any = [("", "any")].into_iter();
    let kinds = any.chain(Event::KINDS.iter().map(|kind| (*kind, *kind)));
    html! {
        form.row.filters method="get" action=(path) {
            (choice("What", "type", kinds, value("type")))
            (line("Who", "actor", "text", value("actor")))
            (line("About", "subject", "text", value("subject")))
            (line("Request", "requestId", "text", value("requestId")))
            (line("From", "from", "date", day(value("from"))))
            (line("To", "to", "date", day(value("to"))))
            div.actions {
                button { "Apply" }
                @if !kept.is_empty() { a href=(with_query(path, &[])) { "Clear filters" } }
            }
        }
    }
}

/// A link to all rows as a file, under the filters of the page.
fn csv(team_id: &TeamId, filters: &Query) -> Markup {
    let filters = filters.pairs().filter(|(name, _)| FILTERS.contains(name));
    let path = format!("/api/billstack/teams/{team_id}/activity.csv");
    let filters: Vec<_> = filters.collect();
    html! { p { a.button.plain href=(with_query(&path, &filters)) { "Export CSV" } } }
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

fn list(part: &Part<Told>, path: &str, is_filtered: bool) -> Markup {
    let empty = match (&part.next, is_filtered) {
        (Some(_), _) => "Nothing of this kind so far back. Look further with \"Older\".",
        (None, true) => "Nothing matches the filters.",
        (None, false) => "Nothing has happened yet.",
    };
    let columns = [
        Column::text("When"),
        Column::text("Who"),
        Column::text("What"),
        Column::text("About"),
        Column::text("Details"),
        Column::text("Request"),
    ];
    let rows = part.rows.iter().map(|told| {
        let deed = &told.deed;
        let request = [("requestId", deed.request_id.as_str())];
        [
            html! { span id=(deed.id) { (moment(deed.at)) } },
            actor(told),
            html! { span.keep { (deed.kind) } },
            beside(
                html! { a href={ "/go/" (deed.subject) } { code { (deed.subject) } } },
                &deed.subject,
            ),
            details(told),
            beside(
                html! { a href=(with_query(path, &request)) { code { (deed.request_id) } } },
                &deed.request_id,
            ),
        ]
    });
    table("What was done, the latest first", columns, rows, empty)
}

/// Who did it: a person or a key by name, with the way to them.
fn actor(told: &Told) -> Markup {
    let actor = told.deed.actor.as_str();
    let (kind, id) = actor.split_once(':').unwrap_or((actor, ""));
    let name = told.actor_name.as_deref();
    match kind {
        "user" | "api_key" => html! { a href={ "/go/" (id) } { (name.unwrap_or(id)) } },
        "stripe" => html! { a href={ "/go/" (id) } { "Stripe" span.hidden { ", event " (id) } } },
        "command_line" => html! { "command line" },
        "system" => html! { "BillStack" },
        _ => html! { code { (actor) } },
    }
}

/// The facts, each with what it was before where that is known and another.
fn details(told: &Told) -> Markup {
    let facts = members(&told.deed.facts);
    let before = told.before.as_deref().map(members);
    let was = |name: &String| before.as_ref().and_then(|before| before.get(name));
    let shown = facts.iter().filter(|(name, now)| {
        // A program tells all that it is; what stays the same is not news.
        before.is_none() || was(name) != Some(*now)
    });
    html! {
        dl.small {
            @for (name, now) in shown {
                div { dt { (name) } dd {
                    @if let Some(was) = was(name) { del { (text(was)) } " → " }
                    (text(now))
                } }
            }
        }
    }
}

fn members(facts: &str) -> Map<String, Value> {
    serde_json::from_str(facts).unwrap_or_default()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
