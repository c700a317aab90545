//! `/t`: the teams of whoever is signed in, and a form for a new one.

pub mod activity;
pub mod keys;
pub mod members;
pub mod project;
pub mod projects;
pub mod status;
pub mod stripe;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::list::Page;
use billstack_store::projects::{self as of_team, Project};
use billstack_store::teams::{self as store, TeamOfUser};
use maud::{Markup, html};
use serde::Deserialize;

use super::form::Form;
use super::parts::form::{Field, fault, field, once, submit as button};
use super::submit::submit;
use super::view::View;
use crate::api::teams::Name;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::SignedIn;

const TITLE: &str = "Teams";

/// Teams on this page, and projects of each: whoever has more finds them behind the name of the team.
const MOST: i64 = 20;

#[derive(Deserialize)]
struct NewTeam {
    team: Name,
    project: Name,
}

/// Teams with their newest projects.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    signed: SignedIn,
) -> Result<Response, ApiError> {
    let shown = body(&app, &signed, (&Form::default(), None)).await?;
    Ok(view.page(TITLE, shown))
}

/// Makes a team with its first project.
pub async fn create(
    State(app): State<Shared>,
    view: View,
    signed: SignedIn,
    form: Form,
) -> Result<Response, ApiError> {
    match made(&app, &signed, &form).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => {
            let shown = body(&app, &signed, (&form, Some(&error))).await?;
            Ok(view.again(&error, TITLE, shown))
        }
    }
}

async fn made(
    app: &App,
    signed: &SignedIn,
    form: &Form,
) -> Result<super::submit::Submitted, ApiError> {
    let new: NewTeam = form.read(&["team", "project"])?;
    let user_id = signed.user.id.clone();
    // No team is there yet that could have been sent the form.
    let nowhere = TeamId::from("");
    let op = move |tx: &mut dyn billstack_store::Tx, act: &mut billstack_store::Act| {
        let team = store::create(tx, act, &new.team.0, &user_id)?;
        let project = of_team::create(tx, act, &team.id, &new.project.0)?;
        Ok((team.id, project.id))
    };
    let place = |(team, project): &(_, _)| format!("{}/start", project::address(team, project));
    submit(app, &signed.caller, (&nowhere, form), op, place).await
}

async fn body(
    app: &App,
    signed: &SignedIn,
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let teams = read(app, &signed.user.id).await?;
    let once = once();
    Ok(html! {
        @if teams.is_empty() {
            h1 { "Start" }
            p.quiet { "You are in no team yet. This is the first step to a referral that converts. Whoever was invited to a "
                "team opens the link of the invitation instead." }
        } @else {
            h1 { (TITLE) }
        }
        @for (of_user, projects) in &teams {
            (card(of_user, projects))
        }
        section {
            h2 { @if teams.is_empty() { "1. A team and a project" } @else { "A new team" } }
            p.quiet { "A team has its own people, keys and connection to Stripe. Each product in it is a project." }
            (fault(error, &["team", "project"]))
            form.row method="post" action="/t" {
                (once)
                (field(&Field { label: "Team", name: "team", ..Field::default() }, typed, error))
                (field(&Field { label: "First project", name: "project", ..Field::default() }, typed, error))
                (button("Make the team"))
            }
        }
    })
}

fn card(of_user: &TeamOfUser, projects: &[Project]) -> Markup {
    let team = &of_user.team;
    html! {
        section {
            h2 { a href={ "/t/" (team.id) } { (team.name) } " " small.quiet { (of_user.role.as_str()) } }
            @if projects.is_empty() { p.quiet { "No project yet." } }
            @else {
                ul.places {
                    @for project in projects {
                        li { a href=(project::address(&team.id, &project.id)) { (project.name) }
                            " " (projects::mode(project.mode)) }
                    }
                }
            }
        }
    }
}

async fn read(app: &App, user_id: &str) -> Result<Vec<(TeamOfUser, Vec<Project>)>, ApiError> {
    let (user_id, first) = (user_id.to_owned(), || Page::first(MOST));
    let read = app.store.scan(move |tx| {
        let teams = store::list_of_user(tx, &user_id, &first())?;
        let mut found = Vec::new();
        for of_user in teams.rows {
            let projects = of_team::list(tx, &of_user.team.id, &first())?;
            found.push((of_user, projects.rows));
        }
        Ok(found)
    });
    Ok(read.await?)
}
