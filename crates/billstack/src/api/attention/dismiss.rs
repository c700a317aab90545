//! `POST …/attention/{id}/dismiss`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::attention::LineId;
use billstack_core::time::Micros;
use billstack_store::{Act, Refusal, Thing, Tx, attention};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// A line that is not shown for a week.
#[derive(Serialize, ToSchema)]
#[schema(as = Dismissal)]
struct DismissalJson {
    /// Its id.
    #[schema(example = "budget_low.usd")]
    id: String,
    /// Until when.
    #[schema(format = DateTime)]
    until: String,
}

/// A line that is not shown for a week.
#[derive(Serialize, ToSchema)]
pub struct DismissalAnswer {
    /// Which.
    dismissal: DismissalJson,
}

/// Dismiss a line of what needs attention.
///
/// It is not shown for seven days, to nobody of the project; the audit log says who dismissed it. What it tells of goes
/// on as before. A line that comes to tell something else, such as a newer event that failed, is another line.
#[utoipa::path(
    post, path = "", operation_id = "dismiss_attention",
    responses((status = 200, description = "It is dismissed.", body = DismissalAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let line = LineId::parse(&id);
    let place = access.place.clone();
    let dismiss = move |tx: &mut dyn Tx, act: &mut Act| {
        let line = line.as_ref().ok_or(Refusal::NotFound(Thing::Line))?;
        attention::dismiss(tx, act, &place, line)
    };
    let answer = move |until: &Micros| {
        answer::ok(&DismissalAnswer {
            dismissal: DismissalJson {
                id: id.clone(),
                until: rfc3339(until.0),
            },
        })
    };
    app.write_answer(&access.caller, input.keyed, dismiss, answer)
        .await
}
