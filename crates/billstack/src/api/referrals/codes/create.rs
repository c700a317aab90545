//! `POST …/referrals/codes`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::codes;
use billstack_store::codes::Code;
use billstack_store::{Act, Tx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CodeJson;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Text;

/// Whose code to make.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateCodeRequest {
    /// The customer who will be the referrer.
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 64,
        example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    customer_id: Text<1, 64>,
}

/// A code as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct CodeAnswer<'c> {
    /// The code.
    code: CodeJson<'c>,
}

/// Create a code.
///
/// Makes a unique code for a customer who has no active one. Works while the program is disabled
/// too, so that a launch can be prepared.
#[utoipa::path(
    post, path = "", operation_id = "create_code",
    request_body = CreateCodeRequest,
    responses((status = 201, description = "The new code.", body = CodeAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<CreateCodeRequest>,
) -> Result<Response, ApiError> {
    let Text(customer_id) = input.body.customer_id;
    let (place, at) = (access.place.clone(), access.place.clone());
    let create = move |tx: &mut dyn Tx, act: &mut Act| codes::create(tx, act, &place, &customer_id);
    let answer = move |code: &Code| {
        let code = CodeJson::new(&code.listed(), &at.project_id);
        answer::created(&CodeAnswer { code })
    };
    app.write_answer(&access.caller, input.keyed, create, answer)
        .await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::CustomerNotFound, Reason::ActiveCodeExists];
