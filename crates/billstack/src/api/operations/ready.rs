//! `GET /readyz`.

use axum::Json;
use axum::extract::State;
use billstack_store::Actor;
use billstack_store::users;

use super::health::HealthAnswer;
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};

/// Tell whether the database answers.
///
/// After a write that failed, as on a full disk, it answers 503 until a write works again; and as long as
/// this node cannot open most of the Stripe secrets in the database.
#[utoipa::path(
    get, path = "", operation_id = "ready",
    responses((status = 200, description = "It does.", body = HealthAnswer)),
)]
pub async fn handle(State(app): State<Shared>) -> Result<Json<HealthAnswer>, ApiError> {
    probe(&app).await?;
    Ok(Json(HealthAnswer { status: "ok" }))
}

/// Asks the database whether it answers, and takes writes.
pub(crate) async fn probe(app: &App) -> Result<(), ApiError> {
    app.store.point(|tx| Ok(users::any(tx)?)).await?;
    if app.store.is_failing() {
        // A balancer may send nobody here any more, so no other call would find out that writes work again.
        let origin = app.origin(Actor::System, "readyz");
        app.store.prove_writes(origin).await?;
    }
    if !app.opens_secrets().await? {
        return Err(ApiError::new(Reason::WrongSecretKey));
    }
    Ok(())
}
