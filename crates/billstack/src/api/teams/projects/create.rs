//! `POST …/teams/{teamId}/projects`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::projects;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ProjectJson;
use crate::api::teams::Name;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Text;

/// What a new project is made of.
#[derive(Deserialize, ToSchema)]
pub struct CreateProjectRequest {
    /// Display name.
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Rocket")]
    name: Name,
}

/// A project as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct ProjectAnswer {
    /// The project.
    project: ProjectJson,
}

/// Create a project.
///
/// Customers, codes and credits of different projects do not meet.
#[utoipa::path(
    post, path = "", operation_id = "create_project",
    request_body = CreateProjectRequest,
    responses((status = 201, description = "The new project.", body = ProjectAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input<CreateProjectRequest>,
) -> Result<Response, ApiError> {
    let Text(name) = input.body.name;
    let team_id = access.team_id;
    let of_team = team_id.clone();
    let made = app.write(&access.caller, move |tx, act| {
        projects::create(tx, act, &of_team, &name)
    });
    let project = ProjectJson::new(&made.await?, &team_id);
    Ok(answer::send(answer::created(&ProjectAnswer { project })))
}
