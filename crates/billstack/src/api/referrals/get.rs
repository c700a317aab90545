//! `GET …/referrals/{id}`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::Refusal;
use billstack_store::Thing;
use billstack_store::referrals;

use super::{ReferralAnswer, ReferralJson};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// Get a referral.
///
/// What was promised, and how far it has come. Why it has come that far is told by its events.
#[utoipa::path(
    get, path = "", operation_id = "get_referral",
    responses((status = 200, description = "The referral.", body = ReferralAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(id): Item,
) -> Result<Response, ApiError> {
    let referral = access.point(&app, move |tx, place| {
        Ok(referrals::get(tx, place, &id)?.ok_or(Refusal::NotFound(Thing::Referral))?)
    });
    let referral = ReferralJson::new(&referral.await?);
    Ok(answer::send(answer::ok(&ReferralAnswer { referral })))
}
