//! `GET …/test-clock`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::{Refusal, test_clock};

use super::TestClockAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;

/// Look at the clock.
///
/// What the clock of a project of mode `test` shows.
#[utoipa::path(
    get, path = "", operation_id = "get_test_clock",
    responses((status = 200, description = "What it shows.", body = TestClockAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: ProjectRead) -> Result<Response, ApiError> {
    let now = app.now();
    let ahead = access.point(&app, |tx, place| {
        let ahead = test_clock::clock(tx, place)?;
        Ok(ahead.ok_or(Refusal::NotATestProject)?)
    });
    let now = now.plus(ahead.await?);
    Ok(answer::send(answer::ok(&TestClockAnswer::new(now))))
}
