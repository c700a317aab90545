//! `DELETE …/referrals/codes/{code}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Refusal;
use billstack_store::codes;
use billstack_store::codes::Code;
use billstack_store::{Act, Thing, Tx};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// Whether a code can be applied.
#[derive(Serialize, ToSchema)]
#[schema(as = DeactivatedReferralCode)]
#[serde(rename_all = "camelCase")]
pub struct CodeStateJson {
    /// The code.
    #[schema(example = "K7M2QX9D")]
    code: String,
    /// Always false: it has been switched off.
    #[schema(example = false)]
    is_active: bool,
}

/// What became of the code.
#[derive(Serialize, ToSchema)]
pub struct DeactivateCodeAnswer {
    /// The code.
    code: CodeStateJson,
}

/// Deactivate a code.
///
/// The code can no longer be applied; pending referrals are still honoured. Doing it again answers
/// the same.
#[utoipa::path(
    delete, path = "", operation_id = "deactivate_code",
    responses((status = 200, description = "The code is off.", body = DeactivateCodeAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(text): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let place = access.place.clone();
    let deactivate = move |tx: &mut dyn Tx, act: &mut Act| {
        let code = codes::names::resolve(tx, &place, &text)?;
        let code = code.ok_or(Refusal::NotFound(Thing::Code))?;
        codes::deactivate(tx, act, &place, &code)
    };
    let answer = |code: &Code| {
        let code = CodeStateJson {
            code: code.code.clone(),
            is_active: code.is_active,
        };
        answer::ok(&DeactivateCodeAnswer { code })
    };
    app.write_answer(&access.caller, input.keyed, deactivate, answer)
        .await
}
