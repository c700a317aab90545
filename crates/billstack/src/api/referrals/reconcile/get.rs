//! `GET …/referrals/reconcile/{runId}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Weight;
use billstack_store::reconcile;

use super::{MOST_LINES, ReconcileRunAnswer};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// Get a run of reconcile.
///
/// How far it has come, and what it has found so far. A run is kept for ninety days.
#[utoipa::path(
    get, path = "", operation_id = "get_reconcile_run",
    responses((status = 200, description = "The run.", body = ReconcileRunAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let read = access.scan(&app, Weight::Short, move |tx, place| {
        let run = reconcile::get_in(tx, place, &id)?;
        let lines = reconcile::lines(tx, &place.team_id, &run.id, MOST_LINES)?;
        Ok((run, lines))
    });
    let (run, lines) = read.await?;
    Ok(answer::send(answer::ok(&ReconcileRunAnswer::new(
        &run, lines,
    ))))
}
