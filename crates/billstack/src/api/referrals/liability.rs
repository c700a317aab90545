//! `GET …/referrals/liability`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::Weight;
use billstack_store::finance::{self, AGES, Position};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::test_clock::now;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{QueryString, time};

/// A time is shown in milliseconds, so whatever was booked within the one that is asked for counts.
const MILLISECOND: i64 = 1_000;

/// Whose credits a figure is about.
#[derive(Serialize, ToSchema)]
#[schema(as = FinanceSide)]
#[serde(rename_all = "snake_case")]
pub enum FinanceSideJson {
    /// Those of referrers.
    Referrer,
    /// Those of referees.
    Referee,
    /// Those that were given by hand.
    Manual,
}

/// What is owed by the age of the credits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenByAge)]
struct AgeJson {
    /// The youngest credits of the group, in days.
    from_days: i64,
    /// The oldest, in days; null for any age.
    to_days: Option<i64>,
    /// What is owed of them, in minor units.
    open: i64,
}

/// What is owed of one side's credits in one currency, in minor units.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Liability)]
struct LiabilityJson {
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// Whose credits.
    #[schema(value_type = FinanceSideJson)]
    side: String,
    /// Earned, but held.
    held: i64,
    /// The customers', in our books.
    available: i64,
    /// In the customers' balances in Stripe, and not used.
    delivered: i64,
    /// Used for invoices.
    applied: i64,
    /// Taken back.
    reversed: i64,
    /// Paid by other ways.
    settled: i64,
    /// What should have been taken back and could not be.
    shortfall: i64,
    /// What is owed: held, available and delivered.
    open: i64,
    /// What is owed by the age of the credits.
    ages: Vec<AgeJson>,
}

/// What is owed at a time.
#[derive(Serialize, ToSchema)]
pub struct LiabilityAnswer {
    /// The time.
    #[schema(format = DateTime)]
    at: String,
    /// By currency and side.
    liability: Vec<LiabilityJson>,
}

impl LiabilityJson {
    fn new(currency: Currency, side: String, position: &Position) -> LiabilityJson {
        let sums = position.sums;
        LiabilityJson {
            currency,
            side,
            held: sums.held,
            available: sums.available,
            delivered: sums.delivered,
            applied: sums.applied,
            reversed: sums.reversed,
            settled: sums.settled,
            shortfall: sums.shortfall,
            open: sums.open(),
            ages: ages(position),
        }
    }
}

/// Each group begins on the day after the oldest of the one before.
fn ages(position: &Position) -> Vec<AgeJson> {
    let oldest = AGES.into_iter().map(Some).chain([None]);
    let youngest = [0].into_iter().chain(AGES.map(|oldest| oldest + 1));
    let groups = youngest.zip(oldest).zip(position.open_by_age);
    groups
        .map(|((from_days, to_days), open)| AgeJson {
            from_days,
            to_days,
            open,
        })
        .collect()
}

/// Tell what is owed.
///
/// The sums of all postings that were booked by `at`, by currency and side. A figure of the past never changes: what
/// is told late is booked when it is told.
#[utoipa::path(
    get, path = "", operation_id = "get_liability",
    params(("at" = Option<String>, Query, description = "At this time; now, by the clock of the project, when left out.", format = DateTime)),
    responses((status = 200, description = "What is owed.", body = LiabilityAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let at = match time(&query, "at")? {
        Some(at) => at,
        None => now(&app, &access).await?,
    };
    let before = Micros(at.0.div_euclid(MILLISECOND) * MILLISECOND).plus(MILLISECOND);
    let read = access.scan(&app, Weight::Long, move |tx, place| {
        Ok(finance::liability(tx, place, before)?)
    });
    let report = read.await?;
    let parts = report.into_iter();
    Ok(answer::send(answer::ok(&LiabilityAnswer {
        at: rfc3339(at.0),
        liability: parts
            .map(|((currency, side), position)| LiabilityJson::new(currency, side, &position))
            .collect(),
    })))
}
