//! `/t/{teamId}/p/{projectId}/reports/bookings`: what was booked in a time, and what a figure of a report counts.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ledger::Figure;
use billstack_core::money::Currency;
use billstack_store::finance::{self, Booking, BookingFilter, RollForward};
use billstack_store::list::{Page, Part};
use billstack_store::{Abort, Place, Tx, activity, stats};
use maud::{Markup, html};

use crate::api::actors::actor_of;
use crate::api::referrals::exports::postings::filter;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::parts::currencies;
use crate::pages::parts::days::in_times;
use crate::pages::parts::deeds::Reader;
use crate::pages::parts::export;
use crate::pages::parts::form::{apply, choice, fault, line};
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::beside;
use crate::pages::parts::pager::{OLDEST_FIRST, Trail, only_known, ways};
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment_utc;
use crate::pages::teams::project::address;
use crate::pages::teams::project::credits::bookings::name;
use crate::pages::view::{View, read};

const TITLE: &str = "Bookings · Reports";

/// Rows of a page.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 4] = ["figure", "currency", "from", "to"];

/// All that the page tells.
struct Told {
    part: Part<Booking>,
    people: People,
    /// What the people and the keys are called who made some.
    names: BTreeMap<String, String>,
    currencies: Vec<Currency>,
    /// What the figure comes to in all of the time; empty without one.
    sums: BTreeMap<Currency, i64>,
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
    let filter = match filter(&in_times(query.clone())) {
        Ok(filter) => filter,
        // A filter that cannot be is shown as it was chosen.
        Err(error) => {
            let form = filters(&path(place), &query.only(&FILTERS), &[]);
            let body = html! { h1 { "Bookings" } (form) (fault(Some(&error), &[])) };
            return Ok(view.again(&error, TITLE, body));
        }
    };
    let found = read(&app, place, move |tx, place| {
        told(tx, place, &filter, &page)
    });
    let body = body((&view, place), &query, filter.figure, &found.await?);
    Ok(view.page(TITLE, body))
}

fn path(place: &Place) -> String {
    let base = address(&place.team_id, &place.project_id);
    format!("{base}/reports/bookings")
}

fn body(
    (view, place): (&View, &Place),
    query: &Query,
    figure: Option<Figure>,
    told: &Told,
) -> Markup {
    let (path, kept) = (path(place), query.only(&FILTERS));
    let next = told.part.next.as_ref().map(|cursor| cursor.encode());
    html! {
        div.head {
            h1 { "Bookings" }
            (export::csv(place, "postings", &in_times(query.clone()), &FILTERS))
        }
        p.quiet { "Movements of money in the order of booking. Times and days are UTC. Currencies are never added." }
        (filters(&path, &kept, &told.currencies))
        @if let Some(figure) = figure { (sums(figure, &told.sums)) }
        (list(told, (view, place), !kept.is_empty()))
        (ways(&path, &kept, &Trail::of(query), next, OLDEST_FIRST))
    }
}

fn told(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &BookingFilter,
    page: &Page,
) -> Result<Told, Abort> {
    let part = finance::bookings(tx, place, filter, page)?;
    let ids = part.rows.iter().map(|row| row.line.customer_id.as_str());
    let people = People::read(tx, place, ids)?;
    let by = part.rows.iter();
    let by = by.filter_map(|row| actor_of(&row.line.posting));
    let names = activity::names(tx, &place.team_id, by)?;
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    if let Some(figure) = filter.figure {
        for ((currency, _), moved) in finance::roll_forward(tx, place, filter.from, filter.to)? {
            if filter.currency.is_none_or(|wanted| wanted == currency) {
                *sums.entry(currency).or_default() += of(figure, &moved);
            }
        }
    }
    Ok(Told {
        part,
        people,
        names,
        currencies: stats::currencies(tx, place)?,
        sums,
    })
}

const fn of(figure: Figure, moved: &RollForward) -> i64 {
    match figure {
        Figure::Granted => moved.granted,
        Figure::Applied => moved.applied,
        Figure::Reversed => moved.reversed,
        Figure::Settled => moved.settled,
        Figure::Shortfall => moved.shortfall,
    }
}

/// A figure, as the report of a month calls it.
pub(super) const fn title(figure: Figure) -> &'static str {
    match figure {
        Figure::Granted => "Granted",
        Figure::Applied => "Applied to invoices",
        Figure::Reversed => "Reversed",
        Figure::Settled => "Paid by other ways",
        Figure::Shortfall => "Could not be taken back",
    }
}

fn filters(path: &str, kept: &[(&str, &str)], known: &[Currency]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let figures = Figure::ALL.map(|figure| (figure.as_str(), title(figure)));
    let figures = [("", "all bookings")].into_iter().chain(figures);
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (choice("Figure", "figure", figures, value("figure")))
            (currencies::choice(known, value("currency")))
            (line("From (UTC)", "from", "date", value("from")))
            (line("To (UTC)", "to", "date", value("to")))
            (apply(path, !kept.is_empty()))
        }
    }
}

/// What all rows of the figure come to, on whichever page.
fn sums(figure: Figure, sums: &BTreeMap<Currency, i64>) -> Markup {
    html! {
        p {
            (title(figure)) ": "
            @if sums.is_empty() { "nothing" }
            @for (index, (currency, units)) in sums.iter().enumerate() {
                @if index > 0 { ", " }
                strong { (amount(*units, *currency)) }
            }
            ". The rows of all pages come to that."
        }
    }
}

fn list(told: &Told, (view, place): (&View, &Place), is_filtered: bool) -> Markup {
    let empty = match (&told.part.next, is_filtered) {
        (Some(_), _) => "Nothing of this kind so far. Look further with \"Later\".",
        (None, true) => "No booking matches the filters.",
        (None, false) => {
            "Nothing has been booked yet. The first credit that is granted is the first booking."
        }
    };
    let columns = [
        Column::short("Booked"),
        Column::text("Customer"),
        Column::text("What"),
        Column::number("Amount"),
        Column::text("By"),
        Column::text("Why"),
        Column::text("At Stripe"),
    ];
    let base = address(&place.team_id, &place.project_id);
    let reader = Reader::new(view, &place.team_id);
    let rows = told.part.rows.iter().map(|booking| {
        let (line, posting) = (&booking.line, &booking.line.posting);
        let units = amount(booking.units, line.currency);
        let of = told.people.name(&line.customer_id);
        // Whoever hears it hears the amount first.
        let heard = format!("{}, the credit of {of}", line.currency.text(booking.units));
        [
            moment_utc(posting.created_at),
            told.people.link(place, &line.customer_id),
            html! { (name(booking.from)) " → " (name(booking.to)) },
            html! { a href={ (base) "/credits/" (line.credit_id) } aria-label=(heard) { (units) } },
            reader.booked_by(posting, &told.names),
            html! {
                @if let Some(reason) = &posting.reason { (reason) }
                @if let Some(reference) = &posting.reference { " " code { (reference) } }
            },
            html! { @if let Some(object) = &posting.stripe_object { (beside(html! { code { (object) } }, object)) } },
        ]
    });
    table("Bookings, in the order of booking", columns, rows, empty)
}
