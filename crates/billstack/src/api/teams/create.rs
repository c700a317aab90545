//! `POST /api/billstack/teams`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Role;
use billstack_store::teams;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Name, TeamAnswer, TeamJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::SignedIn;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Text;

/// What a new team is made of.
#[derive(Deserialize, ToSchema)]
pub struct CreateTeamRequest {
    /// Display name.
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Acme")]
    name: Name,
}

/// Create a team.
///
/// The signed-in user becomes its owner.
#[utoipa::path(
    post, path = "", operation_id = "create_team",
    request_body = CreateTeamRequest,
    responses((status = 201, description = "The new team.", body = TeamAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    input: Input<CreateTeamRequest>,
) -> Result<Response, ApiError> {
    let Text(name) = input.body.name;
    let user_id = signed.user.id;
    let made = app.write(&signed.caller, move |tx, act| {
        teams::create(tx, act, &name, &user_id)
    });
    let team = TeamJson::new(&made.await?, Role::Owner);
    Ok(answer::send(answer::created(&TeamAnswer { team })))
}
