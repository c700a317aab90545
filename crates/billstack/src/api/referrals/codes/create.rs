//! `POST …/referrals/codes`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_store::codes;
use billstack_store::codes::Code;
use billstack_store::{Act, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{CodeAnswer, name};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
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
    /// A name for the code: 3 to 24 letters, digits, hyphens and underscores. It works wherever the code does.
    #[schema(value_type = String, required = false, nullable = false, min_length = 3, max_length = 24, example = "ADA-L")]
    vanity: Option<Text<3, 24>>,
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
    let vanity = input
        .body
        .vanity
        .map(|Text(given)| name(&given))
        .transpose()?;
    let (place, at) = (access.place.clone(), access.place.clone());
    let create = move |tx: &mut dyn Tx, act: &mut Act| match &vanity {
        Some(vanity) => codes::names::create(tx, act, &place, &customer_id, vanity),
        None => codes::create(tx, act, &place, &customer_id),
    };
    let answer = move |code: &Code| super::answer(StatusCode::CREATED, code, &at);
    app.write_answer(&access.caller, input.keyed, create, answer)
        .await
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::VanityNotAllowed,
    Reason::CustomerNotFound,
    Reason::ActiveCodeExists,
    Reason::VanityTaken,
];
