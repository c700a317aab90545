//! `POST …/customers/{id}/portal-sessions`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Scope::ReferralsWrite;
use billstack_core::portal::Locale;
use billstack_store::portal::{self, NewSession};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock::Moment;
use crate::error::{ApiError, Reason};
use crate::http::access::{ProjectAccess, Right};
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{Flag, Int, Word};
use crate::http::path::Item;
use crate::portal::{address, new_ticket};
use crate::secrets::token_hash;

/// For how many seconds a session lasts when nobody says.
const USUAL: i64 = 900;

/// What the session shall be.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatePortalSessionRequest {
    /// For how many seconds it lasts.
    #[schema(value_type = Option<i64>, minimum = 60, maximum = 3600, default = 900)]
    expires_in_seconds: Option<Int<60, 3600>>,
    /// Whether it may change nothing; then `referrals:read` suffices.
    #[schema(value_type = Option<bool>, default = false)]
    read_only: Option<Flag>,
    /// The language of the page: `en`, `de`, `fr`, `es` or `pt`. Left out, the browser says.
    #[schema(value_type = Option<String>, min_length = 2, max_length = 2, pattern = "^(en|de|fr|es|pt)$", example = "de")]
    locale: Option<Word<Locale>>,
}

/// A session of a customer.
#[derive(Serialize, ToSchema)]
#[schema(as = PortalSession)]
#[serde(rename_all = "camelCase")]
pub struct PortalSessionJson {
    /// Shown to `…/api/portal/…` as a bearer token. It is kept nowhere.
    #[schema(example = "bp_AR90ZWFt")]
    token: String,
    /// Where the customer's browser is sent, on a click: it lets in once, within a minute. Not for mail.
    #[schema(
        example = "https://referrals.example.com/portal/enter/team_01kgv5r3mq7x2h9d4t8w6c0b1e.5f2ac0"
    )]
    url: String,
    /// When the session ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Moment,
}

/// The session as the one resource of an answer.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PortalSessionAnswer {
    /// The session.
    portal_session: PortalSessionJson,
}

/// Create a portal session.
///
/// Lets a customer see their own page for a while: by `url`, or by `token` on a page of your own. Ask for it in your
/// backend when the customer, whom you have signed in, clicks. Keys with `referrals:write`, and members except viewers;
/// for a session with `readOnly`, `referrals:read` suffices. The answer is never kept under an `Idempotency-Key`.
#[utoipa::path(
    post, path = "", operation_id = "create_portal_session",
    request_body = CreatePortalSessionRequest,
    responses((status = 201, description = "The new session.", body = PortalSessionAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(customer_id): Item,
    input: Input<CreatePortalSessionRequest>,
) -> Result<Response, ApiError> {
    let asked = input.body;
    let read_only = asked.read_only.is_some_and(|Flag(flag)| flag);
    let caller = match read_only {
        true => access.caller.clone(),
        false => {
            access
                .caller
                .also(&app, Right::Project(ReferralsWrite))
                .await?
        }
    };
    let ticket = new_ticket(&access.place.team_id);
    let new = NewSession {
        customer_id,
        lasts: asked
            .expires_in_seconds
            .map_or(USUAL, |Int(seconds)| seconds),
        read_only,
        locale: asked.locale.map(|Word(locale)| locale),
        ticket_hash: token_hash(&ticket),
    };
    let place = access.place.clone();
    let opened = app.write(&caller, move |tx, act| portal::open(tx, act, &place, &new));
    let session = opened.await?;
    let token = session.token(&app.portal_key);
    Ok(answer::send(answer::created(&PortalSessionAnswer {
        portal_session: PortalSessionJson {
            token: token.ok_or(ApiError::new(Reason::Internal))?,
            url: address(&app, &ticket),
            expires_at: Moment(session.expires_at),
        },
    })))
}
