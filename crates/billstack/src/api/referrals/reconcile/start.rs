//! `POST …/referrals/reconcile`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_core::reconcile::Remedy;
use billstack_store::reconcile::{self, Run, Wish};
use billstack_store::{Act, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::ReconcileRunAnswer;
use crate::api::referrals::credits::Why;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{Flag, Time};

/// What the run may do, and how far it goes.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconcileRequest {
    /// Whether it repairs what it finds; it only tells of it when left out.
    #[schema(value_type = Option<bool>, example = false)]
    apply: Option<Flag>,
    /// From when on it looks for events; since they were looked through last when left out. Stripe lists those of
    /// thirty days.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Time>,
    /// Whether it looks at the balance of every customer of Stripe who was given a credit, and not only at those where
    /// something has changed and at a sample of the others.
    #[schema(value_type = Option<bool>, example = false)]
    all: Option<Flag>,
    /// Why.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 500, example = "The endpoint was down")]
    reason: Option<Why>,
}

/// Reconcile with Stripe.
///
/// Has our books compared with Stripe's: asks which events there were and finds those that never came in, and compares
/// the lines of balances with the credits that were put into them. It goes on in the background; of a team one run is
/// under way at a time, and whoever asks for the same as a run that waits gets that run. Each team is compared once a
/// day without being asked.
#[utoipa::path(
    post, path = "", operation_id = "start_reconcile",
    request_body = ReconcileRequest,
    responses((status = 202, description = "The run, which has not begun.", body = ReconcileRunAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<ReconcileRequest>,
) -> Result<Response, ApiError> {
    let request = input.body;
    let since = request.since.map(|Time(since)| since);
    if since.is_some_and(|since| since > app.now()) {
        return Err(ApiError::invalid(
            "since",
            "`since` must not be in the future.",
        ));
    }
    let why = request.reason.map(|reason| reason.0);
    tracing::info!(why, "a project is reconciled with Stripe");
    let is_set = |flag: Option<Flag>| flag.is_some_and(|Flag(flag)| flag);
    let wish = Wish {
        project_id: Some(access.place.project_id.clone()),
        remedy: match is_set(request.apply) {
            true => Remedy::Repair,
            false => Remedy::Tell,
        },
        is_whole: is_set(request.all),
        since,
    };
    let place = access.place;
    let ask = move |tx: &mut dyn Tx, act: &mut Act| reconcile::ask(tx, act, &place.team_id, &wish);
    let answer = |run: &Run| {
        let body = ReconcileRunAnswer::new(run, Vec::new());
        answer::answer(StatusCode::ACCEPTED, &body)
    };
    app.write_answer(&access.caller, input.keyed, ask, answer)
        .await
}
