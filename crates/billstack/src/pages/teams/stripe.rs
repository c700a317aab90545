//! `/t/{teamId}/stripe`: how the team is connected to Stripe, and what that takes.

pub mod connect;
pub mod disconnect;
pub mod events;
pub mod roll;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_core::stripe_access::EVENTS;
use billstack_core::time::Micros;
use billstack_store::activity::{self, ActivityFilter};
use billstack_store::credits::delivery;
use billstack_store::list::Page;
use billstack_store::received::{self, EventFilter};
use billstack_store::stripe_connection::{self, Connection};
use maud::{Markup, html};

use crate::api::teams::stripe::status::try_key;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::pages::form::Form;
use crate::pages::parts::notice::{self, copyable};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::view::View;
use crate::stripe::Probed;
use crate::webhooks::stripe::Lately;

const TITLE: &str = "Stripe";

/// How long Stripe may take to say whether it accepts the key; what it does not say is told as that.
const LONGEST: Duration = Duration::from_secs(2);

/// All that the page tells.
struct Told {
    connection: Option<Connection>,
    /// When the secret of the webhook was set.
    secret_since: Option<Micros>,
    last_received: Option<Micros>,
    refused: Vec<Lately>,
    probed: Option<Probed>,
    pending: (i64, Option<Micros>),
    /// Whether Stripe accepts the key, and the name of its account; `None` without a key or an answer.
    key_valid: Option<bool>,
    account_name: Option<String>,
    webhook_url: String,
}

/// The form of the page that was sent and is wrong, and what is wrong about it.
#[derive(Clone, Copy, Default)]
struct Wrong<'f> {
    connect: Option<(&'f Form, &'f ApiError)>,
    roll: Option<(&'f Form, &'f ApiError)>,
    disconnect: Option<&'f ApiError>,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
) -> Result<Response, ApiError> {
    let shown = body(&app, &access.team_id, Wrong::default()).await?;
    Ok(view.page(TITLE, shown))
}

fn path(team_id: &TeamId) -> String {
    format!("/t/{team_id}/stripe")
}

async fn body(app: &App, team_id: &TeamId, wrong: Wrong<'_>) -> Result<Markup, ApiError> {
    let told = told(app, team_id).await?;
    let base = path(team_id);
    let is_connected = told.connection.is_some();
    Ok(html! {
        h1 { (TITLE) }
        @match &told.connection {
            Some(connection) => (state(&told, connection, &base)),
            None => (what_a_key_buys()),
        }
        (webhook(&told))
        @if let (Some(probed), true) = (&told.probed, is_connected) { (permissions(probed)) }
        (connect::form(&base, is_connected, wrong.connect))
        @if is_connected {
            (roll::form(&base, wrong.roll))
            (disconnect::form(&base, wrong.disconnect))
        }
    })
}

async fn told(app: &App, team_id: &TeamId) -> Result<Told, ApiError> {
    let team = team_id.clone();
    let read = app.store.scan(move |tx| {
        let connection = stripe_connection::get(tx, &team)?.filter(|one| one.is_active);
        let rolled = ActivityFilter {
            kind: Some("stripe.webhook_secret_rolled".to_owned()),
            ..ActivityFilter::default()
        };
        let rolled = activity::list(tx, &team, &rolled, &first())?.rows.pop();
        let any = EventFilter::default();
        let last = received::list(tx, &team, &any, &first())?.rows.pop();
        let probe = stripe_connection::probe(tx, &team)?;
        let pending = delivery::pending(tx, &team)?;
        Ok((connection, rolled, last, probe, pending))
    });
    let (connection, rolled, last, probe, pending) = read.await?;
    let since = connection
        .as_ref()
        .map(|connection| connection.connected_at);
    let asked = match &connection {
        Some(one) => tokio::time::timeout(LONGEST, try_key(app, team_id, one))
            .await
            .ok(),
        None => None,
    };
    let (key_valid, account) = asked.unwrap_or((None, None));
    let stored = connection.as_ref().and_then(|one| one.account_name.clone());
    Ok(Told {
        secret_since: since.max(
            rolled
                .map(|told| told.deed.at)
                .filter(|at| since < Some(*at)),
        ),
        last_received: last.map(|event| event.received_at),
        refused: app.refused_calls.lately(team_id, app.now()),
        probed: probe.as_deref().and_then(Probed::read),
        pending,
        key_valid,
        account_name: account.and_then(|account| account.name).or(stored),
        webhook_url: app.webhook_url(team_id),
        connection,
    })
}

const fn first() -> Page {
    Page::first(1)
}

fn what_a_key_buys() -> Markup {
    html! {
        section {
            h2 { span.state.off { "Not connected" } }
            p { "Until the team is connected nothing converts: events of Stripe are refused. A signing secret alone is enough "
                "for conversions. A secret key buys three things more:" }
            ol {
                li { b { "The webhook endpoint is made for you" } ", with the right events, and its secret is kept." }
                li { b { "Who is new is asked of Stripe" } ": an old subscriber is not paid as a new one, and customers are linked by themselves." }
                li { b { "Credits reach the customer's balance in Stripe" } ", and come back when a payment is lost." }
            }
        }
    }
}

fn state(told: &Told, connection: &Connection, base: &str) -> Markup {
    let has_key = connection.secret_key.is_some();
    let key = match (has_key, told.key_valid) {
        (false, _) => {
            html! { span.state.off { "None" } "Stripe cannot be asked, and credits stay in our books." }
        }
        (true, Some(true)) => html! { span.state.on { "Accepted" } },
        (true, Some(false)) => {
            html! { span.state.bad { "Refused" } "Stripe does not accept it any more: connect again." }
        }
        (true, None) => {
            html! { span.state.off { "Not known" } "Stripe did not answer within two seconds." }
        }
    };
    html! {
        section {
            h2 { span.state.on { "Connected" } }
            dl.facts {
                div { dt { "Account" } dd {
                    @match &told.account_name { Some(name) => (name), None => span.quiet { "not known without a key that may read it" } }
                    @if let Some(id) = &connection.account_id { " " code { (id) } }
                } }
                div { dt { "Mode" } dd { (mode(connection.livemode)) } }
                div { dt { "Secret key" } dd { (key) } }
                div { dt { "Signing secret" } dd { (secret(told, connection)) } }
                div { dt { "Connected" } dd { (moment(connection.connected_at)) } }
                div { dt { "Last event" } dd {
                    @match told.last_received { Some(at) => (moment(at)), None => span.quiet { "none yet" } }
                    " " a href={ (base) "/events" } { "All events" }
                } }
                div { dt { "On the way" } dd { (queue(told, connection)) } }
            }
            (refusals(told))
        }
    }
}

fn mode(livemode: Option<bool>) -> Markup {
    match livemode {
        Some(true) => html! { span.badge { "live" } },
        Some(false) => html! { span.badge.test { "test" } },
        None => {
            html! { span.quiet { "not known: no key tells, so events of both modes are taken" } }
        }
    }
}

fn secret(told: &Told, connection: &Connection) -> Markup {
    html! {
        @if connection.webhook_secret.is_none() {
            span.state.bad { "Missing" } "Events are refused until there is one."
        } @else {
            @if let Some(since) = told.secret_since { "since " (moment(since)) }
            @if let Some(until) = connection.old_valid_until { "; the one before is good until " (moment(until)) }
        }
    }
}

fn queue(told: &Told, connection: &Connection) -> Markup {
    let (pending, oldest) = told.pending;
    html! {
        @if pending == 0 { "No credit waits." } @else {
            (pending) @if pending == 1 { " operation" } @else { " operations" } " on balances wait"
            @if let Some(at) = oldest { ", the oldest since " (moment(at)) } "."
        }
        @if let Some(paused) = &connection.pause {
            " " span.state.bad { "Paused" }
            @match &paused.lacks {
                Some(lacks) => { "The key lacks " code { (lacks) } "." }
                None => "Stripe does not accept the key.",
            }
            " Tried again " (moment(paused.until)) "."
        }
    }
}

fn refusals(told: &Told) -> Markup {
    html! {
        @for refused in &told.refused {
            div.notice.bad {
                p { span.state.bad { "Wrong signatures" } (refused.count)
                    @if refused.count == 1 { " call" } @else { " calls" }
                    " within the last hour, the latest " (moment(refused.last)) ": " (refused.why.advice()) "." }
            }
        }
        @if told.refused.is_empty() { p.quiet { "No call was refused within the last hour, as far as this server has seen." } }
    }
}

fn webhook(told: &Told) -> Markup {
    let endpoint = told
        .probed
        .as_ref()
        .and_then(|probed| probed.endpoint.as_ref());
    html! {
        section {
            h2 { "Webhook" }
            p { "Stripe sends its events to " (copyable(&told.webhook_url)) }
            @if let Some(endpoint) = endpoint {
                p { "The endpoint there is " code { (endpoint.id) }
                    @if let Some(version) = &endpoint.api_version { ", with version " code { (version) } } "." }
                @if !endpoint.missing_events.is_empty() {
                    (notice::note(&format!("It does not send {}.", endpoint.missing_events.join(", "))))
                }
                @if endpoint.linkable == Some(false) {
                    (notice::note("It does not tell which invoice a refund is about: losses wait until they are asked about."))
                }
            }
            details {
                summary { "The " (EVENTS.len()) " events that it should send" }
                p { (copyable(&EVENTS.join(", "))) }
            }
        }
    }
}

fn permissions(probed: &Probed) -> Markup {
    let rows = probed.permissions.iter().map(|(name, is_there)| {
        let state = match is_there {
            true => html! { span.state.on { "There" } },
            false => html! { span.state.bad { "Missing" } },
        };
        [html! { code { (name) } }, state]
    });
    let lacks = probed
        .permissions
        .values()
        .filter(|is_there| !**is_there)
        .count();
    html! {
        details open[lacks > 0] {
            summary { "Permissions of the key" @if lacks > 0 { ": " (lacks) " missing" } }
            (table("Permissions of the key", [Column::text("Permission"), Column::short("State")], rows, "None is known."))
        }
    }
}
