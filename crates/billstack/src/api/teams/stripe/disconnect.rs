//! `POST …/stripe/disconnect`.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use billstack_core::ids::TeamId;
use billstack_store::stripe_connection::{self, Connection};

use super::SuccessAnswer;
use crate::app::{App, Shared};
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::NoInput;

/// How long deleting the endpoint may take.
const LONGEST: Duration = Duration::from_secs(10);

/// Disconnect a team from Stripe.
///
/// Keys and secrets are removed at once and events are refused from then on. Customers, referrals and
/// the events received so far stay. A webhook endpoint that was made by connecting with a secret key alone is deleted
/// in Stripe, if Stripe can be reached; no other one is.
#[utoipa::path(
    post, path = "", operation_id = "disconnect_stripe",
    responses((status = 200, description = "The team is disconnected.", body = SuccessAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    _: NoInput,
) -> Result<Response, ApiError> {
    disconnect(&app, &access).await?;
    Ok(answer::send(answer::ok(&SuccessAnswer { success: true })))
}

/// Disconnects the team.
pub(crate) async fn disconnect(app: &App, access: &TeamAccess) -> Result<(), ApiError> {
    let team_id = access.team_id.clone();
    let done = app.write(&access.caller, move |tx, act| {
        stripe_connection::disconnect(tx, act, &team_id)
    });
    let before = done.await?;
    app.known_connections.remove(&access.team_id);
    take_down(app, &access.team_id, &before).await;
    Ok(())
}

/// Deletes the endpoint that we made. The key is gone from the database by now, so this is the one chance; connecting
/// again deletes what is left.
async fn take_down(app: &App, team_id: &TeamId, before: &Connection) {
    let (Some(id), Ok(Some(key))) = (&before.endpoint_id, app.key_of(team_id, before)) else {
        return;
    };
    let deleting = app.stripe.delete_webhook_endpoint(&key, id);
    match tokio::time::timeout(LONGEST, deleting).await {
        Ok(Ok(())) => {}
        outcome => tracing::warn!(
            ?outcome,
            team_id = team_id.as_str(),
            "the webhook endpoint that was made in Stripe is left there"
        ),
    }
}
