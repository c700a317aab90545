//! `POST /api/portal/code`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::portal::Session;
use billstack_store::portal::{self, Overview, Visit};
use billstack_store::{Act, Place, Tx};
use serde::Deserialize;
use utoipa::ToSchema;

use super::me::OverviewJson;
use crate::api::referrals::codes;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::Text;
use crate::portal::PortalCaller;

/// What the customer's code shall be called.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TakePortalCodeRequest)]
pub struct TakeCodeRequest {
    /// A name, where the project allows one: 3 to 24 letters, digits, hyphens and underscores.
    #[schema(value_type = String, required = false, nullable = false, min_length = 3, max_length = 24, example = "ADA-L")]
    vanity: Option<Text<3, 24>>,
}

/// Make a customer's code.
///
/// Makes a code for a customer who has none, and with `vanity` gives the code that name. Again, it changes nothing. Not
/// with a session that may only read.
#[utoipa::path(
    post, path = "", operation_id = "take_portal_code",
    security(("portalToken" = [])),
    request_body = TakeCodeRequest,
    responses((status = 200, description = "What there is to see now.", body = OverviewJson)),
)]
pub async fn handle(
    State(app): State<Shared>,
    caller: PortalCaller,
    input: Input<TakeCodeRequest>,
) -> Result<Response, ApiError> {
    let vanity = input.body.vanity.map(|Text(given)| codes::name(&given));
    let vanity = vanity.transpose()?;
    let take = move |tx: &mut dyn Tx, act: &mut Act, session: &Session| {
        portal::take_code(tx, act, session, vanity.as_ref())?;
        let place = Place::new(session.team_id.clone(), session.project_id.clone());
        Ok(portal::overview(tx, &place, &session.customer_id)?)
    };
    let show = |visit: &Visit, seen: Overview| {
        let shown = OverviewJson::new(&app, &caller.session, visit, &seen);
        answer::send(answer::ok(&shown))
    };
    Ok(caller.change(&app, take, show).await)
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[
    Reason::InvalidPortalToken,
    Reason::TooManyRequests,
    Reason::Forbidden,
    Reason::CrossSiteRequest,
    Reason::ReferralsDisabled,
    Reason::CodeInactive,
    Reason::VanityNotAllowed,
    Reason::VanityTaken,
    Reason::TooManyRenames,
];
