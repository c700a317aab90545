//! `…/webhooks/{endpointId}/deliveries/{id}`: one event on its way to an endpoint.

use axum::extract::State;
use axum::response::Response;
use billstack_store::told::{self, EventKey};
use billstack_store::webhooks::log::{self, Shown};
use billstack_store::webhooks::{Attempt, Endpoint, endpoints, replay};
use billstack_store::{Act, Tx};
use maud::{Markup, html};

use super::one::{name, path};
use super::{trial, words};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, text};
use crate::http::path::Inner;
use crate::pages::form::Form;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::notice::{self, beside, copyable, copyable_block};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::parts::unread::part;
use crate::pages::submit::submit;
use crate::pages::view::{View, read};
use crate::webhooks::out::body::body;
use crate::webhooks::out::send::{Contents, Letter};

/// A delivery with its endpoint.
struct Found {
    endpoint: Endpoint,
    shown: Shown,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Inner(endpoint_id, id): Inner,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let found = found(&app, &access, (&endpoint_id, &id)).await?;
    let is_done = text(&query, "done", 16).ok().flatten().is_some();
    let said = is_done.then(|| notice::done("It is sent once more. This is the new delivery."));
    Ok(page(
        &app,
        &view,
        &access,
        &found,
        &html! { @if let Some(said) = said { (said) } },
    )
    .await)
}

/// Sends it again.
pub async fn send(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Inner(endpoint_id, id): Inner,
    form: Form,
) -> Result<Response, ApiError> {
    match sent(&app, &view, &access, (&endpoint_id, &id), &form).await {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let found = found(&app, &access, (&endpoint_id, &id)).await?;
            let shown = page(&app, &view, &access, &found, &fault(Some(&error), &[])).await;
            Ok(view.with_status_of(&error, shown))
        }
    }
}

async fn sent(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    (endpoint_id, id): (&str, &str),
    form: &Form,
) -> Result<Response, ApiError> {
    form.is_meant()?;
    let (place, of, this) = (access.place.clone(), endpoint_id.to_owned(), id.to_owned());
    let again = move |tx: &mut dyn Tx, act: &mut Act| replay::one(tx, act, &place, &of, &this);
    let here = path(&access.place, endpoint_id);
    let to = move |made: &Shown| format!("{here}/deliveries/{}?done=replay", made.delivery.id);
    let made = submit(
        app,
        &access.caller,
        (&access.place.team_id, form),
        again,
        to,
    );
    Ok(made.await?.answer(view))
}

async fn found(
    app: &App,
    access: &ProjectAccess,
    (of, id): (&str, &str),
) -> Result<Found, ApiError> {
    let (of, id) = (of.to_owned(), id.to_owned());
    read(app, &access.place, move |tx, place| {
        Ok(Found {
            endpoint: endpoints::get(tx, place, &of)?,
            shown: log::get(tx, place, &of, &id)?,
        })
    })
    .await
}

/// What is sent for a delivery, as it would be sent now: it is made anew for each attempt.
async fn letter(
    app: &App,
    access: &ProjectAccess,
    found: &Found,
) -> Result<Option<Letter>, ApiError> {
    let (delivery, now) = (&found.shown.delivery, app.now());
    let key = EventKey {
        place: (*access.place).clone(),
        at: delivery.event_at,
        id: delivery.event_id.clone(),
    };
    let id = found.endpoint.id.clone();
    let loaded = read(app, &access.place, move |tx, place| {
        let told = told::load(tx, std::slice::from_ref(&key))?.pop().flatten();
        Ok((told, endpoints::to_test(tx, place, &id, now)?))
    });
    let (told, (url, secrets)) = loaded.await?;
    let Some(text) = told.and_then(|told| serde_json::to_vec(&body(&told)?).ok()) else {
        return Ok(None);
    };
    let contents = Contents {
        team_id: &access.place.team_id,
        endpoint_id: &found.endpoint.id,
        url: &url,
        secrets: &secrets,
        event_id: &delivery.event_id,
        attempt: (delivery.attempts + i64::from(found.shown.next_attempt_at.is_some())).max(1),
    };
    Ok(app.webhook_letter(contents, text.into()).ok())
}

async fn page(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    found: &Found,
    top: &Markup,
) -> Response {
    let (delivery, here) = (
        &found.shown.delivery,
        path(&access.place, &found.endpoint.id),
    );
    let may = view.can_administer();
    let request = part(view, async {
        let letter = letter(app, access, found).await?;
        Ok(request(letter.as_ref(), may))
    });
    let request = request.await;
    let shown = html! {
        h1 { (delivery.kind.as_str()) }
        (top)
        section { h2 { "How far it has come" } (facts(found, &here)) }
        h2 { "Attempts" }
        (attempts(&found.shown.attempts))
        section { h2 { "Request" } (request) }
        section {
            h2 { "Send it again" }
            p { "The same event under the same id, signed with the present secret: at once, once, and not counted for the state of "
                "the endpoint. It may be disabled." }
            form method="post" action={ (here) "/deliveries/" (delivery.id) } {
                (view.lock(Need::Admin).around(html! { (once()) (button("Send it again")) }))
            }
        }
    };
    view.page(&format!("{} · Webhooks", delivery.kind.as_str()), shown)
}

fn facts(found: &Found, here: &str) -> Markup {
    let (shown, delivery) = (&found.shown, &found.shown.delivery);
    html! {
        p { (words::of_delivery(delivery.state, shown.attempts.last()))
            @if delivery.is_replay { "Somebody asked for it, so it is tried once." }
        }
        dl.facts {
            div { dt { "Endpoint" } dd { a href=(here) { (name(&found.endpoint)) } } }
            div { dt { "Event" } dd { (beside(html! { a href={ "/go/" (delivery.event_id) } { code { (delivery.event_id) } } }, &delivery.event_id)) } }
            div { dt { "Attempt" } dd { (super::log::of_attempts(shown)) } }
            @if let Some(at) = shown.next_attempt_at { div { dt { "Next try" } dd { (moment(at)) } } }
            div { dt { "Waiting since" } dd { (moment(delivery.created_at)) } }
            @if let Some(at) = delivery.ended_at { div { dt { "Over" } dd { (moment(at)) } } }
            div { dt { "Id" } dd { (copyable(&delivery.id)) } }
        }
    }
}

fn attempts(attempts: &[Attempt]) -> Markup {
    let columns = [
        Column::short("Attempt"),
        Column::short("When"),
        Column::text("Status"),
        Column::number("Took"),
        Column::text("What came of it"),
    ];
    let rows = attempts.iter().enumerate().map(|(number, attempt)| {
        [
            html! { (number + 1) },
            moment(attempt.at),
            html! { @if let Some(status) = attempt.status { (status) } @else { span.quiet { "none" } } },
            html! { (attempt.duration_ms) " ms" },
            html! {
                div {
                    @match attempt.error { None => "It was taken.", Some(error) => (words::of_error(error)) }
                    @if let Some(answer) = attempt.answer.as_deref().filter(|answer| !answer.is_empty()) { pre { (answer) } }
                }
            },
        ]
    });
    table(
        "Attempts, the first one first",
        columns,
        rows,
        "It was not sent yet.",
    )
}

/// The request as it would be sent now. What is signed is shown to those who may send it.
fn request(letter: Option<&Letter>, may: bool) -> Markup {
    let Some(letter) = letter else {
        return html! { p { "What is sent cannot be made any more: the event in the log cannot be read." } };
    };
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    html! {
        p.quiet { "As it would be sent now: it is made anew and signed anew for each attempt. Ids, type and amounts never differ." }
        dl.facts {
            div { dt { "POST" } dd { (letter.url) } }
            @for (name, value) in &letter.headers {
                div { dt { (name.as_str()) } dd {
                    @if name == "webhook-signature" && !may { span.quiet { "shown to owners and admins" } } @else { code { (text(value)) } }
                } }
            }
        }
        (copyable_block(&String::from_utf8_lossy(&letter.body), "body"))
        @if may { (trial::curl(letter)) }
    }
}
