//! `/t/{teamId}/stripe/events/{id}`: what an event of Stripe said, what became of it, and what helps.

use axum::extract::State;
use axum::response::Response;
use billstack_core::attribution::Outcome;
use billstack_core::explanation::of_event;
use billstack_core::ids::TeamId;
use billstack_core::stripe_event::is_about_payments;
use billstack_store::intake::{self, StripeEvent};
use billstack_store::{Refusal, Thing};
use maud::{Markup, html};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;
use serde_json::Value;

use super::{Known, customer, people_of, referral};
use crate::api::teams::stripe::events::cure_of;
use crate::api::teams::stripe::events::replay::replayed;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::path::Item;
use crate::pages::dress::PLAIN;
use crate::pages::form::Form;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::notice::copyable;
use crate::pages::parts::time::moment;
use crate::pages::parts::words;
use crate::pages::submit::{Submitted, claim};
use crate::pages::view::View;

/// As much of a body is shown; the API tells the rest.
const LARGEST_BODY: usize = 40 * 1024;

#[derive(Deserialize)]
struct Nothing {}

/// All that the page tells.
struct Told {
    event: StripeEvent,
    known: Known,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.team_id, id).await?;
    let shown = body(&told, (&view, &access.team_id), None);
    Ok(view.page(&title(&told), shown))
}

/// Decides anew about it.
pub async fn replay(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.team_id, id.clone()).await?;
    match again(&app, &access, &id, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let shown = body(&told, (&view, &access.team_id), Some(&error));
            Ok(view.again(&error, &title(&told), shown))
        }
    }
}

async fn again(
    app: &App,
    access: &TeamAccess,
    id: &str,
    form: &Form,
) -> Result<Submitted, ApiError> {
    let Nothing {} = form.read(&[])?;
    let back = path(&access.team_id, id);
    if !claim(app, &access.caller, (&access.team_id, form)).await? {
        return Ok(Submitted::Before(back));
    }
    replayed(app, &access.caller, &access.team_id, id.to_owned()).await?;
    Ok(Submitted::Made(back))
}

fn path(team_id: &TeamId, id: &str) -> String {
    let id = utf8_percent_encode(id, &PLAIN);
    format!("/t/{team_id}/stripe/events/{id}")
}

fn title(told: &Told) -> String {
    format!("{} · Events · Stripe", told.event.kind)
}

async fn told(app: &App, team_id: &TeamId, id: String) -> Result<Told, ApiError> {
    let team = team_id.clone();
    let read = app.store.scan(move |tx| {
        let event = intake::get(tx, &team, &id)?;
        let event = event.ok_or(Refusal::NotFound(Thing::StripeEvent))?;
        let known = people_of(tx, &team, std::slice::from_ref(&event))?;
        Ok(Told { event, known })
    });
    Ok(read.await?)
}

fn body(told: &Told, (view, team_id): (&View, &TeamId), error: Option<&ApiError>) -> Markup {
    let event = &told.event;
    let is_converted = event.settled.outcome == Outcome::Converted;
    let (means, cure) = cure_of(&event.settled);
    // That it was recorded is what became of it.
    let reason = Some(of_event(&event.settled.reason)).filter(|reason| {
        !is_converted && !reason.is_empty() && event.settled.outcome != Outcome::Recorded
    });
    let is_live = match event.livemode {
        Some(true) => "live",
        Some(false) => "test",
        None => "it did not say",
    };
    html! {
        h1 { (event.kind) }
        section {
            h2 { "What became of it" }
            p { (words::of_outcome(event.settled.outcome)) (means) }
            @if let Some(reason) = reason { p { "Reason: " (reason) "." } }
            p.quiet { (cure) }
            (fault(error, &[]))
            @if !is_converted {
                form method="post" action=(path(team_id, &event.id)) {
                    (view.lock(Need::Admin).around(html! { (once()) (button("Decide anew")) }))
                }
            }
        }
        section {
            h2 { "Facts" }
            dl.facts {
                div { dt { "Id" } dd { (copyable(&event.id)) } }
                div { dt { "Happened" } dd { (moment(event.created_at)) } }
                div { dt { "Received" } dd { (moment(event.received_at)) } }
                div { dt { "Mode" } dd { (is_live) } }
                div { dt { "Customer" } dd { (customer(event, &told.known, team_id)) } }
                div { dt { "Referral" } dd { (referral(event, team_id)) } }
            }
        }
        h2 { "Body" }
        (payload(event))
    }
}

fn payload(event: &StripeEvent) -> Markup {
    let Some(text) = event.payload.as_deref() else {
        let why = match event.settled.outcome {
            _ if is_about_payments(&event.kind) => {
                "No body is kept: of what tells of payments the facts that count are kept, whoever they are of."
            }
            Outcome::Ignored => "No body is kept: the event is of no use here.",
            Outcome::NoCustomer => {
                "No body is kept: nobody here is its customer, and nobody could have it erased."
            }
            _ => {
                "No body is kept any more: its time is over, or the person whom it names was erased."
            }
        };
        return html! { p.empty { (why) } };
    };
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let pretty = parsed.and_then(|value| serde_json::to_string_pretty(&value).ok());
    let mut shown = pretty.unwrap_or_else(|| text.to_owned());
    let is_cut = shown.len() > LARGEST_BODY;
    shown.truncate(shown.floor_char_boundary(LARGEST_BODY));
    html! {
        pre.body tabindex="0" { code { (shown) } }
        @if is_cut { p.quiet { "The rest of it is told by the API." } }
    }
}
