//! `POST …/referrals/apply`: a new customer says who brought them.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use billstack_core::vanity;
use billstack_store::Abort;
use billstack_store::Refusal;
use billstack_store::apply::Applied;
use billstack_store::apply::{self, Apply, InStripe};
use billstack_store::idempotency::Answer;
use billstack_store::idempotency::Keyed;
use billstack_store::{Act, Thing, Tx};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::{ReferralAnswer, ReferralJson};
use crate::app::{App, Shared};
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectAccess;
use crate::http::answer::{self, Done};
use crate::http::input::Input;
use crate::http::json::Text;
use crate::rate_limit::Share;

/// How often Stripe may be asked for one apply; the last time nobody is asked.
const MOST_QUESTIONS: usize = 4;

/// How long Stripe may take to tell whether the customer is new. Somebody waits in front of a sign-up form.
const LONGEST: Duration = Duration::from_secs(2);

/// Who applies which code.
#[derive(Deserialize, ToSchema)]
#[schema(as = ApplyCodeRequest)]
#[serde(rename_all = "camelCase")]
pub struct ApplyRequest {
    /// The code or a name of it, as it was typed or pasted; case, and what is no letter or digit, do not matter.
    /// Where there is none, `clickToken` is needed.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64, example = "K7M2QX9D")]
    code: Option<Text<1, 64>>,
    /// What a share link left with the visitor: `ref_click` of the landing page. It counts where there is no code; with
    /// one it never refuses anything.
    #[schema(value_type = Option<String>, max_length = 4096)]
    click_token: Option<Text<0, 4096>>,
    /// The new customer.
    #[schema(
        value_type = String,
        min_length = 1,
        max_length = 64,
        example = "pc_01kgv5r3mq7x2h9d4t8w6c0b1e"
    )]
    referee_customer_id: Text<1, 64>,
}

/// Apply a code.
///
/// Records that a new customer signed up with a referral code. Needs read access only, so that
/// sign-up flows can call it. If a subscription of the customer that began within the last 24 hours
/// is already known, the referral is converted at once. With a secret key Stripe is asked whether the
/// customer is new, for 2 seconds; without an answer the referral stays `pending` until one has come.
#[utoipa::path(
    post, path = "", operation_id = "apply_code",
    request_body = ApplyRequest,
    responses((status = 201, description = "The code was applied.", body = ReferralAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    input: Input<ApplyRequest>,
) -> Result<Response, ApiError> {
    let request = input.body;
    let click_token = request.click_token.map(|Text(token)| token);
    let click_token = click_token.filter(|token| !token.is_empty());
    if request.code.is_none() && click_token.is_none() {
        return Err(ApiError::invalid("code", "`code` is required."));
    }
    let caller = access.caller.actor.to_text();
    let guess = Guess::begin(&app, &caller, &request.referee_customer_id.0).await?;
    let mut cmd = Apply {
        is_typed: request.code.is_some(),
        code: request.code.and_then(|Text(text)| vanity::read_any(&text)),
        click_token,
        referee_customer_id: request.referee_customer_id.0,
        in_stripe: InStripe::NotAsked,
    };
    let mut done = run(&app, &access, input.keyed.as_ref(), &cmd).await;
    match &done {
        Err(Abort::Refused(Refusal::NotFound(Thing::Code) | Refusal::InvalidClickToken)) => {
            guess.miss();
        }
        _ => guess.hit(),
    }
    let deadline = Instant::now() + LONGEST;
    // More than once only when the customer is linked or gets another address meanwhile.
    for left in (0..MOST_QUESTIONS).rev() {
        let Ok(Done::Fresh(Applied::AskStripe(asked), _)) = &done else {
            break;
        };
        cmd.in_stripe = match left {
            0 => InStripe::NoAnswer,
            _ => {
                let told = app.subscriptions_in_time(&access.place, asked, deadline);
                told.await?
            }
        };
        done = run(&app, &access, input.keyed.as_ref(), &cmd).await;
    }
    match done {
        Ok(Done::Fresh(applied, kept)) => {
            let answer = kept.or_else(|| answer(&applied));
            Ok(answer::send(answer.ok_or(Reason::Internal)?))
        }
        Ok(Done::Replayed(answer)) => Ok(answer::replay(answer)),
        Err(abort) => app.fail(&access.caller, input.keyed, abort).await,
    }
}

/// A look-up of a code, and what it takes of the budgets of misses.
struct Guess {
    of_referee: Share,
    of_caller: Share,
}

impl Guess {
    async fn begin(app: &App, caller: &str, referee: &str) -> Result<Guess, ApiError> {
        let exhausted = |wait: u32| ApiError::new(Reason::TooManyMisses).retry_after(wait.into());
        let pair = format!("{caller} {referee}");
        let of_referee = app.misses_of_referee.take(&pair).await.map_err(exhausted)?;
        match app.misses.take(caller).await {
            Ok(of_caller) => Ok(Guess {
                of_referee,
                of_caller,
            }),
            Err(wait) => {
                // Nothing was looked up for this referee.
                of_referee.hit();
                Err(exhausted(wait))
            }
        }
    }

    fn hit(self) {
        self.of_referee.hit();
        self.of_caller.hit();
    }

    fn miss(self) {
        self.of_referee.miss();
        self.of_caller.miss();
    }
}

async fn run(
    app: &App,
    access: &ProjectAccess,
    keyed: Option<&Keyed>,
    cmd: &Apply,
) -> Result<Done<Applied>, Abort> {
    let (place, cmd) = (access.place.clone(), cmd.clone());
    let apply = move |tx: &mut dyn Tx, act: &mut Act| apply::apply(tx, act, &place, &cmd);
    app.change(&access.caller, keyed, apply, answer).await
}

/// `None` while Stripe is still to be asked.
fn answer(applied: &Applied) -> Option<Answer> {
    let Applied::Done(referral) = applied else {
        return None;
    };
    let referral = ReferralJson::new(referral);
    Some(answer::created(&ReferralAnswer { referral }))
}

/// The refusals that an apply can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::CodeNotFound,
    Reason::CustomerNotFound,
    Reason::AlreadyReferred,
    Reason::ReferralsDisabled,
    Reason::InvalidClickToken,
    Reason::ClickExpired,
    Reason::CodeInactive,
    Reason::SelfReferral,
    Reason::ReciprocalReferral,
    Reason::NotANewCustomer,
    Reason::TooManyMisses,
];
