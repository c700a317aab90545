//! What stands in the chart's place while nothing has happened yet: what to do next.

use axum::http::HeaderMap;
use billstack_store::Place;
use maud::{Markup, html};

use super::Told;
use crate::app::App;
use crate::error::ApiError;
use crate::pages::teams::project::{address, start};

/// The first step of the way to the first conversion that is neither done nor skipped.
pub(super) async fn step(
    app: &App,
    place: &Place,
    headers: &HeaderMap,
    told: &Told,
) -> Result<Markup, ApiError> {
    let path = address(&place.team_id, &place.project_id);
    let next = start::next(app, place, headers).await?;
    Ok(html! {
        div.empty {
            @match next {
                // With codes there, the step is somebody else's: a friend's.
                Some(next) if !(next.is_try && told.ever.codes > 0) => {
                    p { "Nothing has happened here yet. " (next.why) }
                    p { a.button href={ (path) "/start#" (next.anchor) } { (next.title) } }
                },
                _ => {
                    p { "Nothing has happened here yet. The first figure comes when somebody follows a link or applies a code." }
                    p { a.button href={ (path) "/codes" } { @if told.ever.codes > 0 { "Share a code" } @else { "Make a code" } } }
                },
            }
            p { a href={ (path) "/start" } { "All steps from here to the first conversion" } }
        }
    })
}
