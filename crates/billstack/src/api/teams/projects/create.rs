//! `POST …/teams/{teamId}/projects`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::project::ProjectMode;
use billstack_store::projects;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{ProjectJson, ProjectModeJson};
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
    /// What it is for, for ever; `live` when left out.
    #[schema(value_type = Option<ProjectModeJson>)]
    mode: Option<SentMode>,
}

/// What a new project shall be for.
struct SentMode(ProjectMode);

impl<'de> Deserialize<'de> for SentMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::<1, 64>::deserialize(deserializer)?;
        let mode = ProjectMode::parse(&text).map(SentMode);
        mode.ok_or_else(|| D::Error::custom("must be live or test."))
    }
}

/// A project as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct ProjectAnswer {
    /// The project.
    project: ProjectJson,
}

/// Create a project.
///
/// Customers, codes and credits of different projects do not meet. A project of mode `test` is for trying out: its clock
/// can be moved forward.
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
    let (Text(name), mode) = (input.body.name, input.body.mode);
    let mode = mode.map_or(ProjectMode::Live, |SentMode(mode)| mode);
    let team_id = access.team_id;
    let of_team = team_id.clone();
    let made = app.write(&access.caller, move |tx, act| {
        projects::create_in_mode(tx, act, &of_team, &name, mode)
    });
    let project = ProjectJson::new(&made.await?, &team_id);
    Ok(answer::send(answer::created(&ProjectAnswer { project })))
}
