//! `…/projects/{projectId}/test-clock`: the time in a project of mode `test`.

pub mod advance;
pub mod get;

use billstack_core::time::Micros;
use billstack_store::test_clock;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;

/// What a clock shows.
#[derive(Serialize, ToSchema)]
pub struct TestClockAnswer {
    /// The time in the project.
    #[schema(format = DateTime)]
    now: String,
}

impl TestClockAnswer {
    fn new(now: Micros) -> TestClockAnswer {
        TestClockAnswer {
            now: rfc3339(now.0),
        }
    }
}

/// What the clock of a project shows; the time of day where it has none.
pub(crate) async fn now(app: &App, access: &ProjectRead) -> Result<Micros, ApiError> {
    let now = app.now();
    let shown = access.point(app, move |tx, place| Ok(test_clock::shown(tx, place, now)?));
    shown.await
}
