//! `/t/{teamId}/p/{projectId}/clicks`: which links were followed when, and by what way they had reached people.

use axum::extract::State;
use axum::response::Response;
use billstack_core::period::Days;
use billstack_core::time::Micros;
use billstack_store::links::{self, Clicks};
use billstack_store::list::{Page, Part};
use billstack_store::{Place, test_clock};
use maud::{Markup, html};

use super::address;
use crate::api::referrals::overview::{asked, days};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page, text};
use crate::http::query::Query;
use crate::pages::parts::days::in_times;
use crate::pages::parts::export;
use crate::pages::parts::form::{apply, fault, line};
use crate::pages::parts::notice::beside;
use crate::pages::parts::numbers::count;
use crate::pages::parts::pager::{Trail, only_known, pager};
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::day;
use crate::pages::parts::words;
use crate::pages::view::{View, read};

const TITLE: &str = "Clicks · Codes";

/// Rows of a page.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 2] = ["from", "to"];

/// All that the page tells.
struct Told {
    part: Part<Clicks>,
    days: Days,
    in_all: i64,
    people: People,
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (place, query) = (&access.place, query.without_empty());
    only_known(&query, &FILTERS)?;
    let page = page(&query, ROWS)?;
    let range = match asked(&in_times(query.clone())) {
        Ok(range) => range,
        // Days that cannot be are shown as they were chosen.
        Err(error) => {
            let value = |name| text(&query, name, 64).ok().flatten().unwrap_or_default();
            let form = filters(&path(place), [&value("from"), &value("to")], true);
            let body = html! { h1 { "Clicks" } (form) (fault(Some(&error), &[])) };
            return Ok(view.again(&error, TITLE, body));
        }
    };
    let told = told(&app, place, range, page).await?;
    Ok(view.page(TITLE, body(place, &query, &told)))
}

async fn told(
    app: &App,
    place: &Place,
    range: (Option<Micros>, Option<Micros>),
    page: Page,
) -> Result<Told, ApiError> {
    let now = app.now();
    read(app, place, move |tx, place| {
        let days = days(range, test_clock::shown(tx, place, now)?);
        let part = links::clicks(tx, place, days, &page)?;
        let ids = part.rows.iter().map(|row| row.customer_id.as_str());
        Ok(Told {
            people: People::read(tx, place, ids)?,
            in_all: links::clicks_in_all(tx, place, days)?,
            part,
            days,
        })
    })
    .await
}

fn path(place: &Place) -> String {
    format!("{}/clicks", address(&place.team_id, &place.project_id))
}

fn body(place: &Place, query: &Query, told: &Told) -> Markup {
    let (path, times) = (path(place), in_times(query.clone()));
    let kept = query.only(&FILTERS);
    let (from, until) = told.days.times();
    let days = [from.day_text(), until.plus(-1).day_text()];
    html! {
        div.head { h1 { "Clicks" } (export::csv(place, "clicks", &times, &FILTERS)) }
        (filters(&path, [&days[0], &days[1]], !kept.is_empty()))
        p {
            strong { (count(told.in_all)) } " on share links in these days of UTC, as far as people can be told from programs."
        }
        (list(told, place))
        (pager(&path, &kept, &Trail::of(query), told.part.next.as_ref()))
    }
}

fn filters(path: &str, [from, to]: [&str; 2], is_filtered: bool) -> Markup {
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (line("From (UTC)", "from", "date", from))
            (line("To (UTC)", "to", "date", to))
            (apply(path, is_filtered))
        }
    }
}

fn list(told: &Told, place: &Place) -> Markup {
    let columns = [
        Column::short("Day"),
        Column::short("Code"),
        Column::text("Customer"),
        Column::text("By"),
        Column::number("Clicks"),
    ];
    let base = address(&place.team_id, &place.project_id);
    let rows = told.part.rows.iter().map(|clicks| {
        let code = &clicks.counted.code;
        let name = clicks.name.as_ref().unwrap_or(code);
        [
            day(Micros(clicks.counted.begins())),
            beside(
                html! { a href={ (base) "/codes/" (code) } { code { (name) } } },
                name,
            ),
            told.people.link(place, &clicks.customer_id),
            html! { (words::of_channel(&clicks.counted.channel)) },
            html! { (count(clicks.count)) },
        ]
    });
    let empty = "No link was followed in these days.";
    table(
        "Clicks by day, code and way, the last day first",
        columns,
        rows,
        empty,
    )
}
