//! What was sent to an endpoint, and what waits.

use billstack_core::webhook::endpoint::DeliveryState;
use billstack_core::webhook::schedule::ATTEMPTS;
use billstack_core::webhook::types::Type;
use billstack_store::Place;
use billstack_store::list::Part;
use billstack_store::webhooks::DeliveryFilter;
use billstack_store::webhooks::log::{self, Shown};
use maud::{Markup, html};

use super::words;
use crate::app::App;
use crate::error::ApiError;
use crate::http::page::{one_of, page, time};
use crate::http::query::Query;
use crate::pages::parts::days::in_times;
use crate::pages::parts::form::{apply, choice};
use crate::pages::parts::pager::{Trail, pager};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::view::read;

/// Rows of a page.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 4] = ["status", "type", "from", "to"];

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    query: Query,
    filter: DeliveryFilter,
    page: billstack_store::list::Page,
}

impl Wanted {
    pub(super) fn read(query: Query) -> Result<Wanted, ApiError> {
        let query = query.without_empty();
        let times = in_times(query.clone());
        Ok(Wanted {
            filter: DeliveryFilter {
                state: one_of(&times, "status", DeliveryState::parse)?,
                kind: one_of(&times, "type", Type::parse)?,
                from: time(&times, "from")?,
                to: time(&times, "to")?,
            },
            page: page(&query, ROWS)?,
            query,
        })
    }
}

/// The log with its filters.
pub(super) async fn log(
    app: &App,
    place: &Place,
    path: &str,
    id: &str,
    wanted: &Wanted,
) -> Result<Markup, ApiError> {
    let (of, filter, page) = (id.to_owned(), wanted.filter.clone(), wanted.page.clone());
    let trail = Trail::of(&wanted.query);
    let part = read(app, place, move |tx, place| {
        log::list(tx, place, &of, &filter, &page)
    });
    let part = part.await?;
    let kept = wanted.query.only(&FILTERS);
    Ok(html! {
        (filters(path, &kept))
        (rows(&part, path, !kept.is_empty()))
        (pager(path, &kept, &trail, part.next.as_ref()))
    })
}

fn filters(path: &str, kept: &[(&str, &str)]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let states = [
        ("", "any"),
        ("delivered", "delivered"),
        ("failed", "failed"),
        ("waiting", "waiting"),
    ];
    let types = [("", "any")]
        .into_iter()
        .chain(words::all().map(|name| (name, name)));
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (choice("Status", "status", states, value("status")))
            (choice("Type", "type", types, value("type")))
            (day("From", "from", value("from")))
            (day("To", "to", value("to")))
            (apply(path, !kept.is_empty()))
        }
    }
}

/// A day; a time that a link has set is kept as it is.
fn day(label: &str, name: &str, value: &str) -> Markup {
    let kind = if value.len() > 10 { "text" } else { "date" };
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type=(kind) value=(value) maxlength="64" autocomplete="off";
        }
    }
}

fn rows(part: &Part<Shown>, path: &str, is_filtered: bool) -> Markup {
    let columns = [
        Column::short("Since"),
        Column::text("Type"),
        Column::short("State"),
        Column::text("Attempts"),
        Column::short("Last answer"),
        Column::short("Next try"),
    ];
    let rows = part.rows.iter().map(|shown| {
        let delivery = &shown.delivery;
        [
            moment(delivery.created_at),
            html! { a href={ (path) "/deliveries/" (delivery.id) } { (delivery.kind.as_str()) } },
            words::of_delivery(delivery.state, shown.attempts.last()),
            html! { (of_attempts(shown)) },
            html! { (last_answer(shown)) },
            html! { @if let Some(at) = shown.next_attempt_at { (moment(at)) } @else { span.quiet { "none" } } },
        ]
    });
    let empty = match is_filtered {
        true => "No delivery matches the filters.",
        false => {
            "Nothing was sent yet. Try the endpoint below, or wait until something happens that it is told of."
        }
    };
    table("Deliveries, the newest first", columns, rows, empty)
}

/// `3 of 10`
pub(super) fn of_attempts(shown: &Shown) -> String {
    let made = shown.delivery.attempts;
    match shown.delivery.is_replay {
        true => format!("{made} of 1, by hand"),
        false => format!("{made} of {ATTEMPTS}"),
    }
}

/// What the last attempt came to, in short.
fn last_answer(shown: &Shown) -> String {
    let Some(last) = shown.attempts.last() else {
        return "not sent yet".to_owned();
    };
    let is_over = shown.delivery.state != DeliveryState::Waiting;
    match (last.status, last.error) {
        // The state says which.
        (Some(_), _) if is_over => format!("in {} ms", last.duration_ms),
        (Some(status), _) => format!("{status} in {} ms", last.duration_ms),
        (None, Some(error)) => error.as_str().replace('_', " "),
        (None, None) => String::new(),
    }
}
