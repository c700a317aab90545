//! `GET …/referrals/stats`.

use billstack_core::money::Currency;
use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::credit::Side;
use billstack_core::time::{DAY, Micros};
use billstack_store::Weight;
use billstack_store::stats::{self, CreditSum, Day, Stats};
use billstack_store::test_clock;
use serde::Serialize;
use utoipa::ToSchema;

use super::credits::SideJson;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::QueryString;

/// Days when the caller does not say.
const DEFAULT_DAYS: i64 = 30;

/// The most days: a leap year.
const MOST_DAYS: i64 = 366;

/// How many codes there are.
#[derive(Serialize, ToSchema)]
struct CodeCounts {
    /// Codes ever made.
    total: i64,
    /// Codes that can be applied.
    active: i64,
}

/// How many referrals there are.
#[derive(Serialize, ToSchema)]
struct ReferralCounts {
    /// Referrals ever made.
    total: i64,
    /// Those that may still convert.
    pending: i64,
    /// Those that converted.
    converted: i64,
    /// Those that were closed.
    expired: i64,
}

/// The credits of one side in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditSum)]
struct CreditSumJson {
    /// Which side of the referrals.
    #[schema(value_type = SideJson)]
    side: Side,
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// How many.
    count: i64,
    /// Their sum, in minor units.
    #[schema(example = 1500)]
    amount: i64,
}

/// What happened on one day.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralDay)]
struct DayJson {
    /// The day in UTC.
    #[schema(format = Date, example = "2026-11-22")]
    date: String,
    /// Referrals made.
    referrals: i64,
    /// Referrals that converted.
    conversions: i64,
    /// Credits granted.
    credits: i64,
}

/// How a program is doing.
#[derive(Serialize, ToSchema)]
#[schema(as = ReferralStats)]
#[serde(rename_all = "camelCase")]
struct StatsJson {
    /// Codes.
    codes: CodeCounts,
    /// Referrals by status.
    referrals: ReferralCounts,
    /// Which part of all referrals converted, from 0 to 1; null while there are none.
    #[schema(minimum = 0, maximum = 1, example = 0.25)]
    conversion_rate: Option<f64>,
    /// Credits by side and currency.
    credits: Vec<CreditSumJson>,
    /// The last days one by one, today included, the oldest first.
    by_day: Vec<DayJson>,
}

/// Counts and sums.
#[derive(Serialize, ToSchema)]
pub struct StatsAnswer {
    /// How the program is doing.
    stats: StatsJson,
}

/// Count referrals and sum up credits.
///
/// Totals are of all time; `byDay` has one entry for each of the last `days` days, also for those on
/// which nothing happened.
#[utoipa::path(
    get, path = "", operation_id = "get_referral_stats",
    params(("days" = Option<i64>, Query, description = "Days to tell one by one, today included.", minimum = 1, maximum = 366, example = 7)),
    responses((status = 200, description = "Counts and sums.", body = StatsAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let days = query.int("days", DEFAULT_DAYS, 1..=MOST_DAYS)?;
    let now = app.now();
    let stats = access.scan(&app, Weight::Long, move |tx, place| {
        let today = test_clock::shown(tx, place, now)?.0.div_euclid(DAY);
        let first = today - (days - 1);
        let stats = stats::stats(tx, place, Micros(first * DAY))?;
        Ok(json(&stats, first, today))
    });
    let stats = stats.await?;
    Ok(answer::send(answer::ok(&StatsAnswer { stats })))
}

fn json(stats: &Stats, first: i64, today: i64) -> StatsJson {
    let total = stats.pending + stats.converted + stats.expired;
    StatsJson {
        codes: CodeCounts {
            total: stats.codes,
            active: stats.active_codes,
        },
        referrals: ReferralCounts {
            total,
            pending: stats.pending,
            converted: stats.converted,
            expired: stats.expired,
        },
        conversion_rate: (total > 0).then(|| stats.converted as f64 / total as f64),
        credits: stats.credits.iter().map(credit_sum).collect(),
        by_day: every_day(&stats.days, first, today),
    }
}

fn credit_sum(sum: &CreditSum) -> CreditSumJson {
    CreditSumJson {
        side: sum.side,
        currency: sum.currency,
        count: sum.count,
        amount: sum.amount,
    }
}

/// Every day of the range. A conversion has the time of Stripe's clock, which may be a little ahead
/// of ours: a day after the last is told too.
fn every_day(days: &[Day], first: i64, today: i64) -> Vec<DayJson> {
    let quiet = |day| Day {
        day,
        ..Day::default()
    };
    let mut all: BTreeMap<i64, Day> = (first..=today).map(|day| (day, quiet(day))).collect();
    all.extend(days.iter().map(|day| (day.day, *day)));
    let json = |day: &Day| DayJson {
        date: rfc3339(day.day * DAY).chars().take(10).collect(),
        referrals: day.referrals,
        conversions: day.conversions,
        credits: day.credits,
    };
    all.values().map(json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_days_are_told_too() {
        let busy = Day {
            day: 1,
            referrals: 3,
            conversions: 2,
            credits: 4,
        };
        let days = every_day(&[busy], 0, 2);
        let dates: Vec<_> = days.iter().map(|day| day.date.as_str()).collect();
        assert_eq!(dates, ["1970-01-01", "1970-01-02", "1970-01-03"]);
        let counts: Vec<_> = days.iter().map(|day| day.referrals).collect();
        assert_eq!(counts, [0, 3, 0]);
        assert_eq!((days[1].conversions, days[1].credits), (2, 4));
    }

    #[test]
    fn no_referral_has_no_rate() {
        assert_eq!(json(&Stats::default(), 0, 0).conversion_rate, None);
        let stats = Stats {
            pending: 2,
            converted: 1,
            expired: 1,
            ..Stats::default()
        };
        assert_eq!(json(&stats, 0, 0).conversion_rate, Some(0.25));
    }
}
