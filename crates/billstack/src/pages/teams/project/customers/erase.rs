//! `POST …/customers/{id}/erase`: erases a person, once their address was typed.

use axum::extract::State;
use axum::response::Response;
use billstack_core::email;
use billstack_store::customers::Customer;
use billstack_store::{Act, Tx, erase};
use maud::{Markup, html};
use serde::Deserialize;

use super::one::{Wrong, answer_again, customer};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::form::{Field, fault, field, once, submit as button};
use crate::pages::parts::lock::Lock;
use crate::pages::parts::said::saying;
use crate::pages::submit::{Submitted, submit};
use crate::pages::teams::project::address;
use crate::pages::view::View;

#[derive(Deserialize)]
struct Typed {
    address: String,
}

/// Erases the customer.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let customer = customer(&app, &access.place, id.clone()).await?;
    match erased(&app, &access, &customer, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let wrong = Wrong::Erase(&form, &error);
            let here = (&view, &*access.place);
            Ok(answer_again(&app, &customer, here, &error, wrong).await)
        }
    }
}

async fn erased(
    app: &App,
    access: &ProjectAccess,
    customer: &Customer,
    form: &Form,
) -> Result<Submitted, ApiError> {
    let Typed { address: typed } = form.read(&["address"])?;
    if email::normalize(typed.trim()).as_deref() != Some(&*customer.email) {
        let message = "This is not the address of the customer.";
        return Err(ApiError::invalid("address", message));
    }
    let (place, id) = (access.place.clone(), customer.id.clone());
    let op = move |tx: &mut dyn Tx, act: &mut Act| erase::erase(tx, act, &place, &id);
    let (team_id, project_id) = (&access.place.team_id, &access.place.project_id);
    let list = format!("{}/customers", address(team_id, project_id));
    let list = saying(&list, "erased");
    submit(app, &access.caller, (team_id, form), op, move |(): &()| {
        list.clone()
    })
    .await
}

/// The form, behind what happens.
pub(super) fn form(
    customer: &Customer,
    action: &str,
    lock: &Lock,
    wrong: Option<(&Form, &ApiError)>,
) -> Markup {
    let empty = Form::default();
    let (typed, error) = wrong.map_or((&empty, None), |(form, error)| (form, Some(error)));
    let of_address = Field {
        label: "Type the address to confirm",
        name: "address",
        ..Field::default()
    };
    html! {
        details open[wrong.is_some()] {
            summary { "Erase this person" }
            section {
                p { "Name, address, metadata and their traces in stored events and answers are erased, for ever. "
                    "Their code can no longer be applied, and referrals that wait are closed. Ids, referrals and amounts stay. "
                    "Whoever is this Stripe customer cannot be referred anew." }
                p.quiet { "The address is " code { (customer.email) } }
                (fault(error, &["address"]))
                form method="post" action={ (action) "/erase" } {
                    (lock.around(html! {
                        (once())
                        (field(&of_address, typed, error))
                        (button("Erase for ever"))
                    }))
                }
            }
        }
    }
}
