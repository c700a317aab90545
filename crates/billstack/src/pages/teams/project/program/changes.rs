//! The form as it is sent: first to look at what would change, then to have it.

use axum::extract::State;
use axum::response::Response;
use billstack_core::program::Program;
use billstack_store::{Act, Place, Tx, programs};
use maud::{Markup, html};

use super::form::{self, FIELDS};
use super::settings::{Differs, differences, facts};
use super::{TITLE, cost, now, page, path, told};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer::json;
use crate::pages::form::Form;
use crate::pages::parts::entry::carried;
use crate::pages::parts::form::once;
use crate::pages::parts::notice;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::unread::part;
use crate::pages::submit::submit;
use crate::pages::view::{View, read};
use crate::secrets::token_hash;

/// The field that says which program somebody has seen when they confirmed a change.
const SEEN: &str = "seen";

/// The field of the button that leads back to the form.
const AGAIN: &str = "again";

/// What a form leads to.
enum Next {
    /// A page to look at.
    Page(Markup),
    /// Elsewhere: the change is made.
    Done(Response),
}

/// Shows what would change, or changes it.
pub async fn change(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let program = now(&app, &access.place).await?;
    if !form.text(AGAIN).is_empty() {
        let shown = page(&app, (&view, &access.place), &program, (&form, None), None).await;
        return Ok(view.page(TITLE, shown));
    }
    match next(&app, (&view, &access), &program, &form).await {
        Ok(Next::Page(shown)) => Ok(view.page(TITLE, shown)),
        Ok(Next::Done(answer)) => Ok(answer),
        Err(error) => {
            let typed = (&form, Some(&error));
            let shown = page(&app, (&view, &access.place), &program, typed, None).await;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn next(
    app: &App,
    (view, access): (&View, &ProjectAccess),
    program: &Program,
    form: &Form,
) -> Result<Next, ApiError> {
    let change = form::wished(form, app.grace())?;
    let (tried, present) = (change.clone(), program.clone());
    let wished = read(app, &access.place, move |tx, place| {
        programs::tried(tx, place, present.clone(), tried.clone())
    });
    let wished = wished.await?;
    if form.text(SEEN) != mark(program) {
        let asked = Asked {
            view,
            place: &access.place,
            program,
            wished: &wished,
        };
        return Ok(Next::Page(confirm(app, &asked, form).await));
    }
    let place = access.place.clone();
    let put = move |tx: &mut dyn Tx, act: &mut Act| programs::put(tx, act, &place, change.clone());
    let saved = format!("{}?done=saved", path(&access.place));
    let team = &access.place.team_id;
    let made = submit(
        app,
        &access.caller,
        (team, form),
        put,
        move |_: &Program| saved.clone(),
    );
    Ok(Next::Done(made.await?.answer(view)))
}

/// What a program is known by, to notice that somebody else has changed it.
fn mark(program: &Program) -> String {
    token_hash(&json(&facts(program)))
}

/// What somebody asks for.
struct Asked<'a> {
    view: &'a View,
    place: &'a Place,
    program: &'a Program,
    wished: &'a Program,
}

/// The step between the form and the change.
async fn confirm(app: &App, asked: &Asked<'_>, form: &Form) -> Markup {
    let Asked {
        view,
        place,
        program,
        wished,
    } = asked;
    let differs = differences(&facts(program), &facts(wished));
    let is_late = !form.text(SEEN).is_empty();
    let effect = part(view, effect(app, place, (program, wished))).await;
    html! {
        h1 { "Change the program" }
        @if is_late { (notice::note("The program was changed by somebody else meanwhile. Nothing is saved yet: look again.")) }
        section {
            h2 { "What changes" }
            @if differs.is_empty() {
                p { "Nothing: the program is like this already." }
            } @else {
                (rows(&differs))
                (effect)
            }
            form method="post" action=(path(place)) {
                (carried(form, &FIELDS))
                input type="hidden" name=(SEEN) value=(mark(program));
                (once())
                div.actions {
                    @if !differs.is_empty() { button { "Save the change" } }
                    button.plain name=(AGAIN) value="yes" { "Back to the form" }
                }
            }
        }
    }
}

fn rows(differs: &[Differs]) -> Markup {
    let columns = [
        Column::text("Setting"),
        Column::text("Now"),
        Column::text("Then"),
    ];
    let rows = differs.iter().map(|found| {
        [
            html! { (found.label) },
            html! { (found.before) },
            html! { strong { (found.after) } },
        ]
    });
    table("What changes", columns, rows, "Nothing.")
}

/// What a change means for those who wait, and for the costs.
async fn effect(
    app: &App,
    place: &Place,
    (program, wished): (&Program, &Program),
) -> Result<Markup, ApiError> {
    let told = told(app, place, wished).await?;
    Ok(html! {
        ul {
            li { @match told.pending {
                0 => "No referral waits: nobody has an older promise.",
                1 => "One referral waits. It keeps the promise of the day on which its code was applied.",
                _ => { (told.pending) " referrals wait. They keep the promise of the day on which their code was applied." }
            } }
            @if program.enabled && !wished.enabled {
                li { "From now on an apply is refused with 409 " code { "referrals_disabled" } "; whoever waits may still convert." }
            }
            li { (cost(wished, &told.month)) }
        }
    })
}
