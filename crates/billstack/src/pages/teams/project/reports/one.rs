//! `/t/{teamId}/p/{projectId}/reports/{yyyy-mm}`: a month for finance, on one sheet.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ledger::Figure;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::finance::{self, Month};
use billstack_store::upkeep::{self, Run};
use billstack_store::{Place, test_clock};
use maud::{Markup, html};

use super::Rows;
use super::bookings::title;
use crate::api::reports::{begun, month, month_text};
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::commands::VERIFY;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::parts::export;
use crate::pages::parts::money::amount;
use crate::pages::parts::numbers::count;
use crate::pages::parts::pager::with_query;
use crate::pages::parts::time::{day, moment_utc, month_name};
use crate::pages::parts::upkeep::checked_utc;
use crate::pages::teams::project::address;
use crate::pages::view::{View, read};

/// A month as it is booked now.
struct Told {
    from: Micros,
    to: Micros,
    now: Micros,
    currencies: BTreeMap<Currency, Month>,
    checked: Option<Run>,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(text): Item,
) -> Result<Response, ApiError> {
    let (from, to) = month(&text).ok_or(ApiError::new(Reason::NotFound))?;
    let now = app.now();
    let found = read(&app, &access.place, move |tx, place| {
        let now = test_clock::shown(tx, place, now)?;
        if let Err(to_come) = begun(from, now) {
            return Ok(Err(to_come));
        }
        Ok(Ok(Told {
            from,
            to,
            now,
            currencies: finance::month(tx, place, from, to, now)?,
            checked: upkeep::last(tx)?.verify,
        }))
    });
    let title = format!("{} · Reports", month_name(from));
    let told = match found.await? {
        Ok(told) => told,
        Err(to_come) => return Ok(view.again(&to_come, &title, ahead(&access.place, from))),
    };
    let name = view
        .project
        .as_ref()
        .map_or("", |project| project.name.as_str());
    Ok(view.page(&title, body(name, &access.place, &told)))
}

fn body(project: &str, place: &Place, told: &Told) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    html! {
        div.head { h1 { (month_name(told.from)) } (others(&base, told)) }
        p {
            (project) ", " (day(told.from)) " to " (day(told.to.plus(-1))) ", UTC, by the time of booking. "
            @if told.to <= told.now { "The month is over: nothing in it changes any more." }
            @else { strong { "The month still runs, and its figures change." } }
        }
        @if told.currencies.is_empty() { p.empty { "Nothing has ever been booked." } }
        div.pair { @for (currency, month) in &told.currencies { (statement(place, told, *currency, month)) } }
        p.quiet { "As of " (moment_utc(told.now)) ". Last check of all books of this server: " (checked_utc(told.checked.as_ref())) "." }
        div.files { h2 { "Behind the figures" } (files(place, told)) }
    }
}

/// A month to come, of which there is nothing to tell.
fn ahead(place: &Place, from: Micros) -> Markup {
    html! {
        h1 { (month_name(from)) }
        p.notice { "This month has not begun yet: it begins on " (day(from)) ", UTC." }
        p { a.button href={ (address(&place.team_id, &place.project_id)) "/reports" } { "All months" } }
    }
}

/// The months before and after.
fn others(base: &str, told: &Told) -> Markup {
    let before = told.from.plus(-1).month().0;
    html! {
        nav.pager aria-label="Months" {
            a href={ (base) "/reports/" (month_text(before)) } rel="prev" { (month_name(before)) }
            @if told.to <= told.now { a href={ (base) "/reports/" (month_text(told.to)) } rel="next" { (month_name(told.to)) } }
            a href={ (base) "/reports" } { "All months" }
        }
    }
}

/// How what is owed changed in one currency.
fn statement(place: &Place, told: &Told, currency: Currency, month: &Month) -> Markup {
    let moved = &month.moved;
    let code = currency.as_str().to_ascii_uppercase();
    let rows = Rows {
        place,
        currency,
        from: told.from,
    };
    let before = format!(
        "{}/reports/{}",
        address(&place.team_id, &place.project_id),
        month_text(told.from.plus(-1).month().0)
    );
    let taken = [
        (Figure::Applied, -moved.applied),
        (Figure::Reversed, -moved.reversed),
        (Figure::Settled, -moved.settled),
    ];
    let booked = |figure, units| line(title(figure), units, currency, &rows.booked(figure));
    html! {
        div {
            h2 { (code) }
            table.statement {
                caption.hidden { "What is owed in " (code) }
                thead { tr { th scope="col" { "What" } th scope="col" { "Amount" } } }
                tbody {
                    (line("Owed at the beginning", moved.opening, currency, &before))
                    (booked(Figure::Granted, moved.granted))
                    @for (figure, units) in taken { (booked(figure, units)) }
                    tr.total { td data-label="What" { "Owed at the end" } td data-label="Amount" { (amount(moved.closing, currency)) } }
                    tr { td data-label="What" { "Credits granted" } td data-label="Amount" { a href=(rows.granted()) { (count(month.credits)) } } }
                    @if moved.shortfall != 0 { (booked(Figure::Shortfall, moved.shortfall)) }
                    @if moved.unexplained() != 0 { tr { td data-label="What" { "Explained by no movement" } td data-label="Amount" { (amount(moved.unexplained(), currency)) } } }
                }
            }
            @if moved.unexplained() != 0 {
                p.notice.bad role="alert" { "The ledger is broken: run " code { (VERIFY) } " and ask for help." }
            }
        }
    }
}

/// A figure, and the way to what it is made of.
fn line(name: &str, units: i64, currency: Currency, to: &str) -> Markup {
    html! { tr { td data-label="What" { (name) } td data-label="Amount" { a href=(to) { (amount(units, currency)) } } } }
}

/// The bookings of the month.
fn files(place: &Place, told: &Told) -> Markup {
    let (from, to) = (rfc3339(told.from.0), rfc3339(told.to.0));
    let file = |list: &str, format: &str| {
        let query = [
            ("format", format),
            ("from", from.as_str()),
            ("to", to.as_str()),
        ];
        with_query(&export::path(place, list), &query)
    };
    let days = (told.from.day_text(), told.to.plus(-1).day_text());
    let base = address(&place.team_id, &place.project_id);
    let listed = with_query(
        &format!("{base}/reports/bookings"),
        &[("from", &days.0), ("to", &days.1)],
    );
    html! {
        p.actions {
            a.button.plain href=(listed) { "Bookings" }
            a.button.plain href=(file("postings", "spreadsheet")) { "Bookings as CSV" }
            a.button.plain href=(file("postings", "ndjson")) { "Bookings as NDJSON" }
            a.button.plain href=(file("credits", "spreadsheet")) { "Credits as CSV" }
            a.button.plain href=(file("roll-forward", "spreadsheet")) { "By side as CSV" }
        }
        p.quiet { "The bookings of an account sum up to its change in the month. Each is told in minor units, and in whole ones." }
    }
}
