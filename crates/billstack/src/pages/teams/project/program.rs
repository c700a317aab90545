//! `/t/{teamId}/p/{projectId}/program`: what the program promises, what that costs, and who changed it.

mod changes;
mod form;
mod groups;
mod log;
mod settings;

use axum::extract::State;
use axum::response::Response;
use billstack_core::period::Days;
use billstack_core::portal::Locale;
use billstack_core::program::{ConversionTrigger, Program};
use billstack_core::time::Micros;
use billstack_store::overview::{self, Totals};
use billstack_store::{Place, portal, programs, stats, test_clock};
use maud::{Markup, html};

use super::address;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::page::{QueryString, text};
use crate::pages::form::Form;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice;
use crate::pages::parts::time::month_name;
use crate::pages::parts::unread::part;
use crate::pages::view::{View, read};
use crate::portal::offer_of;

pub use changes::change;
pub(super) use log::changed;

const TITLE: &str = "Program";

/// Where the page is.
fn path(place: &Place) -> String {
    format!("{}/program", address(&place.team_id, &place.project_id))
}

/// The program as it is, and the form.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let done = text(&query, "done", 16).ok().flatten();
    let program = now(&app, &access.place).await?;
    if let Some(looked) = changes::looked_at(&app, (&view, &access), &program, &query).await {
        return Ok(looked);
    }
    let typed = form::filled(&program);
    let said = done.is_some_and(|done| done == "saved");
    let said = said.then_some("The program is saved. It holds for codes applied from now on.");
    let shown = page(&app, (&view, &access.place), &program, (&typed, None), said).await;
    Ok(view.page(TITLE, shown))
}

/// The program as it is.
async fn now(app: &App, place: &Place) -> Result<Program, ApiError> {
    let place = place.clone();
    let read = app.store.point(move |tx| Ok(programs::get(tx, &place)?));
    Ok(read.await?)
}

/// The whole page, with the form as it was typed.
async fn page(
    app: &App,
    (view, place): (&View, &Place),
    program: &Program,
    (typed, error): (&Form, Option<&ApiError>),
    said: Option<&str>,
) -> Markup {
    let form = groups::form(view, place, program, (typed, error));
    let now = part(view, at_present(app, place, program)).await;
    let log = part(view, log::changes(app, view, place)).await;
    html! {
        h1 { (TITLE) }
        @if let Some(said) = said {
            (notice::done(said))
            @if view.is_starting {
                p { a.button href={ (address(&place.team_id, &place.project_id)) "/start" } { "On to the next step" } }
            }
        }
        @if error.is_some() { (form) }
        section { h2 { "At present" } (now) }
        @if error.is_none() { (form) }
        h2 #changes { "Who changed what" }
        (log)
    }
}

/// What there is to tell besides the settings.
struct Told {
    customer_reads: String,
    pending: i64,
    month: Month,
}

/// The last whole month.
struct Month {
    name: String,
    totals: Totals,
}

async fn at_present(app: &App, place: &Place, program: &Program) -> Result<Markup, ApiError> {
    let told = told(app, place, program).await?;
    let base = address(&place.team_id, &place.project_id);
    let terms = &program.terms;
    Ok(html! {
        p { (state(program.enabled)) }
        dl.figures {
            div { dt { "Who refers gets" } dd { (amount(terms.referrer_credit_amount.get(), terms.currency)) } }
            div { dt { "Who is new gets" } dd { (amount(terms.referee_credit_amount.get(), terms.currency)) } }
            div { dt { "Waiting" } dd { a href={ (base) "/referrals?status=pending" } { (told.pending) } } }
        }
        @if !program.enabled { (while_off(told.pending)) }
        dl.facts {
            div { dt { "A friend reads" } dd { "“" (friend_reads(program)) "”" } }
            div { dt { "A customer reads" } dd { "“" (told.customer_reads) "”" } }
            div { dt { "Last month" } dd { (cost(program, &told.month)) } }
        }
    })
}

fn state(enabled: bool) -> Markup {
    match enabled {
        true => html! { span.state.on { "On" } " Codes can be applied." },
        false => html! { span.state.off { "Off" } " No code can be applied." },
    }
}

fn while_off(pending: i64) -> Markup {
    html! {
        ul {
            li { "An apply is refused with 409 " code { "referrals_disabled" } ". Share links lead on, without their code." }
            li { @match pending {
                0 => "No referral waits.",
                1 => "The one referral that waits may still convert, and is credited as it was promised.",
                _ => { "The " (pending) " referrals that wait may still convert, and are credited as they were promised." }
            } }
            li { "Credits that were granted stay, and are held, delivered and taken back as before." }
        }
    }
}

/// What a friend is promised, in a sentence.
fn friend_reads(program: &Program) -> String {
    let terms = &program.terms;
    let when = match terms.conversion_trigger {
        ConversionTrigger::FirstPaidInvoice => "once you have paid for the first time",
        _ => "once your subscription has begun",
    };
    let promised = match terms.referee_credit_amount.get() {
        0 => "Sign up with my code.".to_owned(),
        units => format!(
            "Sign up with my code and get {} {when}.",
            terms.currency.text(units)
        ),
    };
    match terms.hold_days {
        0 => promised,
        1 => format!("{promised} It is yours a day later."),
        days => format!("{promised} It is yours {days} days later."),
    }
}

/// What the conversions of the last month would have cost with these amounts.
fn cost(program: &Program, month: &Month) -> Markup {
    let terms = &program.terms;
    let each = terms.referrer_credit_amount.get() + terms.referee_credit_amount.get();
    let cost = month.totals.converted.saturating_mul(each);
    let granted = month.totals.credited.iter();
    html! {
        @match month.totals.converted {
            0 => { "Nobody converted in " (month.name) " (UTC), so it would have cost nothing." },
            1 => { "The one conversion of " (month.name) " (UTC) would have cost " (amount(cost, terms.currency)) "." },
            number => { "The " (number) " conversions of " (month.name) " (UTC) would have cost " (amount(cost, terms.currency)) "." },
        }
        @for (number, (currency, units)) in granted.enumerate() {
            @if number == 0 { " What was granted then: " } @else { ", " }
            (amount(*units, *currency))
        }
        span.quiet { " Limits and the budget are left out of account." }
    }
}

async fn told(app: &App, place: &Place, program: &Program) -> Result<Told, ApiError> {
    let (now, program) = (app.now(), program.clone());
    read(app, place, move |tx, place| {
        let now = test_clock::shown(tx, place, now)?;
        let settings = portal::settings(tx, place)?;
        Ok(Told {
            customer_reads: offer_of(Locale::English, &settings, &program),
            pending: stats::stats(tx, place, now)?.pending,
            month: month(tx, place, now)?,
        })
    })
    .await
}

/// What happened in the last month, by what is counted already.
fn month(
    tx: &mut dyn billstack_store::Tx,
    place: &Place,
    now: Micros,
) -> Result<Month, billstack_store::Abort> {
    let (from, to) = now.month().0.plus(-1).month();
    let overview = overview::overview(tx, place, Days::holding(from, to))?;
    Ok(Month {
        name: month_name(from),
        totals: overview.totals,
    })
}
