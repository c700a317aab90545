//! `/t/{teamId}/p/{projectId}/webhooks`: where events are sent, and what they look like.

pub mod acts;
pub mod delivery;
mod fields;
mod log;
pub mod one;
pub mod replay;
pub mod trial;
mod words;

use axum::extract::State;
use axum::response::Response;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::{self, Endpoint, endpoints};
use billstack_store::{Act, Place, Tx};
use maud::{Markup, html};

use super::address;
use crate::api::webhook_endpoints::create::CreateEndpointRequest;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, one_of};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::notice::{beside, copyable_block};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::unread::part;
use crate::pages::shown::Kind;
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::{View, read, see_other_with};
use crate::webhooks::out::samples;
use crate::webhooks::out::{secret, signature};

const TITLE: &str = "Webhooks";

/// Where the endpoints of a project are.
fn path(place: &Place) -> String {
    format!("{}/webhooks", address(&place.team_id, &place.project_id))
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let sample = sample(&query)?;
    let shown = body(
        &app,
        (&view, &access.place),
        sample,
        (&Form::default(), None),
    )
    .await;
    Ok(view.page(TITLE, shown))
}

/// The type whose sample is looked at.
fn sample(query: &Query) -> Result<Type, ApiError> {
    let query = query.clone().without_empty();
    Ok(one_of(&query, "sample", Type::parse)?.unwrap_or(Type::ReferralConverted))
}

/// Makes an endpoint, whose secret is shown once.
pub async fn create(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match made(&app, &view, &access, &form).await {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let typed = (&form, Some(&error));
            let shown = body(&app, (&view, &access.place), Type::ReferralConverted, typed).await;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn made(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let request: CreateEndpointRequest = form.read_members(&fields::members(form))?;
    let new = request.into_new(app).await?;
    let (cipher, place, fresh) = (
        app.cipher.clone(),
        access.place.clone(),
        signature::new_secret(),
    );
    let shown = fresh.expose().to_owned();
    let list = path(&place);
    let op = move |tx: &mut dyn Tx, act: &mut Act| {
        let seal = |id: &str| secret::seal(&cipher, &place.team_id, id, &fresh);
        endpoints::create(tx, act, &place, &new, seal)
    };
    let to = move |endpoint: &Endpoint| format!("{list}/{}", endpoint.id);
    match submit(app, &access.caller, (&access.place.team_id, form), op, to).await? {
        Submitted::Made(to) => {
            let id = to.rsplit('/').next().unwrap_or_default();
            let whose = acts::whose(view, &access.place);
            let cookie = whose.show(app, Kind::Webhook, &format!("{id} {shown}"));
            Ok(see_other_with(&to, cookie))
        }
        before @ Submitted::Before(_) => Ok(before.answer(view)),
    }
}

async fn body(
    app: &App,
    (view, place): (&View, &Place),
    sample: Type,
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let list = part(view, list(app, place)).await;
    html! {
        h1 { (TITLE) }
        p.quiet { "Where your systems are told what happens here, signed, within seconds. "
            a href="https://www.standardwebhooks.com/" rel="noreferrer" { "Standard Webhooks" } " libraries verify it." }
        (list)
        section {
            h2 { "A new endpoint" }
            (fault(error, &fields::FIELDS))
            form.groups method="post" action=(path(place)) {
                (view.lock(Need::Admin).around(html! { (once()) (fields::fields(typed, error)) (button("Add the endpoint")) }))
            }
        }
        (samples_of(place, sample))
    }
}

async fn list(app: &App, place: &Place) -> Result<Markup, ApiError> {
    let now = app.now();
    let found = read(app, place, move |tx, place| {
        let now = billstack_store::test_clock::shown(tx, place, now)?;
        let mut found = Vec::new();
        for endpoint in webhooks::of_project(tx, place)? {
            let lately = webhooks::log::lately(tx, place, &endpoint.id, now)?;
            found.push((endpoint, lately));
        }
        Ok(found)
    });
    let found = found.await?;
    let columns = [
        Column::text("Endpoint"),
        Column::text("Is told"),
        Column::short("State"),
        Column::text("Last 24 hours"),
        Column::short("Next try"),
    ];
    let base = path(place);
    let rows = found.iter().map(|(endpoint, lately)| {
        let one = format!("{base}/{}", endpoint.id);
        [
            html! {
                (beside(html! { a href=(one) { (endpoint.url) } }, &endpoint.url))
                @if let Some(text) = &endpoint.description { br; span.quiet { (text) } }
            },
            html! { (words::of_types(&endpoint.types)) },
            words::of_endpoint(endpoint),
            html! { (words::of_day(lately, &one))
            @if let Some(last) = lately.last_failure.as_ref().filter(|_| !words::is_well(endpoint)) {
                br; span.quiet { (words::of_failure(last)) }
            } },
            words::of_next(endpoint, lately),
        ]
    });
    let empty = "No endpoint yet. Add one below; what would be sent to it is shown further down.";
    Ok(table("Endpoints, the oldest first", columns, rows, empty))
}

/// What each type looks like, one at a time.
fn samples_of(place: &Place, shown: Type) -> Markup {
    let base = path(place);
    html! {
        section #samples {
            h2 { "What is sent" }
            p.quiet { "A sample of each type. Ids alone, no names and no addresses." }
            nav.chips aria-label="Types" {
                @for kind in Type::ALL {
                    a href={ (base) "?sample=" (kind.as_str()) "#samples" } aria-current=[(*kind == shown).then_some("true")] { (kind.as_str()) }
                }
            }
            (copyable_block(&pretty(samples::of(shown)), "sample"))
        }
    }
}

/// JSON as people read it.
fn pretty(json: &str) -> String {
    let value: Option<serde_json::Value> = serde_json::from_str(json).ok();
    let text = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.unwrap_or_else(|| json.to_owned())
}
