//! `/t/{teamId}/p/{projectId}/codes`: whose codes there are, and what each has brought.

mod made;
pub mod one;

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_store::codes::{self, CodeFilter, CodeTotal, WithTotal};
use billstack_store::list::{Cursor, Page};
use billstack_store::{Abort, Place, Tx};
use maud::{Markup, html};

use super::address;
use crate::api::referrals::codes::list::filter;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::days::in_times;
use crate::pages::parts::export;
use crate::pages::parts::form::{apply, choice, line};
use crate::pages::parts::notice::beside;
use crate::pages::parts::numbers::{count, rate};
use crate::pages::parts::pager::{Trail, only_known, pager};
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::day;
use crate::pages::view::{View, read};

/// Rows of a page.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 5] = ["activeOnly", "customerId", "sort", "from", "to"];

/// A code of the list.
pub(super) struct Row {
    code: String,
    name: Option<String>,
    customer_id: String,
    is_active: bool,
    created_at: Micros,
    total: CodeTotal,
}

impl From<&WithTotal<'_>> for Row {
    fn from((listed, total): &WithTotal<'_>) -> Row {
        Row {
            code: listed.code.to_owned(),
            name: listed.names.first().map(|name| (*name).to_owned()),
            customer_id: listed.customer_id.to_owned(),
            is_active: listed.is_active,
            created_at: listed.created_at,
            total: *total,
        }
    }
}

/// What a code has brought since it was made, and the ways to the rows of each.
pub(super) struct Brought {
    pub(super) clicks: Markup,
    pub(super) applied: Markup,
    pub(super) converted: Markup,
}

impl Brought {
    pub(super) fn new(base: &str, code: &str, total: CodeTotal) -> Brought {
        let rows = |number: i64, more: &str| {
            let to = format!("{base}/referrals?code={code}{more}");
            html! { @if number == 0 { "0" } @else { a href=(to) { (count(number)) } } }
        };
        Brought {
            clicks: html! { (count(total.clicks)) },
            applied: rows(total.applied, ""),
            converted: rows(total.converted, "&status=converted"),
        }
    }
}

/// What a page of the list holds.
struct Found {
    rows: Vec<Row>,
    next: Option<Cursor>,
    people: People,
}

/// The list, and a form for a new code.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let query = query.without_empty();
    only_known(&query, &FILTERS)?;
    match filter(&in_times(query.clone())) {
        Ok(wanted) => {
            let customer = wanted.customer_id.clone().unwrap_or_default();
            let found = found(&app, &access.place, wanted, &query).await?;
            let typed = Form::with("customerId", &customer);
            let form = made::form(&view, &access.place, &typed, None);
            Ok(view.page("Codes", body(&access.place, &query, Ok(&found), &form)))
        }
        // A filter that cannot be is shown as it was chosen.
        Err(error) => {
            let form = made::form(&view, &access.place, &Form::default(), None);
            let shown = body(&access.place, &query, Err(&error), &form);
            Ok(view.again(&error, "Codes", shown))
        }
    }
}

/// Makes a code; a form with a fault comes back above the list.
pub async fn create(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let error = match made::make(&app, &access, &form).await {
        Ok(submitted) => return Ok(submitted.answer(&view)),
        Err(error) => error,
    };
    let (place, query) = (&access.place, Query::default());
    let found = found(&app, place, CodeFilter::default(), &query).await?;
    let form = made::form(&view, place, &form, Some(&error));
    Ok(view.again(&error, "Codes", body(place, &query, Ok(&found), &form)))
}

async fn found(
    app: &App,
    place: &Place,
    wanted: CodeFilter,
    query: &Query,
) -> Result<Found, ApiError> {
    let page = page(query, ROWS)?;
    read(app, place, move |tx, place| {
        let mut rows = Vec::new();
        let next = codes::list(tx, place, &wanted, &page, |code| rows.push(Row::from(code)))?;
        let ids = rows.iter().map(|row: &Row| row.customer_id.as_str());
        let people = People::read(tx, place, ids)?;
        Ok(Found { rows, next, people })
    })
    .await
}

/// The codes of a customer, as many as a look needs.
pub(super) fn of_customer(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
    few: &Page,
) -> Result<Vec<Row>, Abort> {
    let theirs = CodeFilter {
        customer_id: Some(customer_id.to_owned()),
        ..CodeFilter::default()
    };
    let mut rows = Vec::new();
    codes::list(tx, place, &theirs, few, |code| rows.push(Row::from(code)))?;
    Ok(rows)
}

fn body(place: &Place, query: &Query, found: Result<&Found, &ApiError>, form: &Markup) -> Markup {
    let path = format!("{}/codes", address(&place.team_id, &place.project_id));
    let kept = query.only(&FILTERS);
    let trail = Trail::of(query);
    let asked = in_times(query.clone());
    html! {
        div.head { h1 { "Codes" } (export::csv(place, "codes", &asked, &FILTERS)) }
        (form)
        (filters(&path, &kept))
        @match found {
            Ok(found) => {
                (list(found, place, kept.is_empty()))
                (pager(&path, &kept, &trail, found.next.as_ref()))
            }
            Err(error) => p.notice.bad role="alert" { (error.message) }
        }
    }
}

fn filters(path: &str, kept: &[(&str, &str)]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(kept, _)| *kept == name);
        found.map_or("", |(_, value)| *value)
    };
    let sorts = [
        ("", "the newest first"),
        ("clicks", "most clicks"),
        ("applied", "most applied"),
        ("converted", "most converted"),
    ];
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (choice("Codes", "activeOnly", [("", "that are on"), ("false", "all")], value("activeOnly")))
            (choice("Order", "sort", sorts, value("sort")))
            (line("Made from", "from", "date", value("from")))
            (line("Made until", "to", "date", value("to")))
            @if !value("customerId").is_empty() {
                input type="hidden" name="customerId" value=(value("customerId"));
            }
            (apply(path, !kept.is_empty()))
        }
    }
}

fn list(found: &Found, place: &Place, is_all: bool) -> Markup {
    let empty = match is_all {
        true => {
            "No code yet. Your backend makes one for each customer who shares: POST …/referrals/codes. Or make the first above."
        }
        false => "No code matches the filters.",
    };
    rows(&found.rows, &found.people, place, empty)
}

/// The table, for other pages too.
pub(super) fn rows(rows: &[Row], people: &People, place: &Place, empty: &str) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    let columns = [
        Column::short("Code"),
        Column::text("Customer"),
        Column::number("Clicks"),
        Column::number("Applied"),
        Column::number("Converted"),
        Column::number("Rate"),
        Column::short("State"),
        Column::short("Made"),
    ];
    let rows = rows.iter().map(|row| {
        let total = row.total;
        let brought = Brought::new(&base, &row.code, total);
        [
            code_of(&base, row),
            people.link(place, &row.customer_id),
            brought.clicks,
            brought.applied,
            brought.converted,
            html! { (rate(total.converted, total.applied)) },
            state(row.is_active),
            day(row.created_at),
        ]
    });
    table("Codes and what each has brought", columns, rows, empty)
}

/// A code by the name that it is shared under, and by its own.
fn code_of(base: &str, row: &Row) -> Markup {
    let name = row.name.as_ref().unwrap_or(&row.code);
    html! {
        (beside(html! { a href={ (base) "/codes/" (row.code) } { code { (name) } } }, name))
        @if row.name.is_some() { " " code.quiet { (row.code) } }
    }
}

/// Whether a code can be applied.
fn state(is_active: bool) -> Markup {
    match is_active {
        true => html! { span.state.on { "On" } },
        false => html! { span.state.ended { "Off" } },
    }
}
