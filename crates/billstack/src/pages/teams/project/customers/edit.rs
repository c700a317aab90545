//! `POST …/customers/{id}`: changes who a customer is, or links them to one in Stripe.

use axum::extract::State;
use axum::response::Response;
use billstack_store::customers::{self, Customer};
use billstack_store::{Act, Tx};
use maud::{Markup, html};
use serde_json::{Map, Value};

use super::one::{Wrong, answer_again, customer, path};
use crate::api::customers::update::UpdateCustomerRequest;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::{Form, filled_with};
use crate::pages::parts::form::{Field, Kind, fault, field, once, submit as button};
use crate::pages::parts::lock::Lock;
use crate::pages::parts::said::saying;
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::View;

const FIELDS: [&str; 4] = ["email", "name", "externalId", "stripeCustomerId"];

/// Changes the customer.
pub async fn handle(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let customer = customer(&app, &access.place, id.clone()).await?;
    let now = filled(&customer);
    match changed(&app, &access, (id, &now), &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let wrong = Wrong::Edit(&form, &error);
            let here = (&view, &*access.place);
            Ok(answer_again(&app, &customer, here, &error, wrong).await)
        }
    }
}

async fn changed(
    app: &App,
    access: &ProjectAccess,
    (id, now): (String, &Form),
    form: &Form,
) -> Result<Submitted, ApiError> {
    form.over(now, &FIELDS)?;
    // What nobody changed is not sent. A field that was emptied takes its member away.
    let changed = FIELDS.into_iter().filter(|name| form.is_changed(name));
    let members: Map<String, Value> = changed
        .map(|name| (name.to_owned(), form.member(name)))
        .collect();
    let request: UpdateCustomerRequest = form.read_members(&members)?;
    let patch = request.into_patch()?;
    let (place, back) = (access.place.clone(), path(&access.place, &id));
    let back = saying(&back, "changed");
    let op = move |tx: &mut dyn Tx, act: &mut Act| customers::update(tx, act, &place, &id, &patch);
    let team_id = &access.place.team_id;
    submit(
        app,
        &access.caller,
        (team_id, form),
        op,
        move |_: &Customer| back.clone(),
    )
    .await
}

/// The form with what a customer is.
fn filled(customer: &Customer) -> Form {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    Form::of([
        ("email", customer.email.clone()),
        ("name", text(&customer.name)),
        ("externalId", text(&customer.external_id)),
        ("stripeCustomerId", text(&customer.stripe_customer_id)),
    ])
}

/// The form, as the customer is or as it was typed.
pub(super) fn form(
    customer: &Customer,
    action: &str,
    lock: &Lock,
    wrong: Option<(&Form, &ApiError)>,
) -> Markup {
    let now = filled(customer);
    let (typed, error) = wrong.map_or((&now, None), |(form, error)| (form, Some(error)));
    let optional = |label, name, hint| Field {
        label,
        name,
        hint,
        is_optional: true,
        ..Field::default()
    };
    let link =
        "cus_…, or empty. Events kept for it are looked at again, and credits that wait go on.";
    html! {
        details open[wrong.is_some()] {
            summary { "Edit, or link to Stripe" }
            section {
                (fault(error, &FIELDS))
                form method="post" action=(action) {
                    (lock.around(html! {
                        (once())
                        (filled_with(&now, &FIELDS, (typed, error)))
                        (field(&Field { label: "Address", name: "email", kind: Kind::Email, ..Field::default() }, typed, error))
                        (field(&optional("Name", "name", None), typed, error))
                        (field(&optional("External id", "externalId", Some("The id that your own system knows them by.")), typed, error))
                        (field(&optional("In Stripe", "stripeCustomerId", Some(link)), typed, error))
                        (button("Save"))
                    }))
                }
            }
        }
    }
}
