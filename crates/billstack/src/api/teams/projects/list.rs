//! `GET …/teams/{teamId}/projects`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::readers;
use serde::Serialize;
use utoipa::ToSchema;

use super::ProjectJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::Reading;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page};

/// A page of projects.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectsAnswer {
    /// The newest first.
    projects: Vec<ProjectJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List projects.
///
/// The team's projects, the newest first; for an API key those that it is good for.
#[utoipa::path(
    get, path = "", operation_id = "list_projects",
    params(PageParams),
    responses((status = 200, description = "A page of projects.", body = ProjectsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: Reading,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let team_id = access.team_id.clone();
    let part = app
        .store
        .scan(move |tx| readers::projects(tx, &access.reader, &access.team_id, &page));
    let part = part.await?;
    let projects = part.rows.iter().map(|row| ProjectJson::new(row, &team_id));
    Ok(answer::send(answer::ok(&ProjectsAnswer {
        projects: projects.collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
