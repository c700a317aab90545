//! `/t/{teamId}/p/{projectId}`: what there is to know of a project at first sight.

pub mod customers;
pub mod program;
pub mod referrals;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use billstack_core::ids::{ProjectId, TeamId, is_id};
use billstack_core::program::Program;
use billstack_core::project::ProjectMode;
use billstack_store::{Place, programs};
use maud::{Markup, html};

use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::{self, copyable};
use crate::pages::parts::time::moment;
use crate::pages::view::View;

/// The cookie that leads back to where somebody was.
const LAST: &str = "billstack_last";

/// The address of a project.
pub(in crate::pages) fn address(team_id: &TeamId, project_id: &ProjectId) -> String {
    format!("/t/{team_id}/p/{project_id}")
}

/// Where somebody was last, as their browser tells it.
pub(in crate::pages) fn last_place(headers: &HeaderMap) -> Option<Place> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == LAST)?;
    let (team, project) = value.split_once('/')?;
    (is_id(team) && is_id(project)).then(|| Place::new(team, project))
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
) -> Result<Response, ApiError> {
    let place = access.place.clone();
    let program = app.store.point(move |tx| Ok(programs::get(tx, &place)?));
    let program = program.await?;
    let shown = body(&app, &view, &access.place, &program)?;
    let mut answer = view.page("Overview", shown).into_response();
    answer
        .headers_mut()
        .append(header::SET_COOKIE, cookie(&app, &access.place));
    Ok(answer)
}

fn body(app: &App, view: &View, place: &Place, program: &Program) -> Result<Markup, ApiError> {
    let project = view.project.as_ref();
    let project = project.ok_or(ApiError::new(Reason::NotFound))?;
    let api = format!(
        "{}/api/billstack/teams/{}/projects/{}",
        app.base_url(),
        place.team_id,
        place.project_id
    );
    Ok(html! {
        h1 { (project.name) }
        @if project.mode == ProjectMode::Test {
            (notice::note("This is a test project: its clock can be moved forward, and nothing in it is real."))
        }
        section {
            h2 { "Program" }
            (promise(program))
        }
        section {
            h2 { "For programs" }
            dl.facts {
                div { dt { "Project" } dd { (copyable(place.project_id.as_str())) } }
                div { dt { "Team" } dd { (copyable(place.team_id.as_str())) } }
                div { dt { "Calls begin with" } dd { (copyable(&api)) } }
                div { dt { "Made" } dd { (moment(project.created_at)) } }
            }
            p { a href="/docs" { "Every call of the API" } ", to read and to try" }
        }
    })
}

/// What the program promises, as people say it.
fn promise(program: &Program) -> Markup {
    let terms = &program.terms;
    let (referrer, referee) = (terms.referrer_credit_amount, terms.referee_credit_amount);
    let state = match program.enabled {
        true => html! { span.state.on { "On" } " Codes can be applied." },
        false => {
            html! { span.state.off { "Off" } " No code can be applied. What is pending may still convert." }
        }
    };
    html! {
        p { (state) }
        dl.figures {
            div { dt { "Who refers gets" } dd { (amount(referrer.get(), terms.currency)) } }
            div { dt { "Who is new gets" } dd { (amount(referee.get(), terms.currency)) } }
        }
    }
}

fn cookie(app: &App, place: &Place) -> HeaderValue {
    let secure = match app.is_https() {
        true => "; Secure",
        false => "",
    };
    let (team, project) = (&place.team_id, &place.project_id);
    let text = format!(
        "{LAST}={team}/{project}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}
