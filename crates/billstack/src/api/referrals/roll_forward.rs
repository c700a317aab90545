//! `GET …/referrals/roll-forward`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::Weight;
use billstack_store::finance::{self, RollForward};
use serde::Serialize;
use utoipa::ToSchema;

use super::liability::FinanceSideJson;
use crate::api::test_clock::now;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{QueryString, in_order, time};
use crate::http::query::Query;

/// How what is owed of one side's credits in one currency changed, in minor units.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RollForward)]
pub struct RollForwardJson {
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    pub(super) currency: Currency,
    /// Whose credits.
    #[schema(value_type = FinanceSideJson)]
    pub(super) side: String,
    /// Owed at the beginning.
    pub(super) opening: i64,
    /// Granted meanwhile.
    pub(super) granted: i64,
    /// Used for invoices, less what came back from them.
    pub(super) applied: i64,
    /// Taken back, less what was given back.
    pub(super) reversed: i64,
    /// Paid by other ways.
    pub(super) settled: i64,
    /// Owed at the end: opening and granted, less applied, reversed and settled.
    pub(super) closing: i64,
    /// What should have been taken back meanwhile and could not be, less what this is no longer true of.
    pub(super) shortfall: i64,
    /// What no movement explains: always 0, unless the ledger is broken.
    pub(super) unexplained: i64,
}

impl RollForwardJson {
    pub(super) fn new(currency: Currency, side: String, part: &RollForward) -> RollForwardJson {
        RollForwardJson {
            currency,
            side,
            opening: part.opening,
            granted: part.granted,
            applied: part.applied,
            reversed: part.reversed,
            settled: part.settled,
            closing: part.closing,
            shortfall: part.shortfall,
            unexplained: part.unexplained(),
        }
    }

    /// All sums, in the order of the members.
    pub(super) const fn sums(&self) -> [i64; 8] {
        [
            self.opening,
            self.granted,
            self.applied,
            self.reversed,
            self.settled,
            self.closing,
            self.shortfall,
            self.unexplained,
        ]
    }
}

/// How what is owed changed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RollForwardAnswer {
    /// From this time on.
    #[schema(format = DateTime)]
    from: String,
    /// Before this time.
    #[schema(format = DateTime)]
    to: String,
    /// By currency and side.
    roll_forward: Vec<RollForwardJson>,
}

/// The range of a report: the present month of UTC when left out, by the clock of the project.
pub(super) fn range(query: &Query, now: Micros) -> Result<(Micros, Micros), ApiError> {
    let to = time(query, "to")?.unwrap_or(now);
    let from = time(query, "from")?.unwrap_or(to.month().0);
    in_order(from, to)
}

/// Tell how what is owed changed.
///
/// By currency and side: what was owed at `from`, what was granted, used, taken back and paid since, and what was
/// owed at `to`. It goes by the time of booking, so that a month that is closed never changes.
#[utoipa::path(
    get, path = "", operation_id = "get_roll_forward",
    params(
        ("from" = Option<String>, Query, description = "From this time on; the beginning of the month of `to` when left out.", format = DateTime),
        ("to" = Option<String>, Query, description = "Before this time; now, by the clock of the project, when left out.", format = DateTime),
    ),
    responses((status = 200, description = "How it changed.", body = RollForwardAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (from, to) = range(&query, now(&app, &access).await?)?;
    let read = access.scan(&app, Weight::Long, move |tx, place| {
        Ok(finance::roll_forward(tx, place, from, to)?)
    });
    let report = read.await?.into_iter();
    let json = |((currency, side), part)| RollForwardJson::new(currency, side, &part);
    Ok(answer::send(answer::ok(&RollForwardAnswer {
        from: rfc3339(from.0),
        to: rfc3339(to.0),
        roll_forward: report.map(json).collect(),
    })))
}
