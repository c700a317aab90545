//! `/t/{teamId}/p/{projectId}`: how the program does, and what changed.

mod asked;
mod metric;
mod newest;
mod next;
mod promise;
mod trend;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use billstack_core::project::ProjectMode;
use billstack_store::overview::Overview;
use billstack_store::stats::Stats;
use billstack_store::{Place, overview, stats, test_clock};
use maud::{Markup, html};

use self::asked::Asked;
use super::{address, cookie};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::page::QueryString;
use crate::pages::parts::notice;
use crate::pages::parts::unread::part;
use crate::pages::view::{View, read};

/// What the figures are made of.
struct Told {
    asked: Asked,
    overview: Overview,
    ever: Stats,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let query = query.without_empty();
    let (place, wanted) = (&access.place, Asked::read(&query)?);
    let metric = wanted.metric.clone();
    let (trend, codes, newest, promise) = tokio::join!(
        part(&view, async {
            let told = told(&app, place, wanted).await?;
            let next = match trend::is_empty(&told) {
                true => Some(next::step(&app, place, &headers, &told).await?),
                false => None,
            };
            Ok(trend::show(place, &query, &told, next))
        }),
        part(&view, newest::codes(&app, place, metric)),
        part(&view, newest::conversions(&app, place)),
        part(&view, promise::promise(&app, place)),
    );
    let figures = html! {
        (trend)
        div.pair {
            div { h2 { "Codes that have brought most, ever" } (codes) }
            div { h2 { "Newest conversions" } (newest) }
        }
        section { h2 { "Program" } (promise) }
    };
    let shown = body(&view, place, &figures)?;
    let mut answer = view.page("Overview", shown).into_response();
    let last = cookie(&app, place);
    answer.headers_mut().append(header::SET_COOKIE, last);
    Ok(answer)
}

async fn told(app: &App, place: &Place, asked: Asked) -> Result<Told, ApiError> {
    let now = app.now();
    read(app, place, move |tx, place| {
        let now = test_clock::shown(tx, place, now)?;
        let asked = asked.clone().at(now);
        Ok(Told {
            overview: overview::overview(tx, place, asked.days)?,
            ever: stats::stats(tx, place, now)?,
            asked,
        })
    })
    .await
}

fn body(view: &View, place: &Place, figures: &Markup) -> Result<Markup, ApiError> {
    let project = view.project.as_ref();
    let project = project.ok_or(ApiError::new(Reason::NotFound))?;
    Ok(html! {
        h1 { (project.name) }
        @if project.mode == ProjectMode::Test {
            (notice::note("This is a test project: its clock can be moved forward, and nothing in it is real."))
        }
        (figures)
        p.quiet { "For programs: " a href={ (address(&place.team_id, &place.project_id)) "/start#programs" } { "ids, and where calls go" } }
    })
}
