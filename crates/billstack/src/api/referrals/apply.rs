//! `POST …/referrals/apply`: a new customer says who brought them.

use axum::extract::State;
use axum::response::Response;
use billstack_core::code;
use billstack_store::apply::{self, Apply};
use billstack_store::tx::Abort;
use utoipa::ToSchema;

use super::{ReferralAnswer, ReferralJson};
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::JsonObject;

/// Who applies which code.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ApplyRequest {
    /// The code; surrounding space and case do not matter.
    #[schema(min_length = 1, max_length = 64, example = "K7M2QX9D")]
    code: String,
    /// The new customer.
    #[schema(
        min_length = 1,
        max_length = 64,
        example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    referee_customer_id: String,
}

impl ApplyRequest {
    fn read(body: &JsonObject) -> Result<ApplyRequest, ApiError> {
        Ok(ApplyRequest {
            code: body.required_str("code", 64)?,
            referee_customer_id: body.required_str("refereeCustomerId", 64)?,
        })
    }
}

/// Apply a code.
///
/// Records that a new customer signed up with a referral code. Needs read access only, so that
/// sign-up flows can call it. If a subscription of the customer that began within the last 24 hours
/// is already known, the referral is converted at once.
#[utoipa::path(
    post, path = "", operation_id = "apply_code",
    request_body = ApplyRequest,
    responses((status = 201, description = "The code was applied.", body = ReferralAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input,
) -> Result<Response, ApiError> {
    let request = ApplyRequest::read(&input.body)?;
    let caller = access.caller.actor.to_text();
    if let Some(seconds) = app.misses.is_exhausted(&caller) {
        return Err(ApiError::new(Reason::TooManyMisses).retry_after(seconds.into()));
    }
    let code = code::normalize(&request.code);
    let referee = &request.referee_customer_id;
    let asked = app.subscriptions_in_stripe(&access, code.as_deref(), referee);
    let asked = asked.await?;
    let cmd = Apply {
        earliest_in_stripe: asked.earliest,
        counting_in_stripe: asked.counting,
        code,
        referee_customer_id: request.referee_customer_id,
        grace: app.grace(),
    };
    let place = access.place.clone();
    let done = app.write_answer(&access.caller, input.keyed, move |tx, act| {
        let referral = apply::apply(tx, act, &place, &cmd)?;
        Ok::<_, Abort>(answer::created(&ReferralAnswer {
            referral: ReferralJson::new(&referral),
        }))
    });
    done.await.inspect_err(|error| {
        if error.reason == Reason::CodeNotFound {
            app.misses.record_miss(&caller);
        }
    })
}

/// The refusals that an apply can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::CodeNotFound,
    Reason::CustomerNotFound,
    Reason::AlreadyReferred,
    Reason::ReferralsDisabled,
    Reason::CodeInactive,
    Reason::SelfReferral,
    Reason::NotANewCustomer,
    Reason::TooManyMisses,
    Reason::StripeUnavailable,
    Reason::StripeRefused,
];
