//! `/t/{teamId}/p/{projectId}/links`: where share links lead, and what whoever follows one gets.

mod fields;
mod snippets;
mod trial;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use billstack_core::link::{Card, Settings};
use billstack_store::links::{self, Names};
use billstack_store::{Act, Place, Refusal, Tx};
use maud::{Markup, html};

use super::address;
use crate::api::links::settings::put::PutLinkSettingsRequest;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, text};
use crate::http::query::Query;
use crate::pages::form::{Form, filled_with};
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::notice::{self, copyable};
use crate::pages::parts::unread::part;
use crate::pages::submit::submit;
use crate::pages::view::{View, read};

const TITLE: &str = "Links";

/// Where the page is.
fn path(place: &Place) -> String {
    format!("{}/links", address(&place.team_id, &place.project_id))
}

/// What the page knows.
struct Known {
    settings: Settings,
    names: Names,
}

/// How links are set up, and the form.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let known = known(&app, &access.place).await?;
    let typed = fields::filled(&known.settings);
    let shown = page(&app, (&view, &access.place), &known, (&typed, None), &query).await;
    Ok(view.page(TITLE, shown))
}

/// Sets links up.
pub async fn save(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match saved(&app, &view, &access, &form).await {
        Ok(answer) => Ok(answer),
        Err(error) => {
            let known = known(&app, &access.place).await?;
            let typed = (&form, Some(&error));
            let shown = page(
                &app,
                (&view, &access.place),
                &known,
                typed,
                &Query::default(),
            )
            .await;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn saved(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let now = fields::filled(&known(app, &access.place).await?.settings);
    let over = form.over(&now, &fields::FIELDS)?;
    let request: PutLinkSettingsRequest = over.read_members(&fields::members(&over))?;
    let (request, place) = (Arc::new(request), access.place.clone());
    let put = move |tx: &mut dyn Tx, act: &mut Act| {
        links::set_up(tx, act, &place, |before| {
            let wished = request.of(before);
            wished.map_err(|wrong| Refusal::ImpossibleLinks(wrong).into())
        })
    };
    let to = format!("{}?done=saved", path(&access.place));
    let form = (&access.place.team_id, form);
    let made = submit(
        app,
        &access.caller,
        form,
        put,
        move |_: &(Settings, Names)| to.clone(),
    );
    Ok(made.await?.answer(view))
}

async fn known(app: &App, place: &Place) -> Result<Known, ApiError> {
    read(app, place, |tx, place| {
        Ok(Known {
            settings: links::settings(tx, place)?,
            names: links::names(tx, place)?,
        })
    })
    .await
}

async fn page(
    app: &Shared,
    (view, place): (&View, &Place),
    known: &Known,
    (typed, error): (&Form, Option<&ApiError>),
    query: &Query,
) -> Markup {
    let said = text(query, "done", 16).ok().flatten();
    let code = text(&query.clone().without_empty(), "code", 64)
        .ok()
        .flatten();
    let tried = part(view, trial::trial(app, known, code.as_deref())).await;
    html! {
        h1 { (TITLE) }
        @if said.is_some() { (notice::done("Links are set up like this now. It may take three seconds to show.")) }
        section { h2 { "At present" } (at_present(app, known)) }
        section #try {
            h2 { "Try a link" }
            form.row method="get" action=(path(place)) {
                div.field {
                    label for="code" { "A code, or a name of one" }
                    input id="code" name="code" value=(code.as_deref().unwrap_or_default()) maxlength="64" autocomplete="off";
                }
                div.actions { button { "Try it" } }
            }
            (tried)
        }
        section {
            h2 { "Set links up" }
            (fault(error, &fields::FIELDS))
            form.groups method="post" action=(path(place)) {
                (view.lock(Need::Admin).around(html! {
                    (once())
                    (filled_with(&fields::filled(&known.settings), &fields::FIELDS, (typed, error)))
                    (fields::fields(typed, error))
                    (button("Save"))
                }))
            }
        }
        (snippets::section(&known.settings.click_parameter))
    }
}

fn at_present(app: &App, known: &Known) -> Markup {
    let Known { settings, names } = known;
    let base = app.public_url();
    html! {
        @if settings.enabled {
            p { span.state.on { "On" } " Links bring their code along. A click counts for " (settings.window_days) " days." }
        } @else {
            p { span.state.off { "Off" } " Links lead on without their code. Whoever types a code at your sign-up is still referred." }
        }
        dl.facts {
            div { dt { "A link" } dd {
                @if names.is_first { (copyable(&format!("{base}/r/CODE"))) br; }
                (copyable(&format!("{base}/r/{}/CODE", names.slug)))
            } }
            div { dt { "Leads to" } dd {
                @match &settings.landing_url {
                    Some(url) => (url),
                    None => { span.quiet { "nowhere yet: set a landing page below" } },
                }
            } }
            div { dt { "Chats show" } dd { (card(settings.card.as_ref())) } }
        }
    }
}

/// What chats show of a link. The picture is theirs to load, not ours.
fn card(card: Option<&Card>) -> Markup {
    let Some(card) = card else {
        return html! { "what your landing page says of itself" };
    };
    html! {
        div.card {
            @if let Some(image) = &card.image_url { p.quiet { "Picture: " code { (image) } } }
            strong { (card.title) }
            @if let Some(text) = &card.text { p { (text) } }
        }
    }
}
