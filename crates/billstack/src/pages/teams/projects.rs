//! `/t/{teamId}`: the projects of a team, and a form for a new one.

use axum::extract::State;
use axum::response::Response;
use billstack_core::project::ProjectMode;
use billstack_store::list::Part;
use billstack_store::projects::{self as store, Project};
use maud::{Markup, html};
use serde::Deserialize;

use super::project::address;
use crate::api::teams::Name;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::form::{Field, check, fault, field, once, submit as button};
use crate::pages::parts::lock::Need;
use crate::pages::parts::pager::{Trail, pager};
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::moment;
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::View;

/// Says of a form that it is the one to leave the team.
const LEAVE: &str = "leave";

/// Rows of a page.
const ROWS: i64 = 50;

#[derive(Deserialize)]
struct NewProject {
    name: Name,
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let shown = body(&app, (&view, &access), &query, (&Form::default(), None)).await?;
    Ok(view.page("Projects", shown))
}

/// Makes a project.
pub async fn create(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    match made(&app, &access, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let first = Query::default();
            let shown = body(&app, (&view, &access), &first, (&form, Some(&error))).await?;
            Ok(view.again(&error, "Projects", shown))
        }
    }
}

/// The page with the form to leave the team, which came back.
pub(super) async fn leave_again(
    app: &App,
    view: &View,
    access: &TeamAccess,
    error: &ApiError,
) -> Result<Response, ApiError> {
    let form = (&Form::with(LEAVE, "yes"), Some(error));
    let shown = body(app, (view, access), &Query::default(), form).await?;
    Ok(view.again(error, "Projects", shown))
}

async fn made(app: &App, access: &TeamAccess, form: &Form) -> Result<Submitted, ApiError> {
    let new: NewProject = form.read(&["name"])?;
    let mode = match form.text("test") {
        "" => ProjectMode::Live,
        _ => ProjectMode::Test,
    };
    let team_id = access.team_id.clone();
    let op = move |tx: &mut dyn billstack_store::Tx, act: &mut billstack_store::Act| {
        store::create_in_mode(tx, act, &team_id, &new.name.0, mode)
    };
    let team_id = access.team_id.clone();
    let place = move |project: &Project| address(&team_id, &project.id);
    submit(app, &access.caller, (&access.team_id, form), op, place).await
}

async fn body(
    app: &App,
    (view, access): (&View, &TeamAccess),
    query: &Query,
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let (page, team_id) = (page(query, ROWS)?, access.team_id.clone());
    let trail = Trail::of(query);
    let part = app
        .store
        .scan(move |tx| Ok(store::list(tx, &team_id, &page)?));
    let part = part.await?;
    let path = format!("/t/{}", access.team_id);
    Ok(html! {
        h1 { "Projects" }
        (list(&part, &access.team_id))
        (pager(&path, &[], &trail, part.next.as_ref()))
        section {
            h2 { "A new project" }
            p.quiet { "Customers, codes and credits of different projects do not meet. "
                "A test project has a clock of its own, which can be moved forward." }
            (fault(error, &["name"]))
            form.row method="post" action=(path) {
                (view.lock(Need::Admin).around(html! {
                (once())
                (field(&Field { label: "Name", name: "name", ..Field::default() }, typed, error))
                (check("For trying out", "test", typed))
                (button("Make the project"))
                }))
            }
        }
        details.confirm open[typed.has(LEAVE)] {
            summary { "Leave the team" }
            form method="post" action={ (path) "/leave" } {
                (once())
                p { "You see nothing of the team from then on, until somebody invites you again." }
                (button("Leave"))
            }
        }
    })
}

fn list(part: &Part<Project>, team_id: &billstack_core::ids::TeamId) -> Markup {
    let columns = [
        Column::text("Name"),
        Column::words("Kind"),
        Column::short("Made"),
    ];
    let rows = part.rows.iter().map(|project| {
        [
            html! { a href=(address(team_id, &project.id)) { (project.name) } },
            mode(project.mode),
            moment(project.created_at),
        ]
    });
    table(
        "Projects of the team, the newest first",
        columns,
        rows,
        "No project yet.",
    )
}

/// What a project is for, in a word.
pub(super) fn mode(mode: ProjectMode) -> Markup {
    match mode {
        ProjectMode::Test => html! { span.badge.test { "test" } },
        ProjectMode::Live => html! { span.badge { "live" } },
        other => html! { span.badge { (other.as_str()) } },
    }
}
