//! `/t/{teamId}/p/{projectId}/reports`: every month for finance.

pub mod bookings;
pub mod one;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ledger::Figure;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::Place;
use billstack_store::finance::{Month, Months};
use maud::{Markup, html};

use super::address;
use crate::api::reports::list::{Part, cursor, read as months};
use crate::api::reports::month_text;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::QueryString;
use crate::pages::parts::money::amount;
use crate::pages::parts::numbers::count;
use crate::pages::parts::pager::{NEWEST_FIRST, Trail, ways, with_query};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::{moment_utc, month_name};
use crate::pages::view::{View, read};

/// The list of months.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let query = query.without_empty();
    let (cursor, now) = (cursor(&query)?, app.now());
    let found = read(&app, &access.place, move |tx, place| {
        months(tx, place, now, cursor)
    });
    let part = found.await?;
    let shown = body(&access.place, &part, &Trail::of(&query));
    Ok(view.page("Reports", shown))
}

fn body(place: &Place, part: &Part, trail: &Trail) -> Markup {
    let path = format!("{}/reports", address(&place.team_id, &place.project_id));
    html! {
        h1 { "Reports" }
        p.quiet { "Months of UTC, by the time of booking. Currencies are never added. As of " (moment_utc(part.now)) "." }
        (list(&path, &part.months))
        (ways(&path, &[], trail, part.next.clone(), NEWEST_FIRST))
    }
}

/// Where the rows of the figures of a month in a currency are.
#[derive(Clone, Copy, Debug)]
struct Rows<'p> {
    place: &'p Place,
    currency: Currency,
    from: Micros,
}

impl Rows<'_> {
    /// The credits that were granted in it.
    fn granted(&self) -> String {
        self.at("/credits", &[])
    }

    /// The bookings that a figure counts.
    fn booked(&self, figure: Figure) -> String {
        self.at("/reports/bookings", &[("figure", figure.as_str())])
    }

    fn at(&self, page: &str, more: &[(&str, &str)]) -> String {
        let (first, next) = self.from.month();
        let days = (first.day_text(), next.plus(-1).day_text());
        let days = [
            ("currency", self.currency.as_str()),
            ("from", &days.0),
            ("to", &days.1),
        ];
        let all: Vec<_> = more.iter().copied().chain(days).collect();
        let base = address(&self.place.team_id, &self.place.project_id);
        with_query(&format!("{base}{page}"), &all)
    }
}

/// A row for each month and currency, the name of the month at the first of them.
fn list(path: &str, months: &[Months]) -> Markup {
    let columns = [
        Column::short("Month"),
        Column::number("Granted"),
        Column::number("Applied"),
        Column::number("Reversed"),
        Column::number("Paid otherwise"),
        Column::number("Owed at the end"),
        Column::number("Credits"),
    ];
    let rows = months.iter().flat_map(|of_month| {
        let cells = of_month.currencies.iter().enumerate();
        cells.map(|(index, (currency, month))| row(path, of_month, index, *currency, month))
    });
    let empty =
        "Nothing has been booked yet. The first credit that is granted begins the first month.";
    table("Months, the last one first", columns, rows, empty)
}

fn row(path: &str, of: &Months, index: usize, currency: Currency, month: &Month) -> [Markup; 7] {
    let moved = &month.moved;
    let name = match index {
        0 => html! { a href={ (path) "/" (month_text(of.from)) } { (month_name(of.from)) } },
        _ => html! { span.quiet { (month_name(of.from)) } },
    };
    [
        name,
        amount(moved.granted, currency),
        amount(moved.applied, currency),
        amount(moved.reversed, currency),
        amount(moved.settled, currency),
        amount(moved.closing, currency),
        html! { (count(month.credits)) },
    ]
}
