//! `PATCH …/referrals/codes/{code}`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::codes::{self, Code};
use billstack_store::{Act, Refusal, Thing, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CodeAnswer, name};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::input::Input;
use crate::http::json::Text;
use crate::http::path::Item;

/// What the code shall be called.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RenameCodeRequest {
    /// The name: 3 to 24 letters, digits, hyphens and underscores.
    #[schema(value_type = String, min_length = 3, max_length = 24, example = "ADA-L")]
    vanity: Text<3, 24>,
}

/// Rename a code.
///
/// The code itself stays, and so do its earlier names: whatever was printed or sent goes on working. A name never
/// becomes another customer's. Five times a day and code.
#[utoipa::path(
    patch, path = "", operation_id = "rename_code",
    request_body = RenameCodeRequest,
    responses((status = 200, description = "The code with its names.", body = CodeAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(text): Item,
    input: Input<RenameCodeRequest>,
) -> Result<Response, ApiError> {
    let vanity = name(&input.body.vanity.0)?;
    let (place, at) = (access.place.clone(), access.place.clone());
    let rename = move |tx: &mut dyn Tx, act: &mut Act| {
        let code = codes::names::resolve(tx, &place, &text)?;
        let code = code.ok_or(Refusal::NotFound(Thing::Code))?;
        codes::names::rename(tx, act, &place, &code, &vanity)
    };
    let answer = move |code: &Code| super::answer(StatusCode::OK, code, &at);
    app.write_answer(&access.caller, input.keyed, rename, answer)
        .await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::VanityNotAllowed,
    Reason::CodeNotFound,
    Reason::CodeInactive,
    Reason::VanityTaken,
    Reason::TooManyRenames,
];
