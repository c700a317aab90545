//! `/t/{teamId}/status`: how the server does. Each part is asked by itself.

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_store::upkeep::Run;
use maud::{Markup, html};

use crate::api::operations::ready::probe;
use crate::api::teams::status::{Credits, EngineJson, VERSION, credits, engine, last, webhooks};
use crate::app::{App, Shared};
use crate::bytes::size;
use crate::commands::{BACKUP, DUMP, VERIFY};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::pages::parts::time::moment;
use crate::pages::parts::unread::part;
use crate::pages::parts::upkeep::checked;
use crate::pages::view::View;

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
) -> Result<Response, ApiError> {
    let team_id = &access.team_id;
    let is_ready = async { Ok(ready(probe(&app).await.err().as_ref())) };
    let of_credits = async { Ok(on_their_way(&credits(&app, team_id).await?, team_id)) };
    let of_webhooks = async { Ok(waiting(webhooks(&app, team_id).await?)) };
    let of_books = async { Ok(checked(last(&app).await?.verify.as_ref())) };
    let of_backup = async { Ok(backed_up(&app, last(&app).await?.backup.as_ref())) };
    let (is_ready, of_credits, of_webhooks, books, copied) = tokio::join!(
        part(&view, is_ready),
        part(&view, of_credits),
        part(&view, of_webhooks),
        part(&view, of_books),
        part(&view, of_backup),
    );
    let (database, command) = match engine(&app) {
        EngineJson::Sqlite => ("SQLite, embedded", BACKUP),
        EngineJson::Postgresql => ("PostgreSQL", DUMP),
    };
    let body = html! {
        h1 { "Status" }
        section {
            h2 { "This server" }
            dl.facts {
                div { dt { "Version" } dd { (VERSION) } }
                div { dt { "Database" } dd { (database) } }
                div { dt { "Ready" } dd { (is_ready) } }
                div { dt { "Asked" } dd { (moment(app.now())) } }
            }
        }
        section {
            h2 { "What waits" }
            dl.facts {
                div { dt { "Credits to Stripe" } dd { (of_credits) } }
                div { dt { "Webhooks" } dd { (of_webhooks) } }
            }
        }
        section {
            h2 { "Books and backups" }
            dl.facts {
                div { dt { "Last check of the books" } dd { (books) } }
                div { dt { "Last backup" } dd { (copied) } }
            }
            p.quiet { "On the machine, as the user of the server and with its settings, " code { (VERIFY) }
                " checks every rule of the books beside the running server, and " code { (command) }
                " copies the data. Each is of the whole database, whatever teams are in it." }
        }
    };
    Ok(view.page("Status", body))
}

fn ready(why_not: Option<&ApiError>) -> Markup {
    html! {
        @match why_not {
            None => span.state.on { "Yes" },
            Some(why) => { span.state.off { "No" } (why.message) },
        }
    }
}

fn backed_up(app: &App, run: Option<&Run>) -> Markup {
    html! {
        @match run {
            Some(run) => { (moment(run.began_at)) ": " (size(run.result.unsigned_abs())) },
            None if app.store.is_embedded() => { "never; " code { (BACKUP) } " makes one" },
            None => span.quiet { "PostgreSQL has tools of its own for this, which leave no note here." },
        }
    }
}

fn on_their_way(credits: &Credits, team_id: &TeamId) -> Markup {
    html! {
        (waiting(credits.waiting))
        @if credits.stuck == 1 { "; 1 more waits for a person" }
        @else if credits.stuck > 1 { "; " (credits.stuck) " more wait for a person" }
        @if credits.paused.is_some() {
            ". " span.state.bad { "Paused" } a href={ "/t/" (team_id) "/stripe" } { "See the connection" }
        }
    }
}

fn waiting((number, oldest): (i64, Option<Micros>)) -> Markup {
    html! {
        @match oldest {
            Some(oldest) => { (number) ", the oldest since " (moment(oldest)) },
            None => span.quiet { "none" },
        }
    }
}
