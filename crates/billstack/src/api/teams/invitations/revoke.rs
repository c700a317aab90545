//! `DELETE …/teams/{teamId}/invitations/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::invitations;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// The invitation that is no more.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedInvitation)]
pub struct RevokedInvitationJson {
    /// Its id.
    #[schema(example = "inv_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Always true.
    deleted: bool,
}

/// What was revoked.
#[derive(Serialize, ToSchema)]
pub struct RevokeInvitationAnswer {
    /// The invitation.
    invitation: RevokedInvitationJson,
}

/// Revoke an invitation.
///
/// Its token is of no use from then on.
#[utoipa::path(
    delete, path = "", operation_id = "revoke_invitation",
    responses((status = 200, description = "It cannot be accepted any more.", body = RevokeInvitationAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    Item(id): Item,
    _: NoInput,
) -> Result<Response, ApiError> {
    let team_id = access.team_id;
    let invitation = RevokedInvitationJson {
        id: id.clone(),
        deleted: true,
    };
    let revoked = app.write(&access.caller, move |tx, act| {
        invitations::revoke(tx, act, &team_id, &id)
    });
    revoked.await?;
    Ok(answer::send(answer::ok(&RevokeInvitationAnswer {
        invitation,
    })))
}
