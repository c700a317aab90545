//! `/t/{teamId}/status`: how the server does. Each part is asked by itself.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use maud::{Markup, html};

use crate::api::operations::ready::probe;
use crate::api::teams::status::{EngineJson, VERSION, credits, engine, webhooks};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::pages::parts::time::moment;
use crate::pages::parts::unread::part;
use crate::pages::view::View;

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
) -> Result<Response, ApiError> {
    let team_id = &access.team_id;
    let is_ready = async { Ok(ready(probe(&app).await.err().as_ref())) };
    let of_credits = async { Ok(waiting(credits(&app, team_id).await?)) };
    let of_webhooks = async { Ok(waiting(webhooks(&app, team_id).await?)) };
    let (is_ready, of_credits, of_webhooks) = (
        part(&view, is_ready).await,
        part(&view, of_credits).await,
        part(&view, of_webhooks).await,
    );
    let (database, backup) = match engine(&app) {
        EngineJson::Sqlite => ("SQLite, embedded", "billstack backup FILE"),
        EngineJson::Postgresql => ("PostgreSQL", "pg_dump"),
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
            p { "On the machine, " code { "billstack verify" } " checks every rule of the books beside the running server, and "
                code { (backup) } " copies the data. Both change nothing here, so when they last ran is in the log of whatever runs them." }
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

fn waiting((number, oldest): (i64, Option<Micros>)) -> Markup {
    html! {
        @match oldest {
            Some(oldest) => { (number) ", the oldest since " (moment(oldest)) },
            None => span.quiet { "none" },
        }
    }
}
