//! `/t/{teamId}/p/{projectId}/referrals/{id}`: why a referral is where it is.

use axum::extract::State;
use axum::response::Response;
use billstack_core::explanation::Explanation;
use billstack_core::referral::Referral;
use billstack_store::credits::{self, Credit, CreditFilter};
use billstack_store::list::Page;
use billstack_store::story::{self, LoggedEvent};
use billstack_store::{Place, Refusal, Thing, explained};
use maud::{Markup, html};
use serde_json::Value;

use super::people_of;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::path::Item;
use crate::pages::parts::money::amount;
use crate::pages::parts::notice::copyable;
use crate::pages::parts::people::People;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::parts::words;
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
    let friend = told.people.name(&told.referral.referee_customer_id);
    Ok(view.page(&format!("{friend} · Referrals"), body(&told, &access.place)))
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
        let credits = credits::list(tx, place, &of_it, &first(50))?.rows;
        let steps = story::story(tx, &place.team_id, &id, &first(STEPS))?.rows;
        let people = people_of(tx, place, std::slice::from_ref(&referral))?;
        Ok(Told {
            referral,
            explanation,
            credits,
            steps,
            people,
        })
    })
    .await
}

fn first(limit: i64) -> Page {
    Page {
        limit,
        offset: 0,
        after: None,
    }
}

fn body(told: &Told, place: &Place) -> Markup {
    let referral = &told.referral;
    let friend = told.people.name(&referral.referee_customer_id);
    html! {
        h1 { (friend) }
        section {
            h2 { "Why it is where it is" }
            p { (words::of_referral(referral.status)) (told.explanation.why) }
            @if !told.explanation.next.is_empty() {
                p { "What must still happen:" }
                ul { @for step in &told.explanation.next { li { (step) } } }
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
        (story_of(&told.steps, place))
    }
}

/// Credits, a row each, for other pages too.
pub(in crate::pages) fn credits_of(credits: &[Credit], people: &People, place: &Place) -> Markup {
    let columns = [
        Column::text("Customer"),
        Column::text("For"),
        Column::number("Amount"),
        Column::text("Status"),
        Column::text("Granted"),
        Column::text("Id"),
    ];
    let rows = credits.iter().map(|credit| {
        [
            people.link(place, &credit.customer_id),
            html! { (words::of_side(credit.side)) },
            amount(credit.amount.get(), credit.currency),
            words::of_credit(credit.status),
            moment(credit.created_at),
            html! { code { (credit.id) } },
        ]
    });
    table("Credits, the newest first", columns, rows, "No credit.")
}

/// The facts of a step, a name and a value each.
fn details(facts: &str) -> Markup {
    let facts: serde_json::Map<String, Value> = serde_json::from_str(facts).unwrap_or_default();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    html! {
        @if !facts.is_empty() {
            dl.small { @for (name, value) in &facts { div { dt { (name) } dd { (text(value)) } } } }
        }
    }
}

fn story_of(steps: &[LoggedEvent], place: &Place) -> Markup {
    let base = address(&place.team_id, &place.project_id);
    let columns = [
        Column::text("When"),
        Column::text("What"),
        Column::text("Who"),
        Column::text("Details"),
        Column::text("Request"),
    ];
    let rows = steps.iter().map(|step| {
        [
            moment(step.created_at),
            html! { span id=(step.id) { (step.kind) } },
            html! { code { (step.actor) } },
            details(&step.facts),
            html! { code { (step.request_id) } },
        ]
    });
    html! {
        (table("What happened, in order", columns, rows, "Nothing yet."))
        @if i64::try_from(steps.len()).is_ok_and(|shown| shown >= STEPS) {
            p.quiet { "There is more, which the API tells: " code { (base) "/…/events" } }
        }
    }
}
