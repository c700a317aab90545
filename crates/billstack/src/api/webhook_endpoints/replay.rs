//! `POST …/webhook-endpoints/{endpointId}/replay`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_core::webhook::endpoint::DeliveryState;
use billstack_store::webhooks::replay::{self, Range};
use billstack_store::{Act, Share, Tx, Weight, test_clock};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SentTypes;
use super::deliveries::DeliveryStateJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{Flag, Time, Word};
use crate::http::path::Item;

/// Which events are sent again.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReplayWebhooksRequest)]
pub struct ReplayRequest {
    /// From when on.
    #[schema(value_type = String, format = DateTime, example = "2026-11-01T00:00:00Z")]
    since: Time,
    /// Before when; until now when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Time>,
    /// Only deliveries that have come so far. When left out, everything in the log, whether or not it was sent before:
    /// what happened while the endpoint was disabled was not.
    #[schema(value_type = Option<DeliveryStateJson>)]
    status: Option<Word<DeliveryState>>,
    /// Only these types; those that the endpoint wants when left out.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100, example = json!(["referral.converted"]))]
    types: Option<SentTypes>,
    /// Whether to count only.
    #[schema(value_type = Option<bool>, default = false)]
    dry_run: Option<Flag>,
}

impl ReplayRequest {
    /// The range that it asks for.
    ///
    /// # Errors
    /// For one that cannot be.
    pub(crate) fn into_range(self, now: Micros) -> Result<Range, ApiError> {
        let state = self.status.map(|Word(state)| state);
        if state == Some(DeliveryState::Waiting) {
            let why = "`status` can be `delivered` or `failed`: what waits is sent anyway.";
            return Err(ApiError::invalid("status", why));
        }
        let Time(since) = self.since;
        let until = self.until.map_or(now, |Time(until)| until);
        if since > until {
            let why = "`since` must not be after `until`.";
            return Err(ApiError::invalid("since", why));
        }
        Ok(Range {
            since,
            until,
            state,
            types: self.types.map(|SentTypes(types)| types),
        })
    }
}

/// How many events a range has.
#[derive(Serialize, ToSchema)]
#[schema(as = ReplayWebhooksAnswer)]
pub struct ReplayAnswer {
    /// So many.
    #[schema(minimum = 0, example = 42)]
    count: i64,
}

/// Send a range of events again.
///
/// Each is sent under the id that it always has, twenty in a second, in order, tried once, and not counted for
/// the endpoint's state; also while it is disabled. Count them first, with `dryRun`.
#[utoipa::path(
    post, path = "", operation_id = "replay_webhooks",
    request_body = ReplayRequest,
    responses(
        (status = 200, description = "So many would be sent.", body = ReplayAnswer),
        (status = 202, description = "So many will be sent.", body = ReplayAnswer),
    ),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectAccess,
    Item(id): Item,
    input: Input<ReplayRequest>,
) -> Result<Response, ApiError> {
    let is_dry = matches!(input.body.dry_run, Some(Flag(true)));
    let (place, now) = (access.place, app.now());
    let share = Share {
        team: place.team_id.number(),
        weight: Weight::Long,
    };
    let at = place.clone();
    let now = app
        .store
        .point(move |tx| Ok(test_clock::shown(tx, &at, now)?));
    let range = input.body.into_range(now.await?)?;
    let (at, of, counted) = (place.clone(), id.clone(), range.clone());
    let count = app
        .store
        .scan_for(share, move |tx| replay::count(tx, &at, &of, &counted));
    let count = count.await?;
    let status = match is_dry {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    let begin = move |tx: &mut dyn Tx, act: &mut Act| match is_dry {
        true => Ok(()),
        false => replay::begin(tx, act, &place, &id, &range, count),
    };
    let answer = move |(): &()| answer::answer(status, &ReplayAnswer { count });
    app.write_answer(&access.caller, input.keyed, begin, answer)
        .await
}
