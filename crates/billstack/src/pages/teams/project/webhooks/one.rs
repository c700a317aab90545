//! `…/webhooks/{endpointId}`: how an endpoint does, what was sent to it, and all that can be done with it.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_core::webhook::types::Type;
use billstack_store::webhooks::log::{Lately, lately, undelivered_since};
use billstack_store::webhooks::{Endpoint, endpoints};
use billstack_store::{Place, test_clock};
use maud::{Markup, html};

use super::log::{Wanted, log};
use super::{acts, fields, path as list_path, replay, words};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, text};
use crate::http::path::Item;
use crate::http::query::Query;
use crate::pages::form::{Form, filled_with};
use crate::pages::parts::form::{choice, fault, once, submit as button};
use crate::pages::parts::lock::{Lock, Need};
use crate::pages::parts::notice::{self, copyable};
use crate::pages::parts::time::moment;
use crate::pages::parts::unread::part;
use crate::pages::shown::{Kind, panels};
use crate::pages::view::{View, read};

/// Where an endpoint is.
pub(super) fn path(place: &Place, id: &str) -> String {
    format!("{}/{id}", list_path(place))
}

/// What a page of an endpoint shows besides what the endpoint is.
pub(super) struct Asked<'a> {
    pub(super) app: &'a App,
    pub(super) view: &'a View,
    pub(super) place: &'a Place,
    pub(super) id: &'a str,
}

impl<'a> Asked<'a> {
    /// What a request asks for.
    pub(super) fn new(
        (app, view): (&'a App, &'a View),
        access: &'a ProjectAccess,
        id: &'a str,
    ) -> Asked<'a> {
        Asked {
            app,
            view,
            place: &access.place,
            id,
        }
    }
}

/// An endpoint, and how it did lately.
pub(super) struct Found {
    pub(super) endpoint: Endpoint,
    lately: Lately,
    /// The time of the first event that it did not take, and that was not sent again.
    pub(super) undelivered_since: Option<Micros>,
    pub(super) now: Micros,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    headers: HeaderMap,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let asked = Asked::new((&app, &view), &access, &id);
    let found = asked.found().await?;
    let secrets = acts::whose(&view, &access.place).read(&app, &headers, Kind::Webhook);
    let secrets = secrets.into_iter().filter_map(|secret| secret.of(&id));
    let secrets: Vec<_> = secrets.collect();
    let kept = format!("{}/kept", path(&access.place, &id));
    let top = html! {
        (panels("The secret of the endpoint", &secrets, "Your receiver checks signatures with it.", &kept))
        (said(&query))
        (part(&view, replay::missed(&asked, &query)).await)
    };
    let filled = fields::filled(&found.endpoint);
    let body = asked
        .page(&found, Wanted::read(query)?, top, (&filled, None))
        .await;
    Ok(view.page(&title(&found.endpoint), body))
}

/// What has just been done.
fn said(query: &Query) -> Markup {
    let done = text(query, "done", 16).ok().flatten();
    let said = match done.as_deref() {
        Some("saved") => "The endpoint is saved.",
        Some("enabled") => "The endpoint is enabled: it is told of what happens from now on.",
        Some("disabled") => "The endpoint is disabled: it is told nothing any more.",
        Some("replay") => "They are being sent, twenty in a second.",
        Some("ended") => "The secret before is good no longer.",
        _ => return html! {},
    };
    notice::done(said)
}

/// What an endpoint is called: by its host, or by what its owners say of it.
pub(super) fn title(endpoint: &Endpoint) -> String {
    format!("{} · Webhooks", name(endpoint))
}

pub(super) fn name(endpoint: &Endpoint) -> &str {
    let url = endpoint.url.as_str();
    let host = url
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    endpoint.description.as_deref().or(host).unwrap_or(url)
}

impl Asked<'_> {
    pub(super) async fn found(&self) -> Result<Found, ApiError> {
        let (now, id) = (self.app.now(), self.id.to_owned());
        read(self.app, self.place, move |tx, place| {
            let now = test_clock::shown(tx, place, now)?;
            let endpoint = endpoints::get(tx, place, &id)?;
            let lately = lately(tx, place, &id, now)?;
            Ok(Found {
                undelivered_since: undelivered_since(tx, place, &id)?,
                endpoint,
                lately,
                now,
            })
        })
        .await
    }

    /// The page after a form that could not be sent.
    pub(super) async fn again(&self, form: &Form, error: &ApiError) -> Result<Response, ApiError> {
        let found = self.found().await?;
        let of_fields = error.field.as_deref().is_some_and(|field| {
            fields::FIELDS.contains(&field) || replay::FIELDS.contains(&field)
        });
        let top = html! { @if !of_fields { (fault(Some(error), &[])) } };
        let mut filled = fields::filled(&found.endpoint);
        for (name, value) in form.fields() {
            filled.add(name, value);
        }
        let typed = match form.text("told") {
            "" => (&filled, Some(error)),
            _ => (form, Some(error)),
        };
        let body = self
            .page(&found, Wanted::read(Query::default())?, top, typed)
            .await;
        Ok(self.view.again(error, &title(&found.endpoint), body))
    }

    /// All of the page.
    pub(super) async fn page(
        &self,
        found: &Found,
        wanted: Wanted,
        top: Markup,
        typed: (&Form, Option<&ApiError>),
    ) -> Markup {
        let here = path(self.place, self.id);
        let log = part(
            self.view,
            log(self.app, self.place, &here, self.id, &wanted),
        )
        .await;
        let lock = self.view.lock(Need::Admin);
        html! {
            h1 { (name(&found.endpoint)) }
            (lock.reason())
            (top)
            section { h2 { "How it does" } (facts(found, &here, &lock)) }
            section {
                h2 { "What to do" }
                (trial(&here, &lock))
                (replay::form(&here, found, &lock, typed))
                (change(&here, found, &lock, typed))
                (secret(&here, &lock, typed))
                (end(&here, found, &lock, typed.0))
            }
            h2 { "Log" }
            (log)
        }
    }
}

/// Something that can be done, out of the way until somebody wants it or has sent it in vain.
pub(super) fn act(summary: &str, is_open: bool, form: Markup) -> Markup {
    html! { details.group open[is_open] { summary { (summary) } (form) } }
}

fn facts(found: &Found, here: &str, lock: &Lock) -> Markup {
    let endpoint = &found.endpoint;
    let at = |at: Option<Micros>| html! { @if let Some(at) = at { (moment(at)) } @else { span.quiet { "never" } } };
    html! {
        p { (words::of_endpoint(endpoint))
            @if let Some((since, why)) = endpoint.disabled { (words::of_disabled(why)) " Since " (moment(since)) " it is told nothing." }
        }
        @if endpoint.disabled.is_some() {
            form method="post" action={ (here) "/enable" } { (lock.inside(html! { (once()) (button("Enable it")) })) }
        }
        dl.facts {
            div { dt { "Address" } dd { (copyable(&endpoint.url)) } }
            div { dt { "Is told" } dd { (words::of_types(&endpoint.types)) } }
            div { dt { "Last 24 hours" } dd { (words::of_day(&found.lately, here)) } }
            div { dt { "Next try" } dd { (words::of_next(endpoint, &found.lately)) } }
            div { dt { "Last delivered" } dd { (at(endpoint.health.last_success_at)) } }
            div { dt { "Last failed" } dd { (at(endpoint.health.last_failure_at))
                @if let Some(last) = &found.lately.last_failure { br; (words::of_failure(last)) } } }
            div { dt { "Made" } dd { (moment(endpoint.created_at)) } }
            div { dt { "Id" } dd { (copyable(&endpoint.id)) } }
        }
    }
}

fn trial(here: &str, lock: &Lock) -> Markup {
    let types = words::all().map(|name| (name, name));
    html! {
        form.row method="post" action={ (here) "/test" } {
            (lock.inside(html! {
                (once())
                (choice("Send a sample of", "kind", types, Type::Ping.as_str()))
                (button("Send the sample"))
            }))
        }
        p.quiet { "It is marked as a test, and you see what came of it. Nothing is kept, and the endpoint may be disabled." }
    }
}

fn change(
    here: &str,
    found: &Found,
    lock: &Lock,
    (typed, error): (&Form, Option<&ApiError>),
) -> Markup {
    let now = fields::filled(&found.endpoint);
    let form = html! {
        form.groups method="post" action=(here) {
            (lock.inside(html! {
                (once())
                (filled_with(&now, &fields::FILLED, (typed, error)))
                (fields::fields(typed, error))
                (button("Save"))
            }))
        }
    };
    let is_open = error.is_some() && typed.has("url") && typed.has("told");
    act("Change the address, or what it is told", is_open, form)
}

fn secret(here: &str, lock: &Lock, (typed, error): (&Form, Option<&ApiError>)) -> Markup {
    let chosen = match typed.text("oldValidHours") {
        "" => "24",
        hours => hours,
    };
    let hours = [
        ("24", "24 hours"),
        ("1", "one hour"),
        ("168", "a week"),
        ("0", "no longer: it ends now"),
    ];
    let form = html! {
        p { "A new secret is shown once. What is sent is signed with both as long as the old one is good, so that your "
            "receiver can change over without losing anything." }
        form.row method="post" action={ (here) "/rotate" } {
            (lock.inside(html! {
                (once())
                (choice("The old one stays good for", "oldValidHours", hours, chosen))
                (button("Make a new secret"))
            }))
        }
    };
    let is_open = error.is_some() && typed.has("oldValidHours");
    act("Make a new secret", is_open, form)
}

fn end(here: &str, found: &Found, lock: &Lock, typed: &Form) -> Markup {
    let disable = html! {
        p { "It is told nothing any more, what is due meanwhile is given up, and the log stays. Enabled again, it is offered what it missed." }
        form method="post" action={ (here) "/disable" } { (lock.inside(html! { (once()) (button("Disable it")) })) }
    };
    let delete = html! {
        p { "Nothing is sent to it any more, not even what waits. Its log and its secret are gone, and it does not come back." }
        form method="post" action={ (here) "/delete" } {
            (lock.inside(html! {
                (once())
                input type="hidden" name=(acts::DELETE) value="yes";
                (button("Delete the endpoint"))
            }))
        }
    };
    html! {
        @if found.endpoint.disabled.is_none() { (act("Switch it off", false, disable)) }
        (act("Delete it", typed.has(acts::DELETE), delete))
    }
}
