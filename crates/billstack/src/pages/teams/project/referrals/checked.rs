//! Checks many referrals again by one form, each by itself, and tells what became of each.

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::{Referral, Status};
use billstack_store::{Act, Place, Tx, recheck, referrals};
use maud::{Markup, html};

use super::{TITLE, body, cells, path, people_of};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::page::QueryString;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::picked::{Became, each, found_with, of_all};
use crate::pages::view::{View, read, see_other};

/// Checks what is picked again.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
    form: Form,
) -> Result<Response, ApiError> {
    match checked(&app, &access, &form).await {
        Ok(once) => Ok(see_other(&format!(
            "{}/checked/{once}",
            path(&access.place)
        ))),
        Err(error) => {
            let place = (&view, &*access.place);
            let shown = body(&app, place, &query, (&form, Some(&error))).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn checked(app: &App, access: &ProjectAccess, form: &Form) -> Result<String, ApiError> {
    let place = access.place.clone();
    let op = move |tx: &mut dyn Tx, act: &mut Act, id: &str| recheck::recheck(tx, act, &place, id);
    each(app, access, form, op, said).await
}

fn said(referral: &Referral) -> String {
    match referral.status {
        Status::Pending => "It waits as before.",
        Status::Converted => "It is converted.",
        _ => "It is over.",
    }
    .to_owned()
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
        let get = |tx: &mut dyn Tx, id: &str| referrals::get(tx, place, id);
        let Some(rows) = found_with(tx, &keyed, get)? else {
            return Ok(None);
        };
        let known: Vec<Referral> = rows.iter().filter_map(|(known, _)| known.clone()).collect();
        let people = people_of(tx, place, &known)?;
        Ok(Some((rows, people)))
    });
    let (rows, people) = read.await?.ok_or(ApiError::new(Reason::NotFound))?;
    let shown = report(&rows, &people, &access.place);
    Ok(view.page("What became of them · Referrals", shown))
}

fn report(rows: &[(Option<Referral>, Became)], people: &People, place: &Place) -> Markup {
    let done = rows.iter().filter(|(_, one)| one.is_done).count();
    let columns = [
        Column::text("Friend"),
        Column::text("Referred by"),
        Column::words("Status now"),
        Column::words("What became of it"),
    ];
    let shown = rows.iter().map(|(referral, one)| match referral {
        Some(referral) => {
            let [friend, by, _, status, ..] = cells(referral, people, place);
            [friend, by, status, one.shown()]
        }
        None => [html! { code { (one.id) } }, html! {}, html! {}, one.shown()],
    });
    html! {
        h1 { "What became of them" }
        p { (done) " of " (rows.len()) " checked again." }
        (table("What became of each referral", columns, shown, "No referral."))
        p { a.button href=(path(place)) { "Back to the referrals" } }
    }
}
