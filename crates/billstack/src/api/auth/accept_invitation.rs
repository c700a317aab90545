//! `POST /api/auth/accept-invitation`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Role;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::teams::Team;
use billstack_store::{invitations, members};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::teams::{TeamAnswer, TeamJson};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::SignedIn;
use crate::http::answer;
use crate::http::input::Input;
use crate::one_time_token::OneTimeToken;

/// The invitation.
#[derive(Deserialize, ToSchema)]
pub struct AcceptInvitationRequest {
    /// The token of an invitation for the address of the signed-in user.
    #[schema(value_type = String, max_length = 133, pattern = "^(setup|inv\\.[A-Za-z0-9_-]{1,64})\\.[0-9a-f]{64}$", example = "inv.team_01kgv5r3mq7x2h9d4t8w6c0b1e.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    token: OneTimeToken,
}

/// Accept an invitation.
///
/// For people who have signed up before; others sign up with the invitation.
#[utoipa::path(
    post, path = "", operation_id = "accept_invitation",
    request_body = AcceptInvitationRequest,
    responses((status = 200, description = "The team that was joined.", body = TeamAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    signed: SignedIn,
    input: Input<AcceptInvitationRequest>,
) -> Result<Response, ApiError> {
    let (team, role) = accept(&app, signed, input.body).await?;
    let team = TeamJson::new(&team, role);
    Ok(answer::send(answer::ok(&TeamAnswer { team })))
}

/// Joins the team of an invitation: the team, and the role in it.
pub(crate) async fn accept(
    app: &App,
    signed: SignedIn,
    request: AcceptInvitationRequest,
) -> Result<(Team, Role), ApiError> {
    let OneTimeToken::Invitation { team_id, hash } = request.token else {
        return Err(Refusal::InvalidToken.into());
    };
    let user = signed.user;
    let accepted = app.write(&signed.caller, move |tx, act| {
        let team = invitations::accept_as_user(tx, act, &team_id, &hash, &user)?;
        let role = members::role_of(tx, &team_id, &user.id)?;
        Ok((team, role.ok_or(Refusal::NotFound(Thing::Member))?))
    });
    accepted.await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::InvalidToken, Reason::AlreadyMember];
