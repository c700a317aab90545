//! `POST …/attention/{id}/dismiss`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::attention::LineId;
use billstack_core::time::Micros;
use billstack_store::{Abort, Act, Refusal, Thing, Tx, attention};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::{Administers, ProjectAccess};
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

/// The line with this id, if the caller may be told of it.
pub async fn dismissible(app: &App, access: &ProjectAccess, id: &str) -> Result<LineId, ApiError> {
    let unknown = || Abort::from(Refusal::NotFound(Thing::Line));
    let line = LineId::parse(id).ok_or_else(unknown)?;
    let is_theirs =
        !line.kind.is_of_server() || access.caller.administers(app).await? == Administers::Yes;
    match is_theirs {
        true => Ok(line),
        false => Err(unknown().into()),
    }
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
    let line = dismissible(&app, &access, &id).await?;
    let place = access.place.clone();
    let dismiss = move |tx: &mut dyn Tx, act: &mut Act| attention::dismiss(tx, act, &place, &line);
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
