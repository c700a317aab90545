//! `POST …/customers`: creates a customer, as the call does.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Place;
use billstack_store::customers::{self, CustomerFilter};
use billstack_store::list::Page;
use maud::{Markup, html};
use serde_json::json;

use super::one;
use crate::api::customers::create::{self, CreateCustomerRequest};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, entry};
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::submit::{Submitted, claim};
use crate::pages::teams::project::address;
use crate::pages::view::{View, read};

const FIELDS: [&str; 4] = ["email", "name", "externalId", "stripeCustomerId"];

/// Creates the customer; a form with a fault comes back above the list.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let place = access.place.clone();
    match created(&app, access, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let open = self::form(&view, &place, &form, Some(&error));
            let body = super::body(&app, &place, &Query::default(), &open).await?;
            Ok(view.again(&error, super::TITLE, body))
        }
    }
}

/// Stripe may have to be asked, which is not in one transaction with the form: the form is claimed first, and the
/// address of a customer, which is theirs alone, leads to whom it made.
async fn created(app: &Shared, access: ProjectAccess, form: &Form) -> Result<Submitted, ApiError> {
    let members = json!({
        "email": form.text("email").trim(), "name": form.member("name"),
        "externalId": form.member("externalId"), "stripeCustomerId": form.member("stripeCustomerId"),
    });
    let body: CreateCustomerRequest = form.read_members(&members)?;
    let (place, email) = (access.place.clone(), body.address().to_owned());
    if !claim(app, &access.caller, (&place.team_id, form)).await? {
        return Ok(Submitted::Before(made(app, &place, email).await?));
    }
    let input = Input { body, keyed: None };
    create::create(app.clone(), access, input).await?;
    Ok(Submitted::Made(made(app, &place, email).await?))
}

/// The page of whoever has this address.
async fn made(app: &App, place: &Place, email: String) -> Result<String, ApiError> {
    let found = read(app, place, move |tx, place| {
        let filter = CustomerFilter {
            email: Some(email.clone()),
            ..CustomerFilter::default()
        };
        Ok(customers::list(tx, place, &filter, &Page::first(1))?
            .rows
            .pop())
    });
    let customer = found
        .await?
        .ok_or(ApiError::new(Reason::CustomerNotFound))?;
    Ok(one::path(place, &customer.id))
}

/// The form, open where it is used.
pub(super) fn form(view: &View, place: &Place, typed: &Form, error: Option<&ApiError>) -> Markup {
    let path = format!("{}/customers", address(&place.team_id, &place.project_id));
    let optional = |label, name, hint| Entry {
        label,
        name,
        hint: Some(hint),
        ..Entry::default()
    };
    let in_stripe = "May be left empty: with a secret key of Stripe they are found or made there.";
    html! {
        details open[error.is_some()] {
            summary { "Create a customer" }
            (fault(error, &FIELDS))
            form.row method="post" action=(path) {
                (view.lock(Need::Writer).around(html! {
                (once())
                (entry(&Entry { label: "Address", name: "email", required: true, ..Entry::default() }, typed, error))
                (entry(&optional("Name", "name", "May be left empty."), typed, error))
                (entry(&optional("External id", "externalId", "The id that your own system knows them by."), typed, error))
                (entry(&optional("In Stripe", "stripeCustomerId", in_stripe), typed, error))
                (button("Create"))
                }))
            }
        }
    }
}
