//! `/t/{teamId}/p/{projectId}/start`: what is to do from an empty project to its first referral that converts. A step is
//! ticked by what the database holds, and by nothing else.

mod blocks;
mod facts;
mod forms;
mod steps;

pub use forms::{connect, kept, make_key, skip};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use billstack_core::referral::Status;
use billstack_store::{Fault, Place, Tx};
use maud::{Markup, html};

use self::facts::{Facts, Step};
use super::{address, cookie};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::pages::form::Form;
use crate::pages::parts::programs::programs;
use crate::pages::shown::{Kind, Secret};
use crate::pages::view::View;

const TITLE: &str = "Start";

/// The cookie of a browser that names the steps that are skipped there.
const SKIPPED: &str = "billstack_skipped";

/// What the page is made of.
struct Shown<'s> {
    app: &'s App,
    view: &'s View,
    place: &'s Place,
    facts: Facts,
    skipped: Vec<Step>,
    /// Keys that were just made, the newest last.
    keys: Vec<Secret>,
    /// A form that was sent, and what is wrong with it.
    sent: (&'s Form, Option<&'s ApiError>),
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let shown = body(&app, (&view, &access), &headers, (&Form::default(), None)).await?;
    let mut answer = view.page(TITLE, shown);
    // A browser that has seen nothing else of the project comes back to it, too.
    let last = cookie(&app, &access.place);
    answer.headers_mut().append(header::SET_COOKIE, last);
    Ok(answer)
}

async fn body(
    app: &App,
    (view, access): (&View, &ProjectAccess),
    headers: &HeaderMap,
    sent: (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let place: &Place = &access.place;
    let shown = Shown {
        app,
        view,
        place,
        facts: facts::read(app, place).await?,
        skipped: skipped(headers),
        keys: forms::whose(view, place)
            .map(|whose| whose.read(app, headers, Kind::Key))
            .unwrap_or_default(),
        sent,
    };
    let left = Step::ALL
        .into_iter()
        .filter(|step| !shown.facts.is_done(*step));
    let left = left.count();
    Ok(html! {
        h1 { "Start" }
        p.quiet {
            @if left == 0 { "Everything is set up." }
            @else { "From here to the first referral that converts. To try everything without any risk, run " code { "billstack demo" } "." }
        }
        ol.steps data-state=[shown.state()] {
            @for step in Step::ALL { (shown.step(step)) }
        }
        @if let Some(project) = &view.project { (programs(app, &place.team_id, std::slice::from_ref(project))) }
    })
}

/// The next step, for whoever is elsewhere.
pub(in crate::pages) struct Next {
    pub(in crate::pages) title: &'static str,
    /// Why it is needed, in a sentence.
    pub(in crate::pages) why: &'static str,
    /// Where it stands on the page.
    pub(in crate::pages) anchor: &'static str,
    /// Whether it is the one that needs a customer, a code and an apply.
    pub(in crate::pages) is_try: bool,
}

/// The first step that is neither done nor skipped in this browser.
pub(in crate::pages) async fn next(
    app: &App,
    place: &Place,
    headers: &HeaderMap,
) -> Result<Option<Next>, ApiError> {
    let (facts, skipped) = (facts::read(app, place).await?, skipped(headers));
    let mut steps = Step::ALL.into_iter();
    let step = steps.find(|step| !facts.is_done(*step) && !skipped.contains(step));
    Ok(step.map(|step| Next {
        title: step.title(),
        why: step.why(),
        anchor: step.as_str(),
        is_try: step == Step::Try,
    }))
}

/// The steps that this browser skips.
fn skipped(headers: &HeaderMap) -> Vec<Step> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let found = pairs.find(|(name, _)| *name == SKIPPED);
    let names = found.map_or("", |(_, names)| names).split('.');
    names.filter_map(Step::parse).collect()
}

/// The cookie that skips these steps for a year.
fn skip_cookie(app: &App, place: &Place, steps: &[Step]) -> HeaderValue {
    let secure = match app.is_https() {
        true => "; Secure",
        false => "",
    };
    let names: Vec<_> = steps.iter().map(|step| step.as_str()).collect();
    let text = format!(
        "{SKIPPED}={}; Path={}; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}",
        names.join("."),
        address(&place.team_id, &place.project_id),
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// Whether the list still belongs into the menu of a project whose first referral has not converted.
pub(in crate::pages) fn is_wanted(headers: &HeaderMap) -> bool {
    !skipped(headers).contains(&Step::Conversion)
}

/// Whether a referral of a project has converted.
pub(in crate::pages) fn any_converted(tx: &mut dyn Tx, place: &Place) -> Result<bool, Fault> {
    facts::any(tx, place, Some(Status::Converted))
}
