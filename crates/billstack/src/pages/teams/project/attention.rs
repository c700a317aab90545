//! `/t/{teamId}/p/{projectId}/attention`: what needs a person, what it means, and where its cure is.

use axum::extract::State;
use axum::response::Response;
use billstack_core::attention::Kind;
use billstack_core::time::Micros;
use billstack_store::attention::{self as store, Line};
use billstack_store::reconcile::{self, Line as Difference};
use billstack_store::{Act, Place, Tx};
use maud::{Markup, html};
use percent_encoding::utf8_percent_encode;
use serde::Deserialize;

use super::address;
use crate::api::attention::dismiss::dismissible;
use crate::api::attention::{cure, message};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::pages::dress::PLAIN;
use crate::pages::form::Form;
use crate::pages::parts::form::{fault, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::said::saying;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::parts::unread::unread;
use crate::pages::parts::words::with_code;
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::{Seen, View, read};

const TITLE: &str = "Attention";

/// As many differences of a comparison are shown; the API tells the rest.
const DIFFERENCES: i64 = 20;

#[derive(Deserialize)]
struct Dismissed {
    line: String,
}

/// All that the page tells.
struct Told<'v> {
    seen: &'v Seen,
    /// What the last comparison found, if a line tells of it.
    differences: Vec<Difference>,
}

/// The page.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
) -> Result<Response, ApiError> {
    let shown = body(&app, (&view, &access.place), None).await?;
    Ok(view.page(TITLE, shown))
}

/// Dismisses a line.
pub async fn dismiss(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match dismissed(&app, &access, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let shown = body(&app, (&view, &access.place), Some(&error)).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn dismissed(app: &App, access: &ProjectAccess, form: &Form) -> Result<Submitted, ApiError> {
    let Dismissed { line } = form.read(&["line"])?;
    let line = dismissible(app, access, &line).await?;
    let place = access.place.clone();
    let op = move |tx: &mut dyn Tx, act: &mut Act| store::dismiss(tx, act, &place, &line);
    let back = saying(&path(&access.place), "dismissed");
    let team_id = &access.place.team_id;
    submit(
        app,
        &access.caller,
        (team_id, form),
        op,
        move |_: &Micros| back.clone(),
    )
    .await
}

/// What was seen for this request, with what belongs to it.
async fn told<'v>(app: &App, seen: &'v Seen, place: &Place) -> Result<Told<'v>, ApiError> {
    let run = seen
        .shown
        .iter()
        .find(|line| line.id.kind == Kind::ReconcileFound);
    let differences = match run.map(|line| line.id.subject.clone()) {
        Some(run) => {
            let lines = read(app, place, move |tx, place| {
                Ok(reconcile::lines(tx, &place.team_id, &run, DIFFERENCES)?)
            });
            lines.await?
        }
        None => Vec::new(),
    };
    Ok(Told { seen, differences })
}

fn path(place: &Place) -> String {
    format!("{}/attention", address(&place.team_id, &place.project_id))
}

async fn body(
    app: &App,
    (view, place): (&View, &Place),
    error: Option<&ApiError>,
) -> Result<Markup, ApiError> {
    let shown = match &view.attention {
        Some(seen) => lines(&told(app, seen, place).await?, (view, place)),
        None => unread(view, &ApiError::new(Reason::Overloaded)),
    };
    Ok(html! {
        h1 { (TITLE) }
        (fault(error, &[]))
        (shown)
    })
}

fn lines(told: &Told<'_>, (view, place): (&View, &Place)) -> Markup {
    let Seen {
        at,
        shown,
        dismissed,
    } = told.seen;
    html! {
        @if shown.is_empty() {
            p.empty { "Nothing needs you. Looked " (moment(*at)) "." }
        } @else {
            (view.lock(Need::Writer).reason())
            @for line in shown { (card(line, told, (view, place))) }
            p.quiet { "Looked " (moment(*at)) ". Refused calls are those that this server itself has seen." }
        }
        @if !dismissed.is_empty() { (hidden(dismissed)) }
    }
}

fn card(line: &Line, told: &Told<'_>, (view, place): (&View, &Place)) -> Markup {
    html! {
        section.inbox {
            div {
                h2 { span.state.bad { (title(line.id.kind)) } }
                p {
                    (message(line))
                    @if let Some(at) = line.at { " " span.quiet { "Latest " (moment(at)) "." } }
                }
                p.quiet { (with_code(&cure(&line.id))) }
            }
            form method="post" action=(path(place)) {
                (view.lock(Need::Writer).inside(html! {
                    (once())
                    input type="hidden" name="line" value=(line.id);
                    div.actions {
                        (way(line, view, place))
                        (button("Dismiss for 7 days").plain())
                    }
                }))
            }
            @if line.id.kind == Kind::ReconcileFound { div.wide { (differences(&told.differences)) } }
        }
    }
}

/// What a line is about, in two or three words.
fn title(kind: Kind) -> Markup {
    let text = match &kind {
        Kind::BooksBroken => "Rules of the books are broken",
        Kind::LedgerUnexplained => "The ledger does not add up",
        Kind::StripeSilent => "Stripe is silent",
        Kind::BackupMissing => "No new backup",
        Kind::BooksUnchecked => "The books are not checked",
        Kind::DeliveriesPaused => "Deliveries to Stripe are paused",
        Kind::StripeCallsRefused => "Wrong signatures from Stripe",
        Kind::StripeEventsFailed => "Stripe events failed",
        Kind::StripeEventsAmbiguous => "Stripe events are ambiguous",
        Kind::CreditsNeedAttention => "Credits need a person",
        Kind::EndpointDisabled => "Webhook endpoint is disabled",
        Kind::EndpointFailing => "Webhook endpoint is failing",
        Kind::BudgetExhausted => "Budget is used up",
        Kind::BudgetLow => "Budget is nearly used up",
        Kind::ReconcileFound => "Our books and Stripe's differ",
        Kind::Other(word) => word.as_str(),
    };
    html! { (text) }
}

/// The way to the cure, for whoever may go there.
fn way(line: &Line, view: &View, place: &Place) -> Markup {
    let team = format!("/t/{}", place.team_id);
    let project = address(&place.team_id, &place.project_id);
    let subject = utf8_percent_encode(&line.id.subject, &PLAIN).to_string();
    let (to, text, may, else_who) = match line.id.kind {
        Kind::BooksBroken | Kind::BackupMissing | Kind::BooksUnchecked => {
            (format!("{team}/status"), "Open the status", true, "")
        }
        Kind::LedgerUnexplained => (format!("{project}/reports"), "Open the reports", true, ""),
        Kind::DeliveriesPaused | Kind::StripeCallsRefused | Kind::StripeSilent => (
            format!("{team}/stripe"),
            "Open the connection",
            view.can_administer(),
            "Owners and admins of the team mend this on the Stripe page.",
        ),
        Kind::StripeEventsFailed | Kind::StripeEventsAmbiguous => (
            format!("{team}/stripe/events/{subject}"),
            "Open the newest event",
            view.can_write(),
            "Members of the team may open Stripe's events.",
        ),
        Kind::CreditsNeedAttention => (
            format!("{project}/credits?delivery=needs_attention"),
            "Show the credits",
            true,
            "",
        ),
        Kind::EndpointDisabled | Kind::EndpointFailing => (
            format!("{project}/webhooks/{subject}"),
            "Open the endpoint",
            true,
            "",
        ),
        Kind::BudgetExhausted | Kind::BudgetLow => {
            (format!("{project}/program"), "Open the program", true, "")
        }
        Kind::ReconcileFound | Kind::Other(_) => return html! {},
    };
    html! {
        @if may { a.button href=(to) { (text) } }
        @else { span.quiet { (else_who) } }
    }
}

fn differences(lines: &[Difference]) -> Markup {
    let columns = [
        Column::words("Kind"),
        Column::text("About"),
        Column::text("What differs"),
        Column::text("Repaired"),
    ];
    let rows = lines.iter().map(|line| {
        [
            html! { (line.kind) },
            html! { code { (line.subject) } },
            html! { (line.detail) },
            html! { @if line.is_repaired { "yes" } @else { "no" } },
        ]
    });
    table(
        "What the comparison found",
        columns,
        rows,
        "No line was kept.",
    )
}

fn hidden(lines: &[Line]) -> Markup {
    html! {
        details {
            summary { (lines.len()) " dismissed" }
            ul {
                @for line in lines {
                    li { (message(line))
                        @if let Some(until) = line.dismissed_until { " " span.quiet { "Until " (moment(until)) "." } } }
                }
            }
        }
    }
}
