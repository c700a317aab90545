//! `POST …/customers/{id}/portal`: opens the customer's own page, to look at and nothing else.

use axum::extract::State;
use axum::response::Response;
use billstack_store::portal::{self, NewSession};
use maud::{Markup, html};
use serde::Deserialize;

use super::one::{Wrong, answer_again, customer, path};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::form::{once, submit as button};
use crate::pages::submit::{Submitted, claim};
use crate::pages::view::View;
use crate::portal::{address, new_ticket};
use crate::secrets::token_hash;

/// For how many seconds the page can be looked at.
const LASTS: i64 = 900;

#[derive(Deserialize)]
struct Nothing {}

/// Opens the page: shows the way in, which is good once and for a minute.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let customer = customer(&app, &access.place, id.clone()).await?;
    match opened(&app, &access, &id, &form).await {
        Ok(Some(url)) => {
            let back = path(&access.place, &id);
            Ok(view.page("As they see it · Customers", way_in(&url, &back)))
        }
        Ok(None) => Ok(Submitted::Before(path(&access.place, &id)).answer(&view)),
        Err(error) => {
            let here = (&view, &*access.place);
            Ok(answer_again(&app, &customer, here, &error, Wrong::Other(&error)).await)
        }
    }
}

async fn opened(
    app: &App,
    access: &ProjectAccess,
    id: &str,
    form: &Form,
) -> Result<Option<String>, ApiError> {
    let Nothing {} = form.read(&[])?;
    if !claim(app, &access.caller, (&access.place.team_id, form)).await? {
        return Ok(None);
    }
    let ticket = new_ticket(&access.place.team_id);
    let new = NewSession {
        customer_id: id.to_owned(),
        lasts: LASTS,
        read_only: true,
        locale: None,
        ticket_hash: token_hash(&ticket),
    };
    let place = access.place.clone();
    let open = app.write(&access.caller, move |tx, act| {
        portal::open(tx, act, &place, &new)
    });
    open.await?;
    Ok(Some(address(app, &ticket)))
}

fn way_in(url: &str, back: &str) -> Markup {
    html! {
        h1 { "As they see it" }
        p { "This opens the customer's own page in this browser, for a quarter of an hour. Nothing can be changed there. "
            "The link is good once, within a minute." }
        p { a.button href=(url) target="_blank" rel="noopener" { "Open their page" } }
        p { a href=(back) { "Back to the customer" } }
    }
}

/// The button that leads there.
pub(super) fn form(action: &str) -> Markup {
    html! {
        form method="post" action={ (action) "/portal" } { (once()) (button("See what they see").plain()) }
    }
}
