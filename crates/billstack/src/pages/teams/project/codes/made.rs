//! A new code.

use billstack_core::email;
use billstack_store::codes::{self, Code};
use billstack_store::customers::{self, CustomerFilter};
use billstack_store::list::Page;
use billstack_store::{Abort, Act, Place, Tx};
use maud::{Markup, html};
use serde::Deserialize;

use crate::api::referrals::codes::name;
use crate::app::App;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::json::Text;
use crate::pages::form::Form;
use crate::pages::parts::entry::{Entry, entry};
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::submit::{Submitted, submit};
use crate::pages::teams::project::address;
use crate::pages::view::{View, read};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewCode {
    customer_id: Text<1, 255>,
    vanity: Option<Text<3, 24>>,
}

/// The form, open where it is used.
pub(super) fn form(view: &View, place: &Place, typed: &Form, error: Option<&ApiError>) -> Markup {
    let path = format!("{}/codes", address(&place.team_id, &place.project_id));
    let is_used = error.is_some() || !typed.text("customerId").is_empty();
    html! {
        details open[is_used] {
            summary { "Make a code" }
            (fault(error, &["customerId", "vanity"]))
            form.row method="post" action=(path) {
                (view.lock(Need::Writer).around(html! {
                (once())
                (entry(&Entry { label: "Customer", name: "customerId", required: true,
                    hint: Some("Their address, or an id here, of yours or in Stripe."), ..Entry::default() }, typed, error))
                (entry(&Entry { label: "Name of the code", name: "vanity", most: 24,
                    hint: Some("May be left empty. 3 to 24 letters, digits, - and _."), ..Entry::default() }, typed, error))
                (button("Make the code"))
                }))
            }
        }
    }
}

/// Makes the code, as the call does. Whoever is meant may be named in other ways than by their id.
pub(super) async fn make(
    app: &App,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Submitted, ApiError> {
    let new: NewCode = form.read(&["customerId", "vanity"])?;
    let vanity = new.vanity.map(|Text(given)| name(&given)).transpose()?;
    let place = access.place.clone();
    let sought = new.customer_id.0.trim().to_owned();
    let found = read(app, &place, move |tx, place| whom(tx, place, &sought));
    let customer_id = only(found.await?)?;
    let base = address(&place.team_id, &place.project_id);
    let team_id = place.team_id.clone();
    let op = move |tx: &mut dyn Tx, act: &mut Act| match &vanity {
        Some(vanity) => codes::names::create(tx, act, &place, &customer_id, vanity),
        None => codes::create(tx, act, &place, &customer_id),
    };
    let made = move |code: &Code| format!("{base}/codes/{}", code.code);
    submit(app, &access.caller, (&team_id, form), op, made).await
}

/// The ids of those whom a text names; two are as many as make it unclear.
fn whom(tx: &mut dyn Tx, place: &Place, text: &str) -> Result<Vec<String>, Abort> {
    if let Some(customer) = customers::get(tx, place, text)? {
        return Ok(vec![customer.id]);
    }
    let two = Page::first(2);
    let all = CustomerFilter::default;
    let mut filters = vec![
        CustomerFilter {
            external_id: Some(text.to_owned()),
            ..all()
        },
        CustomerFilter {
            stripe_customer_id: Some(text.to_owned()),
            ..all()
        },
    ];
    filters.extend(email::normalize(text).map(|email| CustomerFilter {
        email: Some(email),
        ..all()
    }));
    let mut ids = Vec::new();
    for filter in filters {
        let found = customers::list(tx, place, &filter, &two)?.rows;
        ids.extend(found.into_iter().map(|customer| customer.id));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

fn only(mut ids: Vec<String>) -> Result<String, ApiError> {
    let message = match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => return Ok(id),
        (Some(_), false) => "More than one customer is called so. Take the id of the one you mean.",
        (None, _) => "Nobody has this address or id. They are compared whole.",
    };
    Err(ApiError::invalid("customerId", message))
}
