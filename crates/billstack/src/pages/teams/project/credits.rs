//! `/t/{teamId}/p/{projectId}/credits`: who got what, for what, and how far it has come.

pub mod bookings;
pub mod confirm;
mod moves;
pub mod one;
pub mod picked;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::delivery::DeliveryState;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::credits::{self, Credit, CreditFilter};
use billstack_store::list::{Cursor, Page, Part};
use billstack_store::referrals::{self, ReferralFilter};
use billstack_store::{Abort, Place, Tx, overview, stats};
use maud::{Markup, html};

use super::address;
use crate::api::referrals::credits::list::filter;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::currencies;
use crate::pages::parts::days::in_times;
use crate::pages::parts::export;
use crate::pages::parts::form::{apply, choice, fault, line, submit as button};
use crate::pages::parts::lock::{Lock, Need};
use crate::pages::parts::matching::{Matching, days_of};
use crate::pages::parts::money::amount;
use crate::pages::parts::named::{self, Narrowed};
use crate::pages::parts::pager::{Trail, only_known, pager, with_query};
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table_to_pick};
use crate::pages::parts::time::moment;
use crate::pages::parts::words;
use crate::pages::picked::{list as to_pick, pick};
use crate::pages::view::{View, read};
use moves::Move;

const TITLE: &str = "Credits";

/// Rows of a page, if nobody asks for more.
const ROWS: i64 = 25;

/// The filters, by the names of the API.
const FILTERS: [&str; 9] = [
    "status",
    "delivery",
    "side",
    "kind",
    "currency",
    "customerId",
    "referralId",
    "from",
    "to",
];

/// All that the page tells.
pub(super) struct Told {
    part: Part<Credit>,
    people: People,
    currencies: Vec<Currency>,
    matching: Matching,
    /// While there is no credit at all: a referral that would make the first.
    next: Option<String>,
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let shown = body(
        &app,
        (&view, &access.place),
        &query,
        (&Form::default(), None),
    )
    .await?;
    Ok(view.page(TITLE, shown))
}

/// The page under these filters, with the form as it was typed.
pub(super) async fn body(
    app: &App,
    (view, place): (&View, &Place),
    query: &Query,
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let query = query.clone().without_empty();
    only_known(&query, &FILTERS)?;
    let page = page(&query, ROWS)?;
    let trail = Trail::of(&query);
    let kept = query.only(&FILTERS);
    let path = path(place);
    let (mut asked, narrowed) = (
        in_times(query.clone()),
        Narrowed {
            path: &path,
            kept: &kept,
        },
    );
    let unclear = named::customer(app, place, narrowed, &mut asked).await?;
    let told = told(app, place, &asked, page, kept.is_empty()).await?;
    let many: Vec<_> = kept.iter().copied().chain([("limit", "50")]).collect();
    // A form that is refused comes back on the same page of the list.
    let here = with_query(&path, &query.pairs().collect::<Vec<_>>());
    let limited = query.only(&["limit"]);
    let carried = [kept.as_slice(), &limited].concat();
    let next: Option<&Cursor> = told.part.next.as_ref();
    Ok(html! {
        div.head { h1 { (TITLE) } (export::csv(place, "credits", &asked, &FILTERS)) }
        (filters(&path, &kept, &told.currencies))
        @if let Some(unclear) = unclear { (unclear) }
        (fault(error, &["move"]))
        @if told.part.rows.is_empty() {
            (nothing(&told, place, &path, !kept.is_empty()))
        } @else {
            (told.matching.told("credit", "credits"))
            @let lock = view.lock(Need::Writer);
            @let list = html! {
                (list(&told, place, typed, &lock))
                (pager(&path, &carried, &trail, next))
                @if limited.is_empty() && next.is_some() {
                    p { a href=(with_query(&path, &many)) { "Show 50 at once" } }
                }
            };
            (to_pick(&lock, &here, "Moving credits", (list, move_picked(typed, error))))
        }
    })
}

async fn told(
    app: &App,
    place: &Place,
    asked: &Query,
    page: Page,
    is_all: bool,
) -> Result<Told, ApiError> {
    let filter = filter(asked)?;
    read(app, place, move |tx, place| {
        let part = credits::list(tx, place, &filter, &page)?;
        let ids = part.rows.iter().map(|credit| credit.customer_id.as_str());
        let people = People::read(tx, place, ids)?;
        let is_none = is_all && part.rows.is_empty() && page.after.is_none();
        let next = match is_none {
            true => referrals::list(tx, place, &ReferralFilter::default(), &one())?,
            false => Part {
                rows: Vec::new(),
                next: None,
            },
        };
        Ok(Told {
            matching: matching(tx, place, &filter, (&part, page.after.is_none()))?,
            part,
            people,
            currencies: stats::currencies(tx, place)?,
            next: next.rows.into_iter().next().map(|referral| referral.id),
        })
    })
    .await
}

/// How many there are, and what they came to when they were granted: by what is counted where days and a currency alone
/// narrow the list.
fn matching(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &CreditFilter,
    (part, is_first): (&Part<Credit>, bool),
) -> Result<Matching, Abort> {
    let is_of = |currency: &Currency| filter.currency.is_none_or(|wanted| wanted == *currency);
    if let Some(days) = of_days(filter).and_then(days_of) {
        let totals = overview::totals(tx, place, days)?;
        let numbers = totals
            .granted
            .iter()
            .filter(|(currency, _)| is_of(currency));
        let number = numbers.map(|(_, number)| number).sum();
        let sums = totals.credited.into_iter();
        let sums = sums.filter(|(currency, _)| is_of(currency));
        return Ok(Matching::counted(number, sums));
    }
    let list = |page: &Page| Ok(credits::list(tx, place, filter, page)?);
    Matching::listed(part, is_first, list, |credits| {
        let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
        for credit in credits {
            *sums.entry(credit.currency).or_default() += credit.amount.get();
        }
        sums.into_iter().collect()
    })
}

/// The range of time, where nothing but a currency narrows the list besides.
fn of_days(filter: &CreditFilter) -> Option<(Option<Micros>, Option<Micros>)> {
    let CreditFilter {
        kind,
        customer_id,
        referral_id,
        side,
        status,
        delivery,
        currency: _,
        from,
        to,
    } = filter;
    let is_narrowed = kind.is_some()
        || customer_id.is_some()
        || referral_id.is_some()
        || side.is_some()
        || status.is_some()
        || delivery.is_some();
    (!is_narrowed).then_some((*from, *to))
}

const fn one() -> Page {
    Page::first(1)
}

fn path(place: &Place) -> String {
    format!("{}/credits", address(&place.team_id, &place.project_id))
}

/// The two ways in which a list can be empty.
fn nothing(told: &Told, place: &Place, path: &str, is_filtered: bool) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    html! {
        p.empty {
            @if is_filtered {
                "No credit matches the filters. " a href=(path) { "Clear filters" }
            } @else if let Some(referral) = &told.next {
                "No credit yet. The first is made when a referral converts, such as "
                a href={ (base) "/referrals/" (referral) } { "the newest one" } "."
            } @else {
                "No credit yet. The first is made when a referral converts; there is "
                a href={ (base) "/referrals" } { "no referral" } " yet either."
            }
        }
    }
}

/// The filters, as links that anybody else may open too.
fn filters(path: &str, kept: &[(&str, &str)], known: &[Currency]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let statuses = [
        ("", "any"),
        ("held", "held"),
        ("granted", "granted"),
        ("applied", "used"),
        ("partially_reversed", "taken back in part"),
        ("reversed", "taken back"),
    ];
    let sides = [
        ("", "any"),
        ("referrer", "referred somebody"),
        ("referee", "was referred"),
    ];
    let deliveries = [
        ("", "any"),
        ("needs_attention", "needs a person"),
        ("waiting", "waits for its hold"),
        ("queued", "about to go"),
        ("in_flight", "under way"),
        ("unknown", "being found out"),
        ("delivered", "in Stripe"),
        ("none", "not put into Stripe"),
    ];
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            (choice("Status", "status", statuses, value("status")))
            (choice("To Stripe", "delivery", deliveries, value("delivery")))
            (choice("For", "side", sides, value("side")))
            (currencies::choice(known, value("currency")))
            (named::line("Customer", "customerId", "address or id", value("customerId")))
            (line("From (UTC)", "from", "date", value("from")))
            (line("To (UTC)", "to", "date", value("to")))
            @for name in ["kind", "referralId"] {
                @if !value(name).is_empty() { input type="hidden" name=(name) value=(value(name)); }
            }
            (apply(path, !kept.is_empty()))
        }
    }
}

fn list(told: &Told, place: &Place, typed: &Form, lock: &Lock) -> Markup {
    let columns = [
        Column::number("Amount"),
        Column::text("Customer"),
        Column::text("For"),
        Column::words("Status"),
        Column::text("Referral"),
        Column::short("Granted"),
    ];
    let base = address(&place.team_id, &place.project_id);
    let rows = told.part.rows.iter().map(|credit| {
        let units = credit.currency.text(credit.amount.get());
        let name = told.people.name(&credit.customer_id);
        let cells = [
            html! { a href={ (base) "/credits/" (credit.id) } { (amount(credit.amount.get(), credit.currency)) } },
            told.people.link(place, &credit.customer_id),
            html! { (words::of_side(credit.side)) },
            status(credit),
            match &credit.referral_id {
                Some(id) => html! { a href={ (base) "/referrals/" (id) } aria-label={ "open the referral of " (units) " of " (name) } { "open" } },
                None => html! { span.quiet { "none" } },
            },
            moment(credit.created_at),
        ];
        let pick = pick(&credit.id, &format!("{units} of {name}"), typed);
        (pick, cells)
    });
    table_to_pick("Credits, the newest first", columns, rows, lock)
}

/// Where a credit stands, and whether somebody has to see to it.
fn status(credit: &Credit) -> Markup {
    html! {
        (words::of_credit(credit.status))
        @if let Some(parts) = words::parts_of(credit) { span.quiet { (parts) } }
        @if credit.delivery == DeliveryState::NeedsAttention { " " span.state.bad { "Needs a person" } }
    }
}

/// The form that moves what is picked.
fn move_picked(typed: &Form, error: Option<&ApiError>) -> Markup {
    let choices = Move::ALL.map(|one| (one.as_str(), one.label()));
    let choices = [("", "choose")].into_iter().chain(choices);
    html! {
        section {
            h2 { "Move what is picked" }
            p.quiet { "Up to 100 credits, each as a whole and decided by itself. You see how many they are and how much they "
                "come to before anything moves." }
            @if let Some(error) = error.filter(|error| error.field.as_deref() == Some("move")) { p.error { (error.message) } }
            div.row {
                (choice("What to do", "move", choices, typed.text("move")))
                (button("Look at the move"))
            }
        }
    }
}
