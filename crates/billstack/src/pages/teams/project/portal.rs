//! `/t/{teamId}/p/{projectId}/portal`: how customers' own pages look, and where they may be shown.

mod fields;
mod preview;

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use billstack_core::portal::{Accent, Settings};
use billstack_store::portal;
use billstack_store::{Act, Place, Refusal, Tx};
use maud::{Markup, html};

use super::address;
use crate::api::portal::settings::put::PutPortalSettingsRequest;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, text};
use crate::http::query::Query;
use crate::pages::form::{Form, filled_with};
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::notice::{self, copyable_block};
use crate::pages::submit::submit;
use crate::pages::view::{View, read};

const TITLE: &str = "Portal";

/// Where the page is.
fn path(place: &Place) -> String {
    format!("{}/portal", address(&place.team_id, &place.project_id))
}

/// How pages are set up, and the form.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let settings = settings(&app, &access.place).await?;
    let typed = fields::filled(&settings);
    let shown = page(
        &app,
        (&view, &access.place),
        &settings,
        (&typed, None),
        &query,
    );
    Ok(view.page(TITLE, shown))
}

/// Sets pages up.
pub async fn save(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let made = saved(&app, &view, &access, &form).await;
    or_again(&app, &view, &access, &form, made).await
}

/// Ends all sessions of customers.
pub async fn end_sessions(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let made = ended(&app, &view, &access, &form).await;
    or_again(&app, &view, &access, &form, made).await
}

/// The answer to a form, or the page with what is wrong about it.
async fn or_again(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    form: &Form,
    made: Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    let error = match made {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    let settings = settings(app, &access.place).await?;
    let filled = fields::filled(&settings);
    let typed = if form.text("names").is_empty() {
        &filled
    } else {
        form
    };
    let shown = page(
        app,
        (view, &access.place),
        &settings,
        (typed, Some(&error)),
        &Query::default(),
    );
    Ok(view.again(&error, TITLE, shown))
}

async fn saved(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let now = fields::filled(&settings(app, &access.place).await?);
    let over = form.over(&now, &fields::names())?;
    let request: PutPortalSettingsRequest = over.read_members(&fields::members(&over)?)?;
    let (request, place) = (Arc::new(request), access.place.clone());
    let put = move |tx: &mut dyn Tx, act: &mut Act| {
        portal::set_up(tx, act, &place, |before| {
            let wished = request.of(before);
            wished.map_err(|wrong| Refusal::ImpossiblePortal(wrong).into())
        })
    };
    let to = format!("{}?done=saved", path(&access.place));
    let form = (&access.place.team_id, form);
    let made = submit(app, &access.caller, form, put, move |_: &Settings| {
        to.clone()
    });
    Ok(made.await?.answer(view))
}

async fn ended(
    app: &App,
    view: &View,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    form.is_meant()?;
    let place = access.place.clone();
    let end = move |tx: &mut dyn Tx, act: &mut Act| Ok(portal::end_sessions(tx, act, &place)?);
    let to = format!("{}?done=ended", path(&access.place));
    let form = (&access.place.team_id, form);
    let made = submit(app, &access.caller, form, end, move |(): &()| to.clone());
    Ok(made.await?.answer(view))
}

async fn settings(app: &App, place: &Place) -> Result<Settings, ApiError> {
    read(app, place, |tx, place| Ok(portal::settings(tx, place)?)).await
}

fn page(
    app: &App,
    (view, place): (&View, &Place),
    settings: &Settings,
    (typed, error): (&Form, Option<&ApiError>),
    query: &Query,
) -> Markup {
    let lock = view.lock(Need::Admin);
    html! {
        h1 { (TITLE) }
        (said(query))
        (preview::section(app, (view, place), &path(place), query))
        section {
            h2 { "How it looks, and what it says" }
            p { (contrast(settings)) }
            (fault(error, &fields::telling()))
            form.groups #looks method="post" action=(path(place)) {
                (lock.around(html! {
                    (once())
                    (filled_with(&fields::filled(settings), &fields::names(), (typed, error)))
                    (fields::fields(typed, error))
                    (button("Save"))
                }))
            }
        }
        (snippet(app, place, settings))
        section {
            h2 { "Sessions" }
            p { "Ends every session of customers at once, also those that a link on its way would begin. Your product asks for new "
                "ones as it does for the first." }
            form method="post" action={ (path(place)) "/end-sessions" } { (lock.around(html! { (once()) (button("End all sessions")) })) }
        }
    }
}

fn said(query: &Query) -> Markup {
    let done = text(query, "done", 16).ok().flatten();
    match done.as_deref() {
        Some("saved") => notice::done(
            "Saved. It holds from the next request on, also for sessions that there are.",
        ),
        Some("ended") => notice::done("All sessions have ended."),
        _ => html! {},
    }
}

/// The contrast of buttons and their text, as it is saved.
fn contrast(settings: &Settings) -> Markup {
    let accent = settings.theme.accent.unwrap_or(Accent::OURS);
    let text = accent.text();
    let ratio = (accent.contrast(text) * 10.0).floor() / 10.0;
    let colour = if text.to_string() == "#ffffff" {
        "white"
    } else {
        "black"
    };
    html! {
        "Buttons are " code { (accent) } " with " (colour) " text: a contrast of " strong { (ratio) } " to 1, of which 4.5 is enough. "
        "Where white cannot be read, the text is black."
    }
}

/// What a page of the product needs.
fn snippet(app: &App, place: &Place, settings: &Settings) -> Markup {
    let origin = app.public_url();
    let project = format!("{}/{}", place.team_id, place.project_id);
    let element = format!(
        "<script type=\"module\" src=\"{origin}/embed/v1.js\"></script>\n\
         <billstack-referrals project=\"{project}\" token-url=\"/my/referral-token\"></billstack-referrals>"
    );
    let policy = format!("script-src {origin}; frame-src {origin}; connect-src 'self'");
    html! {
        section {
            h2 { "In your product" }
            @if settings.allowed_origins.is_empty() {
                (notice::note("No origin is allowed yet: no page but this one can show it. Add yours above."))
            }
            p { "This element shows a customer's page in a page of yours. It asks your own address for a token: "
                code { "POST …/customers/{id}/portal-sessions" } " makes one." }
            (copyable_block(&element, "element"))
            p { "If your page has a " code { "Content-Security-Policy" } ", it needs no more than this:" }
            (copyable_block(&policy, "policy"))
        }
    }
}
