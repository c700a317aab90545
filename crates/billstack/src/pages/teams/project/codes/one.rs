//! `/t/{teamId}/p/{projectId}/codes/{code}`: a code, how it is shared, and what it has brought.

mod change;
mod share;

use axum::extract::State;
use axum::response::Response;
use billstack_core::referral::Referral;
use billstack_store::codes::{self, Code, CodeFilter, CodeTotal};
use billstack_store::list::{Page, Part};
use billstack_store::referrals::{self, ReferralFilter};
use billstack_store::{Abort, Place, Refusal, Thing, Tx};
use maud::{Markup, html};

use self::share::Share;
use super::{Brought, state};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, page, text};
use crate::http::path::Item;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::notice::{beside, copyable};
use crate::pages::parts::numbers::rate;
use crate::pages::parts::pager::{Trail, pager};
use crate::pages::parts::people::People;
use crate::pages::parts::time::moment;
use crate::pages::teams::project::address;
use crate::pages::teams::project::referrals::{of_code, people_of};
use crate::pages::view::{View, read};

/// Referrals of a page.
const ROWS: i64 = 25;

/// All that the page tells.
struct Told {
    code: Code,
    total: CodeTotal,
    share: Share,
    history: Part<Referral>,
    trail: Trail,
    people: People,
}

/// The page; `ask=deactivate` asks whether the code shall be switched off.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(code): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, code, &query).await?;
    let is_asked = text(&query, "ask", 16)?.as_deref() == Some("deactivate");
    let typed = Form::default();
    Ok(view.page(
        &title(&told),
        body(&app, &view, &access.place, &told, (&typed, None), is_asked),
    ))
}

/// Gives the code another name, or switches it off.
pub async fn change(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(code): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, code, &Query::default()).await?;
    match change::make(&app, &access, &told.code, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let is_asked = change::is_deactivation(&form);
            let place = &access.place;
            let shown = body(&app, &view, place, &told, (&form, Some(&error)), is_asked);
            Ok(view.again(&error, &title(&told), shown))
        }
    }
}

fn title(told: &Told) -> String {
    format!("{} · Codes", name(&told.code))
}

fn name(code: &Code) -> &str {
    code.names.0.first().unwrap_or(&code.code)
}

async fn told(app: &App, place: &Place, typed: String, query: &Query) -> Result<Told, ApiError> {
    let (page, trail) = (page(query, ROWS)?, Trail::of(query));
    read(app, place, move |tx, place| {
        let missing = Refusal::NotFound(Thing::Code);
        let code = codes::names::resolve(tx, place, &typed)?.ok_or(missing.clone())?;
        let code = codes::get(tx, place, &code)?.ok_or(missing)?;
        let of_it = ReferralFilter {
            code: Some(code.code.clone()),
            ..ReferralFilter::default()
        };
        let history = referrals::list(tx, place, &of_it, &page)?;
        let mut people = people_of(tx, place, &history.rows)?;
        people.add(tx, place, &code.customer_id)?;
        Ok(Told {
            total: total(tx, place, &code)?,
            share: Share::read(tx, place)?,
            trail: trail.clone(),
            history,
            people,
            code,
        })
    })
    .await
}

/// What the code has brought, as the list of its owner's codes tells.
fn total(tx: &mut dyn Tx, place: &Place, code: &Code) -> Result<CodeTotal, Abort> {
    let of_owner = CodeFilter {
        customer_id: Some(code.customer_id.clone()),
        ..CodeFilter::default()
    };
    let (mut total, mut after) = (None, None);
    loop {
        let page = Page {
            limit: 100,
            offset: 0,
            after,
        };
        after = codes::list(tx, place, &of_owner, &page, |(listed, brought)| {
            if listed.code == code.code {
                total = Some(*brought);
            }
        })?;
        if total.is_some() || after.is_none() {
            return Ok(total.unwrap_or_default());
        }
    }
}

fn body(
    app: &App,
    view: &View,
    place: &Place,
    told: &Told,
    typed: (&Form, Option<&ApiError>),
    is_asked: bool,
) -> Markup {
    let (code, total) = (&told.code, told.total);
    let base = address(&place.team_id, &place.project_id);
    let path = format!("{base}/codes/{}", code.code);
    let brought = Brought::new(&base, &code.code, total);
    html! {
        h1 { (name(code)) " " (state(code.is_active)) }
        @if is_asked && code.is_active { (change::question(view, &path, code, typed)) }
        section {
            dl.figures {
                div { dt { "Clicks" } dd { (brought.clicks) } }
                div { dt { "Applied" } dd { (brought.applied) } }
                div { dt { "Converted" } dd { (brought.converted) } }
                div { dt { "Conversion rate" } dd { (rate(total.converted, total.applied)) } }
            }
        }
        section { h2 { "To share" } (told.share.show(app, code)) }
        section {
            h2 { "Facts" }
            dl.facts {
                div { dt { "Code" } dd { (copyable(&code.code)) } }
                div { dt { "Customer" } dd { (told.people.link(place, &code.customer_id)) } }
                div { dt { "Made" } dd { (moment(code.created_at)) } }
                @if code.names.0.len() > 1 {
                    div { dt { "Older names" } dd { (older(&code.names.0[1..])) } }
                }
            }
        }
        @if !is_asked { (change::forms(view, &path, code, typed)) }
        h2 { "History" }
        (of_code(&told.history.rows, &told.people, place, "Nobody has applied this code yet."))
        (pager(&path, &[], &told.trail, told.history.next.as_ref()))
    }
}

/// Names that still lead to the code.
fn older(names: &[String]) -> Markup {
    html! {
        @for (index, name) in names.iter().enumerate() {
            @if index > 0 { ", " }
            (beside(html! { code { (name) } }, name))
        }
        span.quiet { " still work wherever the code does." }
    }
}
