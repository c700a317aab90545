//! `POST …/test-clock/advance`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::{Act, Tx, test_clock};
use serde::Deserialize;
use utoipa::ToSchema;

use super::TestClockAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Time;

/// Where to move the clock.
#[derive(Deserialize, ToSchema)]
pub struct AdvanceTestClockRequest {
    /// What it shall show: not earlier than what it shows, and at most ten years later.
    #[schema(value_type = String, format = DateTime)]
    to: Time,
}

/// Move the clock.
///
/// Moves the clock of a project of mode `test` forward; it goes on ticking from there. Whatever waits in the project is
/// due so much earlier: holds end within a second or so. Stripe's own times stay what they are.
#[utoipa::path(
    post, path = "", operation_id = "advance_test_clock",
    request_body = AdvanceTestClockRequest,
    responses((status = 200, description = "What it shows now.", body = TestClockAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<AdvanceTestClockRequest>,
) -> Result<Response, ApiError> {
    let (Time(to), place) = (input.body.to, access.place);
    let op = move |tx: &mut dyn Tx, act: &mut Act| test_clock::advance(tx, act, &place, to);
    let answer = |now: &_| answer::ok(&TestClockAnswer::new(*now));
    app.write_answer(&access.caller, input.keyed, op, answer)
        .await
}
