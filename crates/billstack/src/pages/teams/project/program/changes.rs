//! The form as it is sent: first to look at what would change, at an address of its own, then to have it.

use axum::extract::State;
use axum::response::Response;
use billstack_core::program::{Change, Program};
use billstack_store::{Act, Place, Tx, programs};
use maud::{Markup, html};

use super::form::{self, FIELDS};
use super::settings::{Differs, differences, facts};
use super::{TITLE, cost, now, page, path, told};
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer::json;
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::entry::carried;
use crate::pages::parts::form::once;
use crate::pages::parts::notice;
use crate::pages::parts::pager::with_query;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::unread::part;
use crate::pages::submit::submit;
use crate::pages::view::{View, read, see_other};
use crate::secrets::token_hash;

/// The field that says which program somebody has seen when they confirmed a change.
const SEEN: &str = "seen";

/// The parameter of the address that shows what would change; it says whether somebody was late.
const LOOK: &str = "look";
const LATE: &str = "late";

/// The parameter that leads back to the form.
const AGAIN: &str = "again";

/// The page where a query names a change that is not made yet: what it would be, or the form with it.
pub(super) async fn looked_at(
    app: &App,
    (view, access): (&View, &ProjectAccess),
    program: &Program,
    query: &Query,
) -> Option<Response> {
    let of = |name: &str| query.pairs().find(|(other, _)| *other == name);
    let form = Form::of_query(query, &FIELDS);
    let typed = (view, &access.place as &Place);
    if of(AGAIN).is_some() {
        let shown = page(app, typed, program, (&form, None), None).await;
        return Some(view.page(TITLE, shown));
    }
    let (_, look) = of(LOOK)?;
    Some(match wished(app, (&access.place, program), &form).await {
        Ok((_, wished)) => {
            let asked = Asked {
                view,
                place: &access.place,
                program,
                wished: &wished,
                is_late: look == LATE,
            };
            view.page(TITLE, confirm(app, &asked, &form).await)
        }
        Err(error) => {
            let shown = page(app, typed, program, (&form, Some(&error)), None).await;
            view.again(&error, TITLE, shown)
        }
    })
}

/// What a form wishes, and what the program would become.
async fn wished(
    app: &App,
    (place, program): (&Place, &Program),
    form: &Form,
) -> Result<(Change, Program), ApiError> {
    let change = form::wished(form, app.grace())?;
    let (tried, present) = (change.clone(), program.clone());
    let wished = read(app, place, move |tx, place| {
        programs::tried(tx, place, present.clone(), tried.clone())
    });
    Ok((change, wished.await?))
}

/// Leads to what would change, or changes it.
pub async fn change(
    State(app): State<Shared>,
    view: View,
    access: ProjectAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let program = now(&app, &access.place).await?;
    match next(&app, (&view, &access), &program, &form).await {
        Ok(answer) => Ok(answer),
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
) -> Result<Response, ApiError> {
    let over = form.over(&form::filled(program), &FIELDS)?;
    let (change, _) = wished(app, (&access.place, program), &over).await?;
    if form.text(SEEN) != mark(program) {
        let look = match form.text(SEEN) {
            "" => "yes",
            _ => LATE,
        };
        return Ok(see_other(&address_of(&access.place, &over, (LOOK, look))));
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
    Ok(made.await?.answer(view))
}

/// The page with a change that is not made yet.
fn address_of(place: &Place, form: &Form, how: (&str, &str)) -> String {
    let fields = form.fields().filter(|(name, _)| FIELDS.contains(name));
    let pairs: Vec<_> = [how].into_iter().chain(fields).collect();
    with_query(&path(place), &pairs)
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
    /// Whether it was changed by somebody else since it was looked at.
    is_late: bool,
}

/// The step between the form and the change.
async fn confirm(app: &App, asked: &Asked<'_>, form: &Form) -> Markup {
    let Asked {
        view,
        place,
        program,
        wished,
        is_late,
    } = asked;
    let differs = differences(&facts(program), &facts(wished));
    let effect = part(view, effect(app, place, (program, wished))).await;
    html! {
        h1 { "Change the program" }
        @if *is_late { (notice::note("The program was changed by somebody else meanwhile. Nothing is saved yet: look again.")) }
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
                    a.button.plain href=(address_of(place, form, (AGAIN, "yes"))) { "Back to the form" }
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
