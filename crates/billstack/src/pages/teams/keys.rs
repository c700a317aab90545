//! `/t/{teamId}/keys`: what the team's own programs call with.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use billstack_core::access::{Scope, format_api_key};
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use billstack_store::api_keys::{self as store, ApiKey};
use billstack_store::list::{Page, Part};
use billstack_store::projects::{self, Project};
use maud::{Markup, html};
use serde::Serialize;

use crate::api::teams::api_keys::create::CreateApiKeyRequest;
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::{Caller, TeamAccess};
use crate::http::page::{QueryString, page};
use crate::http::query::Query;
use crate::pages::form::Form;
use crate::pages::parts::form::{Field, choice, fault, field, once, submit as button};
use crate::pages::parts::pager::{Trail, pager};
use crate::pages::parts::programs::programs;
use crate::pages::parts::said::saying;
use crate::pages::parts::table::{Column, table};
use crate::pages::parts::time::{day, moment};
use crate::pages::shown::{Kind, Secret, Whose, panels};
use crate::pages::submit::{Submitted, submit};
use crate::pages::view::{View, see_other, see_other_with};
use crate::secrets::random_bytes;

const TITLE: &str = "Keys";

/// Rows of a page.
const ROWS: i64 = 50;

/// Projects that are offered.
const MOST_PROJECTS: i64 = 100;

/// Each scope, and what it allows.
const SCOPES: [(Scope, &str); 6] = [
    (Scope::CustomersRead, "look customers up"),
    (Scope::CustomersWrite, "create, change and erase customers"),
    (
        Scope::ReferralsRead,
        "look at codes, referrals and credits, and apply a code",
    ),
    (
        Scope::ReferralsWrite,
        "change the program, make codes, move credits",
    ),
    (Scope::WebhooksRead, "look at webhooks"),
    (Scope::WebhooksWrite, "say where webhooks are sent"),
];

/// The members of the call, as its body has them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'m> {
    name: &'m str,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_id: Option<&'m str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<&'m str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

/// The list.
pub async fn show(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    headers: HeaderMap,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let secrets = whose(&access).read(&app, &headers, Kind::Key);
    let shown = body(&app, &access, (&query, &secrets), (&Form::default(), None)).await?;
    Ok(view.page(TITLE, shown))
}

/// Makes a key, which is then shown this once.
pub async fn create(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let place = path(&access.team_id);
    match made(&app, (&access.caller, &access.team_id), &form, &place).await {
        Ok((Submitted::Made(place), raw_key)) => {
            let cookie = whose(&access).show(&app, Kind::Key, &raw_key);
            Ok(see_other_with(&place, cookie))
        }
        Ok((before, _)) => Ok(before.answer(&view)),
        Err(error) => again(&app, &view, &access, (&form, &error)).await,
    }
}

/// Revokes a key.
pub async fn revoke(
    State(app): State<Shared>,
    view: View,
    access: TeamAccess,
    form: Form,
) -> Result<Response, ApiError> {
    let (team_id, id) = (access.team_id.clone(), form.text("id").to_owned());
    let op = move |tx: &mut dyn billstack_store::Tx, act: &mut billstack_store::Act| {
        store::revoke(tx, act, &team_id, &id)
    };
    let place = saying(&path(&access.team_id), "revoked");
    let place = move |_: &ApiKey| place.clone();
    match submit(&app, &access.caller, (&access.team_id, &form), op, place).await {
        Ok(submitted) => Ok(submitted.answer(&view)),
        Err(error) => again(&app, &view, &access, (&form, &error)).await,
    }
}

/// Ends the showing of a key.
pub async fn kept(State(app): State<Shared>, access: TeamAccess, form: Form) -> Response {
    if form.is_kept() {
        return see_other(&path(&access.team_id));
    }
    see_other_with(&path(&access.team_id), whose(&access).forget(&app, &form))
}

async fn again(
    app: &App,
    view: &View,
    access: &TeamAccess,
    (form, error): (&Form, &ApiError),
) -> Result<Response, ApiError> {
    let shown = body(app, access, (&Query::default(), &[]), (form, Some(error))).await?;
    Ok(view.again(error, TITLE, shown))
}

/// Makes the key that a form asks for: where it leads, and the whole key. A form that was sent before has made another.
pub(in crate::pages) async fn made(
    app: &App,
    (caller, team_id): (&Caller, &TeamId),
    form: &Form,
    place: &str,
) -> Result<(Submitted, String), ApiError> {
    let request: CreateApiKeyRequest = form.read_members(&members(form))?;
    let raw_key = format_api_key(random_bytes());
    let (owned, new) = (team_id.clone(), request.key(&raw_key, app.now())?);
    let op = move |tx: &mut dyn billstack_store::Tx, act: &mut billstack_store::Act| {
        store::create(tx, act, &owned, &new)
    };
    let place = place.to_owned();
    let place = move |_: &ApiKey| place.clone();
    let submitted = submit(app, caller, (team_id, form), op, place).await?;
    Ok((submitted, raw_key))
}

/// A key that may do everything has no list of scopes; a day is meant whole.
fn members(form: &Form) -> Members<'_> {
    let filled = |name| Some(form.text(name)).filter(|text| !text.is_empty());
    let chosen = form.fields().filter(|(name, _)| *name == "scopes");
    let chosen: Vec<_> = chosen.map(|(_, scope)| scope).collect();
    let day =
        filled("expiresAt").map(
            |day| match Micros::from_rfc3339(&format!("{day}T00:00:00Z")) {
                Some(at) => rfc3339(at.0),
                None => day.to_owned(),
            },
        );
    Members {
        name: form.text("name"),
        project_id: filled("projectId"),
        scopes: (!chosen.is_empty()).then_some(chosen),
        expires_at: day,
    }
}

fn path(team_id: &TeamId) -> String {
    format!("/t/{team_id}/keys")
}

fn whose(access: &TeamAccess) -> Whose<'_> {
    Whose {
        team_id: &access.team_id,
        user_id: &access.user.id,
    }
}

async fn body(
    app: &App,
    access: &TeamAccess,
    (query, secrets): (&Query, &[Secret]),
    (typed, error): (&Form, Option<&ApiError>),
) -> Result<Markup, ApiError> {
    let (page, team_id) = (page(query, ROWS)?, access.team_id.clone());
    let trail = Trail::of(query);
    let read = app.store.scan(move |tx| {
        let all = Page::first(MOST_PROJECTS);
        let projects = projects::list(tx, &team_id, &all)?.rows;
        Ok((store::list(tx, &team_id, &page)?, projects))
    });
    let (part, projects) = read.await?;
    let path = path(&access.team_id);
    Ok(html! {
        h1 { (TITLE) }
        (panels("Your new key", secrets, "Put it where your program keeps its secrets.", &format!("{path}/kept")))
        (list((&part, &projects), (&path, typed), app.now()))
        (pager(&path, &[], &trail, part.next.as_ref()))
        (new(&path, &projects, (typed, error)))
        (programs(app, &access.team_id, &projects))
    })
}

fn list(
    (part, projects): (&Part<ApiKey>, &[Project]),
    (path, typed): (&str, &Form),
    now: Micros,
) -> Markup {
    let columns = [
        Column::text("Name"),
        Column::short("Begins with"),
        Column::text("Good for"),
        Column::short("Ends"),
        Column::short("Last used"),
        Column::short("Made"),
        Column::text(""),
    ];
    let rows = part.rows.iter().map(|key| {
        [
            html! { span id=(key.id) { (key.name) } },
            html! { code { (key.prefix) "…" } },
            reach(key, projects),
            state(key, now),
            html! { @match key.last_used_on { Some(at) => (day(at)), None => span.quiet { "never" } } },
            moment(key.created_at),
            html! { @if key.revoked_at.is_none() { (revocation(key, path, typed)) } },
        ]
    });
    let empty = "No key yet. Your backend needs one to make customers and to apply codes.";
    table("Keys of the team, the newest first", columns, rows, empty)
}

/// Where a key works, and what it may do there.
fn reach(key: &ApiKey, projects: &[Project]) -> Markup {
    let project = key.project_id.as_ref().map(|id| {
        let found = projects.iter().find(|project| project.id == *id);
        found.map_or(id.to_string(), |project| project.name.clone())
    });
    let scopes = key.scopes.list().iter().map(Scope::as_str);
    let scopes = scopes.collect::<Vec<_>>().join(", ");
    html! {
        div { (project.as_deref().unwrap_or("every project"))
            @if key.scopes.is_full() { ", everything" } @else { ": " (scopes) } }
    }
}

fn state(key: &ApiKey, now: Micros) -> Markup {
    match (key.revoked_at, key.expires_at) {
        (Some(at), _) => html! { div { span.state.ended { "Revoked" } (day(at)) } },
        (None, Some(at)) if at <= now => {
            html! { div { span.state.ended { "Expired" } (day(at)) } }
        }
        (None, Some(at)) => day(at),
        (None, None) => html! { span.quiet { "never" } },
    }
}

/// The form, open where it came back.
fn revocation(key: &ApiKey, path: &str, typed: &Form) -> Markup {
    html! {
        details.confirm open[typed.text("id") == key.id] {
            summary { "Revoke" span.hidden { " " (key.name) } }
            form method="post" action={ (path) "/revoke" } {
                (once())
                input type="hidden" name="id" value=(key.id);
                p { "Whatever calls with this key is refused from its next call on. A revoked key cannot be brought back." }
                (button("Revoke the key"))
            }
        }
    }
}

fn new(path: &str, projects: &[Project], (typed, error): (&Form, Option<&ApiError>)) -> Markup {
    let all = [("", "every project of the team")].into_iter();
    let choices = all.chain(
        projects
            .iter()
            .map(|one| (one.id.as_str(), one.name.as_str())),
    );
    let is_chosen = |scope: Scope| {
        let mut fields = typed.fields();
        fields.any(|(name, value)| name == "scopes" && value == scope.as_str())
    };
    html! {
        section {
            h2 { "A new key" }
            (fault(error, &["name", "expiresAt"]))
            form.wide method="post" action=(path) {
                (once())
                (field(&Field { label: "Name", name: "name", hint: Some("Such as the program that will use it."),
                    ..Field::default() }, typed, error))
                (choice("Project", "projectId", choices, typed.text("projectId")))
                fieldset.scopes {
                    legend { "What it may do" }
                    p.quiet { "Everything, if nothing is ticked." }
                    @for (scope, allows) in SCOPES {
                        label.check {
                            input type="checkbox" name="scopes" value=(scope.as_str()) checked[is_chosen(scope)];
                            span { code { (scope.as_str()) } " " span.quiet { (allows) } }
                        }
                    }
                }
                (expiry(typed, error))
                (button("Make the key"))
            }
        }
    }
}

fn expiry(typed: &Form, error: Option<&ApiError>) -> Markup {
    let error = error.filter(|error| error.field.as_deref() == Some("expiresAt"));
    html! {
        div.field {
            label for="expiresAt" { "Ends on" }
            input id="expiresAt" name="expiresAt" type="date" value=(typed.text("expiresAt"))
                aria-describedby="expiresAt-hint" aria-invalid=[error.map(|_| "true")];
            @if error.is_some() { p.error { "This must be a day in the future." } }
            p.quiet id="expiresAt-hint" { "UTC; empty for a key that does not end." }
        }
    }
}
