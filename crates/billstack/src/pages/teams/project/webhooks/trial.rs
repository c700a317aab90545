//! A sample sent to an endpoint, and what came of it.

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};

use super::fields;
use super::log::Wanted;
use super::one::{Asked, path, title};
use super::words;
use crate::api::webhook_endpoints::test::{Fired, TestRequest, fire};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::notice::copyable_block;
use crate::pages::parts::time::moment;
use crate::pages::submit::{Submitted, claim};
use crate::pages::view::View;
use crate::webhooks::out::send::Letter;

/// Sends a sample, and waits for the answer.
pub async fn send(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let asked = Asked::new((&app, &view), &access, &id);
    match sent(&asked, &access, &form).await {
        Ok(answer) => Ok(answer),
        Err(error) => asked.again(&form, &error).await,
    }
}

/// What came of it is shown once: nothing keeps a signed call, and the same form calls nobody again.
async fn sent(
    asked: &Asked<'_>,
    access: &ProjectAccess,
    form: &Form,
) -> Result<Response, ApiError> {
    let kind = form.text("kind");
    let request: TestRequest = form.read_members(&serde_json::json!({"type": kind}))?;
    asked.found().await?;
    let of_team = (&asked.place.team_id, form);
    if !claim(asked.app, &access.caller, of_team).await? {
        let here = path(asked.place, asked.id);
        return Ok(Submitted::Before(here).answer(asked.view));
    }
    let fired = fire(asked.app, asked.place, asked.id, request.kind()).await?;
    let found = asked.found().await?;
    let filled = fields::filled(&found.endpoint);
    let top = result(&fired);
    let body = asked
        .page(
            &found,
            Wanted::read(Query::default())?,
            top,
            (&filled, None),
        )
        .await;
    Ok(asked.view.page(&title(&found.endpoint), body))
}

fn result(fired: &Fired) -> Markup {
    let attempt = &fired.told.attempt;
    html! {
        section aria-labelledby="tested" {
            h2 #tested { "What came of the test" }
            p { (words::of_attempt(attempt)) }
            dl.facts {
                div { dt { "Type" } dd { code { (fired.kind.as_str()) } } }
                div { dt { "Sent" } dd { (moment(attempt.at)) } }
                div { dt { "Status" } dd { @if let Some(status) = attempt.status { (status) } @else { span.quiet { "no answer" } } } }
                div { dt { "Took" } dd { (attempt.duration_ms) " ms" } }
            }
            @if let Some(answer) = attempt.answer.as_deref().filter(|answer| !answer.is_empty()) {
                h3 { "How the answer begins" }
                pre { (answer) }
            }
            @if let Ok(letter) = &fired.letter { (curl(letter)) }
        }
    }
}

/// The command line that sends the same.
pub(super) fn curl(letter: &Letter) -> Markup {
    html! {
        h3 { "The same once more, from a terminal" }
        p.quiet { "Its signature is good for a few minutes." }
        (copyable_block(&letter.curl(), "curl"))
    }
}
