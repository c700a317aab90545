//! `POST …/stripe/disconnect`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::stripe_connection;

use super::SuccessAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::NoInput;

/// Disconnect a team from Stripe.
///
/// Keys and secrets are removed at once and events are refused from then on. Customers, referrals and
/// the events received so far stay.
#[utoipa::path(
    post, path = "", operation_id = "disconnect_stripe",
    responses((status = 200, description = "The team is disconnected.", body = SuccessAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    _: NoInput,
) -> Result<Response, ApiError> {
    let team_id = access.team_id.clone();
    let done = app.write(&access.caller, move |tx, act| {
        stripe_connection::disconnect(tx, act, &team_id)
    });
    done.await?;
    app.known_connections.remove(&access.team_id);
    Ok(answer::send(answer::ok(&SuccessAnswer { success: true })))
}
