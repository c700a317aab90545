//! Who changed the program, what, and when.

use billstack_store::Place;
use billstack_store::activity::{self, ActivityFilter, Told};
use billstack_store::list::Page;
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::settings::{Differs, differences};
use crate::app::App;
use crate::error::ApiError;
use crate::pages::parts::deeds::Reader;
use crate::pages::parts::notice::beside;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::view::{View, read};

/// The most changes that are shown; the page of activity has the rest.
const MOST: i64 = 20;

/// The latest changes.
pub(super) async fn changes(app: &App, view: &View, place: &Place) -> Result<Markup, ApiError> {
    let filter = ActivityFilter {
        kind: Some("program.updated".to_owned()),
        subject: Some(place.project_id.to_string()),
        ..ActivityFilter::default()
    };
    let told = read(app, place, move |tx, place| {
        let page = Page::first(MOST);
        Ok(activity::list(tx, &place.team_id, &filter, &page)?)
    });
    let part = told.await?;
    let columns = [
        Column::short("When"),
        Column::text("Who"),
        Column::text("What"),
        Column::text("Request"),
    ];
    let reader = Reader::new(view, &place.team_id);
    let rows = part.rows.iter().map(|told| {
        [
            html! { span id=(told.deed.id) { (moment(told.deed.at)) } },
            who(view, place, told),
            what(told),
            beside(reader.request(&told.deed.request_id), &told.deed.request_id),
        ]
    });
    let empty = "Nobody has changed it yet. A new project promises nothing, and is switched off.";
    Ok(html! {
        (table("Changes of the program, the latest first", columns, rows, empty))
        @if part.next.is_some() && view.can_administer() {
            p { a href={ "/t/" (place.team_id) "/activity?type=program.updated&subject=" (place.project_id) } { "Older changes" } }
        }
    })
}

/// Names are for those who may read the log of the team.
fn who(view: &View, place: &Place, told: &Told) -> Markup {
    let actor = told.deed.actor.as_str();
    let kind = match actor.split_once(':').map_or(actor, |(kind, _)| kind) {
        "user" => "somebody of the team",
        "api_key" => "an API key",
        "command_line" => "the command line",
        _ => "the server",
    };
    match &told.actor_name {
        Some(name) if view.can_administer() => {
            html! { a href={ "/t/" (place.team_id) "/activity?actor=" (actor) } { (name) } }
        }
        _ => html! { (kind) },
    }
}

/// What the settings are called that a change concerns; of the first settings all.
pub(in crate::pages::teams::project) fn changed(told: &Told) -> Vec<&'static str> {
    match &told.before {
        Some(_) => differing(told).iter().map(|found| found.label).collect(),
        None => vec!["the first settings"],
    }
}

fn differing(told: &Told) -> Vec<Differs> {
    let read = |facts: &str| serde_json::from_str::<Map<String, Value>>(facts).unwrap_or_default();
    let before = told.before.as_deref().map(read).unwrap_or_default();
    differences(&before, &read(&told.deed.facts))
}

fn what(told: &Told) -> Markup {
    let differs = differing(told);
    let is_first = told.before.is_none();
    let one = |found: &Differs| {
        html! {
            div { dt { (found.label) } dd {
                @if !is_first { (found.before) " → " } (found.after)
            } }
        }
    };
    html! {
        @if differs.is_empty() { span.quiet { "nothing that is shown here" } }
        @else if is_first { details { summary { "The first settings" } dl.small { @for found in &differs { (one(found)) } } } }
        @else { dl.small { @for found in &differs { (one(found)) } } }
    }
}
