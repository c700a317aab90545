//! `POST …/referrals/{id}/recheck`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::explanation::Explanation;
use billstack_core::referral::Referral;
use billstack_store::{Act, Refusal, Thing, Tx, explained, recheck};

use super::get::ExplainedReferralAnswer;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::NoInput;
use crate::http::path::Item;

/// Check a referral again.
///
/// Decides anew about the kept events of Stripe that may convert it, from what is known now: a customer who was linked, a
/// connection that was mended. A conversion stands, so checking again any number of times is safe.
#[utoipa::path(
    post, path = "", operation_id = "recheck_referral",
    responses((status = 200, description = "The referral as it is now.", body = ExplainedReferralAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: NoInput,
) -> Result<Response, ApiError> {
    let (place, now) = (access.place.clone(), app.now());
    let op = move |tx: &mut dyn Tx, act: &mut Act| {
        recheck::recheck(tx, act, &place, &id)?;
        let found = explained::get(tx, &place, &id, now)?;
        Ok(found.ok_or(Refusal::NotFound(Thing::Referral))?)
    };
    let answer = |(referral, explanation): &(Referral, Explanation)| {
        answer::ok(&ExplainedReferralAnswer::new(referral, explanation.clone()))
    };
    app.write_answer(&access.caller, input.keyed, op, answer)
        .await
}
