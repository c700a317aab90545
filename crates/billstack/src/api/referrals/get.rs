//! `GET …/referrals/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::explanation::Explanation;
use billstack_core::referral::Referral;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::explained;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ExplanationJson, ReferralJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// A referral, and why it is where it is.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedReferral)]
pub struct ExplainedJson {
    #[serde(flatten)]
    referral: ReferralJson,
    /// Why it is where it is, and what must still happen.
    explanation: ExplanationJson,
}

/// A referral with its explanation, as the one resource of an answer.
#[derive(Serialize, ToSchema)]
pub struct ExplainedReferralAnswer {
    /// The referral.
    referral: ExplainedJson,
}

impl ExplainedReferralAnswer {
    /// The answer that shows a referral.
    pub fn new(referral: &Referral, explanation: Explanation) -> ExplainedReferralAnswer {
        ExplainedReferralAnswer {
            referral: ExplainedJson {
                referral: ReferralJson::new(referral),
                explanation: explanation.into(),
            },
        }
    }
}

/// Get a referral.
///
/// What was promised, how far it has come, why, and what must still happen. Every step is told by its events.
#[utoipa::path(
    get, path = "", operation_id = "get_referral",
    responses((status = 200, description = "The referral.", body = ExplainedReferralAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let now = app.now();
    let found = access.point(&app, move |tx, place| {
        let found = explained::get(tx, place, &id, now)?;
        Ok(found.ok_or(Refusal::NotFound(Thing::Referral))?)
    });
    let (referral, explanation) = found.await?;
    let answer = ExplainedReferralAnswer::new(&referral, explanation);
    Ok(answer::send(answer::ok(&answer)))
}
