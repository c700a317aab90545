//! `/t/{teamId}/p/{projectId}/referrals/{id}`: why a referral is where it is.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::explanation::Explanation;
use billstack_core::referral::{Referral, Status};
use billstack_store::credits::{self, Credit, CreditFilter};
use billstack_store::list::Page;
use billstack_store::story::{self, LoggedEvent};
use billstack_store::{Act, Place, Refusal, Thing, Tx, activity, explained, recheck};
use maud::{Markup, html};
use serde::Deserialize;

use super::{path, people_of};
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::form::Form;
use crate::pages::parts::deed_names::said;
use crate::pages::parts::deeds::Reader;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::{beside, copyable};
use crate::pages::parts::people::People;
use crate::pages::parts::said::saying;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::{moment, sentence};
use crate::pages::parts::words;
use crate::pages::submit::{Submitted, submit};
use crate::pages::teams::project::address;
use crate::pages::view::{View, read};

/// The most steps of a story that are shown at once; the API tells the rest.
const STEPS: i64 = 200;

/// All that the page tells.
struct Told {
    referral: Referral,
    explanation: Explanation,
    credits: Vec<Credit>,
    steps: Vec<LoggedEvent>,
    /// What the people and the keys are called who took a step.
    actors: BTreeMap<String, String>,
    people: People,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, id).await?;
    let shown = body(&told, (&view, &access.place), None);
    Ok(view.page(&title(&told), shown))
}

/// Checks it again.
pub async fn check(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    Item(id): Item,
    form: Form,
) -> Result<Response, ApiError> {
    let told = told(&app, &access.place, id.clone()).await?;
    match checked(&app, &access, id, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let shown = body(&told, (&view, &access.place), Some(&error));
            Ok(view.again(&error, &title(&told), shown))
        }
    }
}

#[derive(Deserialize)]
struct Nothing {}

async fn checked(
    app: &App,
    access: &ProjectAccess,
    id: String,
    form: &Form,
) -> Result<Submitted, ApiError> {
    let Nothing {} = form.read(&[])?;
    let (place, back) = (
        access.place.clone(),
        saying(&format!("{}/{id}", path(&access.place)), "checked"),
    );
    let op = move |tx: &mut dyn Tx, act: &mut Act| recheck::recheck(tx, act, &place, &id);
    let team_id = &access.place.team_id;
    submit(
        app,
        &access.caller,
        (team_id, form),
        op,
        move |_: &Referral| back.clone(),
    )
    .await
}

fn title(told: &Told) -> String {
    let friend = told.people.name(&told.referral.referee_customer_id);
    format!("{friend} · Referrals")
}

async fn told(app: &App, place: &Place, id: String) -> Result<Told, ApiError> {
    let now = app.now();
    read(app, place, move |tx, place| {
        let found = explained::get(tx, place, &id, now)?;
        let (referral, explanation) = found.ok_or(Refusal::NotFound(Thing::Referral))?;
        let of_it = CreditFilter {
            referral_id: Some(id.clone()),
            ..CreditFilter::default()
        };
        let credits = credits::list(tx, place, &of_it, &Page::first(50))?.rows;
        let steps = story::story(tx, &place.team_id, &id, &Page::first(STEPS))?.rows;
        let actors = activity::names(tx, &place.team_id, steps.iter().map(|step| &*step.actor))?;
        let people = people_of(tx, place, std::slice::from_ref(&referral))?;
        Ok(Told {
            referral,
            explanation,
            credits,
            steps,
            actors,
            people,
        })
    })
    .await
}

fn body(told: &Told, (view, place): (&View, &Place), error: Option<&ApiError>) -> Markup {
    let referral = &told.referral;
    let friend = told.people.name(&referral.referee_customer_id);
    html! {
        h1 { (friend) }
        section {
            h2 { "Why it is where it is" }
            p { (words::of_referral(referral.status)) (sentence(&told.explanation.why)) }
            @if !told.explanation.next.is_empty() {
                p { "What must still happen:" }
                ul { @for step in &told.explanation.next { li { (sentence(step)) } } }
            }
            (fault(error, &[]))
            @if referral.status == Status::Pending {
                form method="post" action={ (path(place)) "/" (referral.id) } {
                    (view.lock(Need::Writer).around(html! { (once()) (button("Check again").plain()) }))
                }
            }
        }
        section {
            h2 { "Facts" }
            dl.facts {
                div { dt { "Friend" } dd { (told.people.link(place, &referral.referee_customer_id)) } }
                div { dt { "Referred by" } dd { (told.people.link(place, &referral.referrer_customer_id)) } }
                div { dt { "Code" } dd { (copyable(&referral.code)) " " a href={ (address(&place.team_id, &place.project_id)) "/codes/" (referral.code) } { "What it has brought" } } }
                div { dt { "Came by" } dd { (words::of_source(&referral.attribution)) } }
                div { dt { "Applied" } dd { (moment(referral.created_at)) } }
                @if let Some(at) = referral.converted_at { div { dt { "Converted" } dd { (moment(at)) } } }
                div { dt { "Promised" } dd {
                    (amount(referral.terms.referrer_credit_amount.get(), referral.terms.currency))
                    " to who referred, "
                    (amount(referral.terms.referee_credit_amount.get(), referral.terms.currency))
                    " to the friend"
                } }
                div { dt { "Id" } dd { (copyable(&referral.id)) } }
            }
        }
        h2 { "Credits" }
        (credits_of(&told.credits, &told.people, place))
        h2 { "Story" }
        (story_of(told, (view, place)))
        (as_text(told, place))
    }
}

/// The same as a text to send to somebody, and for programs.
fn as_text(told: &Told, place: &Place) -> Markup {
    let api = format!(
        "/api/billstack/teams/{}/projects/{}/referrals/{}",
        place.team_id, place.project_id, told.referral.id
    );
    html! {
        details {
            summary { "As a text" }
            (copyable(&plain(told)))
        }
        p { "For programs: " a href=(api) { "JSON" } ", " a href={ (api) "/events" } { "story as JSON" } }
    }
}

/// What the page says, without people: ids alone may leave it.
fn plain(told: &Told) -> String {
    let referral = &told.referral;
    let mut lines = vec![
        format!("Referral {}: {}", referral.id, referral.status),
        told.explanation.why.to_string(),
    ];
    lines.extend(
        told.explanation
            .next
            .iter()
            .map(|step| format!("Next: {step}")),
    );
    lines.push(format!(
        "Code {}, applied {}, referrer {}, friend {}",
        referral.code,
        rfc3339(referral.created_at.0),
        referral.referrer_customer_id,
        referral.referee_customer_id
    ));
    lines.extend(told.steps.iter().map(|step| {
        let at = rfc3339(step.created_at.0);
        format!(
            "{at} {} by {} (request {})",
            step.kind, step.actor, step.request_id
        )
    }));
    lines.join("\n")
}

/// Credits, a row each, for other pages too.
pub(in crate::pages) fn credits_of(credits: &[Credit], people: &People, place: &Place) -> Markup {
    let columns = [
        Column::text("Customer"),
        Column::text("For"),
        Column::number("Amount"),
        Column::words("Status"),
        Column::short("Granted"),
        Column::text("Id"),
    ];
    let base = address(&place.team_id, &place.project_id);
    let rows = credits.iter().map(|credit| {
        [
            people.link(place, &credit.customer_id),
            html! { (words::of_side(credit.side)) },
            amount(credit.amount.get(), credit.currency),
            words::of_credit(credit.status),
            moment(credit.created_at),
            beside(
                html! { a href={ (base) "/credits/" (credit.id) } { code { (credit.id) } } },
                &credit.id,
            ),
        ]
    });
    table("Credits, the newest first", columns, rows, "No credit.")
}

fn story_of(told: &Told, (view, place): (&View, &Place)) -> Markup {
    let reader = Reader::new(view, &place.team_id).knowing(&told.people);
    let columns = [
        Column::short("When"),
        Column::text("What"),
        Column::text("By"),
        Column::text("Details"),
        Column::text("Request"),
    ];
    let rows = told.steps.iter().map(|step| {
        let name = told.actors.get(&step.actor);
        [
            moment(step.created_at),
            html! { span id=(step.id) { (said(&step.kind)) } },
            reader.actor(&step.actor, name.map(String::as_str)),
            reader.facts(&step.kind, &step.facts, None),
            beside(reader.request(&step.request_id), &step.request_id),
        ]
    });
    html! {
        (table("What happened, in order", columns, rows, "Nothing yet."))
        @if i64::try_from(told.steps.len()).is_ok_and(|shown| shown >= STEPS) {
            p.quiet { "There is more, which the API tells." }
        }
    }
}
