//! Credits that are picked on the list, and what became of each once they were moved.

use axum::extract::State;
use axum::response::Response;
use billstack_store::credits::{self, Credit};
use billstack_store::{Place, Tx};
use maud::{Markup, html};

use super::{TITLE, body, confirm};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::page::QueryString;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::money::amount;
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::words;
use crate::pages::picked::{Became, found_with, of_all};
use crate::pages::teams::project::address;
use crate::pages::view::{View, read, see_other};

/// Leads on to the step that says what would be moved.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
    form: Form,
) -> Result<Response, ApiError> {
    match confirm::way(&access.place, &form, &query) {
        Ok(way) => Ok(see_other(&way)),
        Err(error) => {
            let place = (&view, &*access.place);
            let shown = body(&app, place, &query, (&form, Some(&error))).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

/// What became of each.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(once): Item,
) -> Result<Response, ApiError> {
    let keyed = of_all(&access.caller, &access.place, &once);
    let read = read(&app, &access.place, move |tx, place| {
        let get = |tx: &mut dyn Tx, id: &str| credits::get(tx, place, id);
        let Some(rows) = found_with(tx, &keyed, get)? else {
            return Ok(None);
        };
        let ids = rows.iter().filter_map(|(credit, _)| credit.as_ref());
        let ids = ids.map(|credit| credit.customer_id.as_str());
        let people = People::read(tx, place, ids)?;
        Ok(Some((rows, people)))
    });
    let (rows, people) = read.await?.ok_or(ApiError::new(Reason::NotFound))?;
    let shown = report(&rows, &people, &access.place);
    Ok(view.page("What became of them · Credits", shown))
}

fn report(rows: &[(Option<Credit>, Became)], people: &People, place: &Place) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    let done = rows.iter().filter(|(_, one)| one.is_done).count();
    let columns = [
        Column::number("Credit"),
        Column::text("Customer"),
        Column::words("What became of it"),
        Column::words("Status now"),
    ];
    let shown = rows.iter().map(|(credit, one)| match credit {
        Some(credit) => [
            html! { a href={ (base) "/credits/" (credit.id) } { (amount(credit.amount.get(), credit.currency)) } },
            people.link(place, &credit.customer_id),
            one.shown(),
            words::of_credit(credit.status),
        ],
        None => [html! { code { (one.id) } }, html! {}, one.shown(), html! {}],
    });
    html! {
        h1 { "What became of them" }
        p { (done) " of " (rows.len()) " moved." }
        (table("What became of each credit", columns, shown, "No credit."))
        p { a.button href={ (base) "/credits" } { "Back to the credits" } }
    }
}
