//! `/t/{teamId}/p/{projectId}/customers`: whom the project knows, found by whatever is known of them.

pub mod create;
pub mod edit;
pub mod erase;
pub mod one;
pub mod own_page;

use axum::extract::State;
use axum::response::Response;
use billstack_core::email;
use billstack_store::customers::{self, Customer, CustomerFilter};
use billstack_store::list::{Page, Part};
use billstack_store::{Place, Tx};
use maud::{Markup, html};

use super::address;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page, text};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::notice::beside;
use crate::pages::parts::pager::{Trail, only_known, pager};
use crate::pages::parts::people::called;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::view::{View, read};

/// Rows of a page.
const ROWS: i64 = 25;

const TITLE: &str = "Customers";

/// The list, or those whom a search finds.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let form = create::form(&view, &access.place, &Form::default(), None);
    let body = body(&app, &access.place, &query, &form).await?;
    Ok(view.page(TITLE, body))
}

async fn body(app: &App, place: &Place, query: &Query, form: &Markup) -> Result<Markup, ApiError> {
    let query = query.clone().without_empty();
    only_known(&query, &["q"])?;
    let (page, sought) = (page(&query, ROWS)?, text(&query, "q", 255)?);
    let trail = Trail::of(&query);
    let wanted = sought.clone();
    let part = read(app, place, move |tx, place| match &wanted {
        Some(wanted) => Ok(Part {
            rows: found(tx, place, wanted.trim())?,
            next: None,
        }),
        None => Ok(customers::list(
            tx,
            place,
            &CustomerFilter::default(),
            &page,
        )?),
    });
    let part = part.await?;
    let path = format!("{}/customers", address(&place.team_id, &place.project_id));
    let typed = sought.as_deref().unwrap_or_default();
    let kept: Vec<_> = sought.as_deref().map(|q| ("q", q)).into_iter().collect();
    Ok(html! {
        h1 { (TITLE) }
        (form)
        form.row method="get" action=(path) role="search" {
            div.field {
                label for="q" { "Find by address, external id, or id here or in Stripe" }
                input id="q" name="q" type="search" value=(typed) maxlength="255" autocomplete="off";
            }
            div.actions {
                button { "Find" }
                @if sought.is_some() { a href=(path) { "Show all" } }
            }
        }
        (list(&part, &path, sought.is_some()))
        (pager(&path, &kept, &trail, part.next.as_ref()))
    })
}

/// Whom a text names exactly: by their id here, their address, the team's own id or the one in Stripe.
fn found(
    tx: &mut dyn Tx,
    place: &Place,
    sought: &str,
) -> Result<Vec<Customer>, billstack_store::Abort> {
    let mut all: Vec<Customer> = customers::get(tx, place, sought)?.into_iter().collect();
    let mut filters = vec![
        CustomerFilter {
            external_id: Some(sought.to_owned()),
            ..CustomerFilter::default()
        },
        CustomerFilter {
            stripe_customer_id: Some(sought.to_owned()),
            ..CustomerFilter::default()
        },
    ];
    filters.extend(email::normalize(sought).map(|email| CustomerFilter {
        email: Some(email),
        ..CustomerFilter::default()
    }));
    let few = Page::first(ROWS);
    for filter in filters {
        for customer in customers::list(tx, place, &filter, &few)?.rows {
            if all.iter().all(|other| other.id != customer.id) {
                all.push(customer);
            }
        }
    }
    Ok(all)
}

fn list(part: &Part<Customer>, path: &str, is_sought: bool) -> Markup {
    let columns = [
        Column::text("Name"),
        Column::text("Address"),
        Column::text("External id"),
        Column::text("In Stripe"),
        Column::short("Since"),
    ];
    let none = || html! { span.quiet { "none" } };
    let code = |text: &Option<String>| match text {
        Some(text) => beside(html! { code { (text) } }, text),
        None => none(),
    };
    let rows = part.rows.iter().map(|customer| {
        let name = called(customer);
        [
            html! { a href={ (path) "/" (customer.id) } { (name) } },
            beside(html! { (customer.email) }, &customer.email),
            code(&customer.external_id),
            code(&customer.stripe_customer_id),
            moment(customer.created_at),
        ]
    });
    let empty = match is_sought {
        true => "Nobody has this address or id. Addresses and ids are compared whole.",
        false => {
            "No customer yet. Your backend makes one for each account: POST …/customers. Or create the first above."
        }
    };
    table("Customers, the newest first", columns, rows, empty)
}
