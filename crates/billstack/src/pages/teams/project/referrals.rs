//! `/t/{teamId}/p/{projectId}/referrals`: who brought whom, and how far that has come.

pub mod checked;
pub mod one;

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::{Referral, Status};
use billstack_store::Place;
use billstack_store::credits;
use billstack_store::list::{Page, Part};
use billstack_store::overview;
use maud::{Markup, html};

use super::address;
use crate::api::referrals::list::Wanted;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::days::in_times;
use crate::pages::parts::export;
use crate::pages::parts::form::{apply, choice, fault, line, once, submit as button};
use crate::pages::parts::lock::{Lock, Need};
use crate::pages::parts::matching::{Matching, days_of};
use crate::pages::parts::named::{self, Narrowed};
use crate::pages::parts::notice::beside;
use crate::pages::parts::pager::{Trail, only_known, pager, with_query};
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table, table_to_pick};
use crate::pages::parts::time::on;
use crate::pages::parts::words;
use crate::pages::picked::{list as to_pick, pick};
use crate::pages::view::{View, read};

/// Rows of a page.
const ROWS: i64 = 25;

const TITLE: &str = "Referrals";

/// The filters, by the names of the API.
const FILTERS: [&str; 7] = [
    "status",
    "source",
    "code",
    "customerId",
    "from",
    "to",
    "sort",
];

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

/// The page under these filters, with what was picked.
async fn body(
    app: &App,
    (view, place): (&View, &Place),
    query: &Query,
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let query = query.clone().without_empty();
    only_known(&query, &FILTERS)?;
    let path = path(place);
    let kept = query.only(&FILTERS);
    let (mut asked, narrowed) = (
        in_times(query.clone()),
        Narrowed {
            path: &path,
            kept: &kept,
        },
    );
    let unclear = named::customer(app, place, narrowed, &mut asked).await?;
    let (wanted, page) = (Wanted::read(&asked)?, page(&query, ROWS)?);
    let (trail, is_by_conversion) = (Trail::of(&query), wanted.is_by_conversion());
    let found = read(app, place, move |tx, place| {
        let part = wanted.list(tx, place, &page)?;
        let people = people_of(tx, place, &part.rows)?;
        let credits = credits_of(tx, place, &part.rows)?;
        let matching = matching(tx, place, &wanted, (&part, page.after.is_none()))?;
        Ok((part, people, credits, matching))
    });
    let (part, people, credits, matching) = found.await?;
    let carried = [kept.as_slice(), &query.only(&["limit"])].concat();
    let is_short = carried.len() == kept.len() && part.next.is_some();
    let many: Vec<_> = kept.iter().copied().chain([("limit", "50")]).collect();
    // A form that is refused comes back on the same page of the list.
    let here = with_query(&path, &query.pairs().collect::<Vec<_>>());
    Ok(html! {
        div.head { h1 { (TITLE) } (export::csv(place, "referrals", &asked, &FILTERS)) }
        (filters(&path, &kept))
        @if let Some(unclear) = unclear { (unclear) }
        @if is_by_conversion { p.quiet { "Conversions, the last one first. The days are those of the conversion, in UTC." } }
        (fault(error, &[]))
        @if part.rows.is_empty() {
            (list(&part, &people, place, !kept.is_empty()))
            (pager(&path, &carried, &trail, None))
        } @else {
            (matching.told("referral", "referrals"))
            @let lock = view.lock(Need::Writer);
            @let list = html! {
                (rows_to_pick((&part.rows, &credits), &people, place, typed, &lock))
                (pager(&path, &carried, &trail, part.next.as_ref()))
                @if is_short { p { a href=(with_query(&path, &many)) { "Show 50 at once" } } }
            };
            @let check = html! { (once()) (button("Check the picked ones again").plain()) };
            (to_pick(&lock, &here, "Checking referrals again", (list, check)))
        }
    })
}

/// How many there are: by what is counted where days alone narrow the list.
fn matching(
    tx: &mut dyn billstack_store::Tx,
    place: &Place,
    wanted: &Wanted,
    (part, is_first): (&Part<Referral>, bool),
) -> Result<Matching, billstack_store::Abort> {
    if let Some(days) = wanted.of_days().and_then(days_of) {
        let totals = overview::totals(tx, place, days)?;
        let number = match wanted.is_by_conversion() {
            true => totals.converted,
            false => totals.applied,
        };
        return Ok(Matching::counted(number, []));
    }
    let list = |page: &Page| wanted.list(tx, place, page);
    Matching::listed(part, is_first, list, |_| Vec::new())
}

fn path(place: &Place) -> String {
    format!("{}/referrals", address(&place.team_id, &place.project_id))
}

/// The names of both sides.
pub(in crate::pages) fn people_of<'r>(
    tx: &mut dyn billstack_store::Tx,
    place: &Place,
    referrals: impl IntoIterator<Item = &'r Referral>,
) -> Result<People, billstack_store::Abort> {
    let ids = referrals.into_iter().flat_map(|referral| {
        [
            referral.referrer_customer_id.as_str(),
            &referral.referee_customer_id,
        ]
    });
    People::read(tx, place, ids)
}

/// What became of what each promises.
fn credits_of(
    tx: &mut dyn billstack_store::Tx,
    place: &Place,
    referrals: &[Referral],
) -> Result<Vec<String>, billstack_store::Abort> {
    let mut all = Vec::with_capacity(referrals.len());
    for referral in referrals {
        let credits = match referral.status {
            Status::Converted => credits::of_referral(tx, place, &referral.id)?,
            _ => Vec::new(),
        };
        all.push(words::of_credits(referral, &credits));
    }
    Ok(all)
}

/// The filters, as links that anybody else may open too.
fn filters(path: &str, kept: &[(&str, &str)]) -> Markup {
    let value = |name: &str| {
        let found = kept.iter().find(|(filter, _)| *filter == name);
        found.map_or("", |(_, value)| *value)
    };
    let statuses = [
        ("", "any"),
        ("pending", "waiting"),
        ("converted", "converted"),
        ("expired", "ended"),
    ];
    let sources = [("", "any"), ("code", "typed"), ("click", "link")];
    // In the order of conversion they are narrowed by its time alone.
    let is_by_conversion = value("sort") == "converted";
    html! {
        form.row.filters method="get" autocomplete="off" action=(path) {
            @if is_by_conversion {
                input type="hidden" name="sort" value="converted";
            } @else {
                (choice("Status", "status", statuses, value("status")))
                (choice("Came by", "source", sources, value("source")))
                (line("Code", "code", "text", value("code")))
            }
            @if !is_by_conversion { (named::line("Customer", "customerId", "address or id", value("customerId"))) }
            (line("From (UTC)", "from", "date", value("from")))
            (line("To (UTC)", "to", "date", value("to")))
            @if is_by_conversion && !value("customerId").is_empty() {
                input type="hidden" name="customerId" value=(value("customerId"));
            }
            (apply(path, !kept.is_empty()))
        }
    }
}

/// Referrals, a row each.
fn list(part: &Part<Referral>, people: &People, place: &Place, is_filtered: bool) -> Markup {
    let empty = match is_filtered {
        true => "No referral matches the filters.",
        false => {
            "No referral yet. One comes about when somebody signs up with a code or a link of a customer."
        }
    };
    rows(&part.rows, people, place, empty)
}

/// The table, for other pages too.
pub(in crate::pages) fn rows(
    referrals: &[Referral],
    people: &People,
    place: &Place,
    empty: &str,
) -> Markup {
    let rows = referrals
        .iter()
        .map(|referral| cells(referral, people, place));
    table(CAPTION, COLUMNS, rows, empty)
}

/// The same of one code, which the page tells already with whose it is.
pub(in crate::pages) fn of_code(
    referrals: &[Referral],
    people: &People,
    place: &Place,
    empty: &str,
) -> Markup {
    let of = |[friend, _, _, status, source, applied, converted]: [Markup; 7]| {
        [friend, status, source, applied, converted]
    };
    let [friend, _, _, status, source, applied, converted] = COLUMNS;
    let columns = [friend, status, source, applied, converted];
    let rows = referrals.iter();
    let rows = rows.map(|referral| of(cells(referral, people, place)));
    table(CAPTION, columns, rows, empty)
}

/// The table with a box in front of each row.
fn rows_to_pick(
    (referrals, credits): (&[Referral], &[String]),
    people: &People,
    place: &Place,
    typed: &Form,
    lock: &Lock,
) -> Markup {
    let [friend, by, code, status, source, applied, converted] = COLUMNS;
    let columns = [
        friend,
        by,
        code,
        status,
        source,
        applied,
        converted,
        Column::words("Credits"),
    ];
    let rows = referrals.iter().zip(credits).map(|(referral, credits)| {
        let name = people.name(&referral.referee_customer_id);
        let [friend, by, code, status, source, applied, converted] = cells(referral, people, place);
        let box_ = pick(&referral.id, &format!("the referral of {name}"), typed);
        let credits = html! { (credits) };
        let cells = [
            friend, by, code, status, source, applied, converted, credits,
        ];
        (box_, cells)
    });
    table_to_pick(CAPTION, columns, rows, lock)
}

const CAPTION: &str = "Referrals, the newest first";

const COLUMNS: [Column; 7] = [
    Column::text("Friend"),
    Column::text("Referred by"),
    Column::short("Code"),
    Column::words("Status"),
    Column::short("Came by"),
    Column::short("Applied"),
    Column::short("Converted"),
];

fn cells(referral: &Referral, people: &People, place: &Place) -> [Markup; 7] {
    let base = address(&place.team_id, &place.project_id);
    let friend = people.name(&referral.referee_customer_id);
    [
        html! { a href={ (base) "/referrals/" (referral.id) } { (friend) } },
        people.link(place, &referral.referrer_customer_id),
        beside(
            html! { a href={ (base) "/codes/" (referral.code) } { code { (referral.code) } } },
            &referral.code,
        ),
        html! { (words::of_referral(referral.status)) (words::still_missing(referral)) },
        html! { (words::of_source(&referral.attribution)) },
        on(referral.created_at),
        referral.converted_at.map_or(html! { "–" }, on),
    ]
}
