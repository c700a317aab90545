//! `…/projects/{projectId}/test-clock`: the time in a project of mode `test`.

pub mod advance;
pub mod get;

use billstack_core::time::Micros;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

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
