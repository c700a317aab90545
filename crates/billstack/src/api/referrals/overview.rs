//! `GET …/referrals/overview`.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_core::period::{Days, Step};
use billstack_core::time::{DAY, Micros};
use billstack_store::overview::{self, Change, Overview, Totals};
use billstack_store::{Weight, test_clock};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{QueryString, in_order, one_of, time};
use crate::http::query::Query;

/// Days when the caller does not say.
const DEFAULT_DAYS: i64 = 30;

/// The most days: three leap years.
const MOST_DAYS: i64 = 1098;

/// The last day that is told of has a day after it that can be written: 9999-12-31T00:00:00Z. Nothing is older than
/// 1970.
const LATEST: Micros = Micros::from_secs(253_402_214_400);

/// By what the series goes.
#[derive(Serialize, ToSchema)]
#[schema(as = OverviewStep)]
#[serde(rename_all = "snake_case")]
pub enum StepJson {
    /// A day of UTC.
    Day,
    /// A week that begins on a Monday.
    Week,
    /// A month of the calendar.
    Month,
}

/// What credits granted in some time come to in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = CreditedSum)]
pub struct CreditedJson {
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// Their sum in minor units.
    #[schema(example = 1500)]
    amount: i64,
}

/// What happened in some time.
#[derive(Serialize, ToSchema)]
#[schema(as = OverviewTotals)]
#[serde(rename_all = "camelCase")]
pub struct TotalsJson {
    /// Clicks on share links, as far as people can be told from programs.
    #[schema(example = 120)]
    clicks: i64,
    /// Codes that were applied.
    #[schema(example = 8)]
    applied: i64,
    /// Referrals that converted, whenever their code was applied.
    #[schema(example = 3)]
    converted: i64,
    /// Of the codes that were applied, how many have converted by now.
    #[schema(example = 2)]
    converted_of_applied: i64,
    /// The share of the codes applied that has converted by now; null where none was applied.
    #[schema(minimum = 0, maximum = 1, example = 0.25)]
    rate: Option<f64>,
    /// Credits granted, those given by hand included, one sum for each currency.
    credited: Vec<CreditedJson>,
}

/// What happened in a stretch of days.
#[derive(Serialize, ToSchema)]
#[schema(as = OverviewPeriod)]
pub struct PeriodJson {
    /// When it begins.
    #[schema(format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: String,
    /// When it is over.
    #[schema(format = DateTime, example = "2026-12-01T00:00:00Z")]
    to: String,
    #[serde(flatten)]
    totals: TotalsJson,
}

/// What happened in a step of the series.
#[derive(Serialize, ToSchema)]
#[schema(as = OverviewPoint)]
pub struct PointJson {
    /// The first day of the step in UTC. Of the first and the last step only the days of the period count.
    #[schema(format = Date, example = "2026-11-02")]
    date: String,
    #[serde(flatten)]
    totals: TotalsJson,
}

/// A change of the program.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgramChange)]
#[serde(rename_all = "camelCase")]
pub struct ChangeJson {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The event that tells of it.
    #[schema(example = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    event_id: String,
}

/// How a program does.
#[derive(Serialize, ToSchema)]
#[schema(as = Overview)]
pub struct OverviewJson {
    /// In the days that were asked for.
    period: PeriodJson,
    /// In as many days before.
    before: PeriodJson,
    /// By what the series goes.
    #[schema(value_type = StepJson)]
    by: Step,
    /// Every step of the period that has begun, also those in which nothing happened, the oldest first.
    series: Vec<PointJson>,
    /// When the program was changed in the period, the last change first; 100 at most.
    changes: Vec<ChangeJson>,
}

/// The figures of a program.
#[derive(Serialize, ToSchema)]
pub struct OverviewAnswer {
    /// How it does.
    overview: OverviewJson,
}

/// Show how the program does.
///
/// Clicks, codes applied, conversions and credits of a stretch of whole days of UTC, beside those of as many days
/// before, and step by step. The days are those from `from` to the one before or of `to`: the last 30 when left out, and
/// 1,098 at most. Figures are exact to the moment, clicks to some seconds.
#[utoipa::path(
    get, path = "", operation_id = "get_referral_overview",
    params(
        ("from" = Option<String>, Query, description = "From the day of this time on.", format = DateTime),
        ("to" = Option<String>, Query, description = "Up to this time, not including it.", format = DateTime),
        ("by" = inline(Option<StepJson>), Query, description = "By what the series goes; by day when left out."),
    ),
    responses((status = 200, description = "The figures.", body = OverviewAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let by = one_of(&query, "by", Step::parse)?.unwrap_or(Step::Day);
    let (now, asked) = (app.now(), asked(&query)?);
    let found = access.scan(&app, Weight::Short, move |tx, place| {
        let now = test_clock::shown(tx, place, now)?;
        let days = days(asked, now);
        Ok((now, days, overview::overview(tx, place, days)?))
    });
    let (now, days, overview) = found.await?;
    let overview = json(overview, begun(days, now), days, by);
    Ok(answer::send(answer::ok(&OverviewAnswer { overview })))
}

/// The range that a query asks for.
pub(crate) fn asked(query: &Query) -> Result<(Option<Micros>, Option<Micros>), ApiError> {
    let (from, to) = (time(query, "from")?, time(query, "to")?);
    if let (Some(from), Some(to)) = (from, to) {
        in_order(from, to)?;
        if Days::holding(from, to).count() > MOST_DAYS {
            let message = format!("`from` and `to` may be {MOST_DAYS} days apart at most.");
            return Err(ApiError::invalid("from", message));
        }
    }
    Ok((from, to))
}

/// The days of a range whose ends may be left out.
pub(crate) fn days((from, to): (Option<Micros>, Option<Micros>), now: Micros) -> Days {
    let until = to.unwrap_or(now.plus(1).max(from.unwrap_or(now)));
    let until = until.clamp(Micros(1), LATEST);
    let from = from.unwrap_or(until.plus(-DEFAULT_DAYS * DAY + DAY - 1));
    let from = from.clamp(Micros(0), LATEST.plus(-1));
    let days = Days::holding(from, until);
    let first = days.first.max(days.last - MOST_DAYS + 1);
    Days { first, ..days }
}

/// Those of these days that have begun at a time; none where all are to come.
pub(crate) fn begun(days: Days, now: Micros) -> Option<Days> {
    let last = days.last.min(now.0.div_euclid(DAY));
    (days.first <= last).then_some(Days { last, ..days })
}

/// What happened in each step of these days, by its first day, the oldest first.
pub(crate) fn steps(by_day: &BTreeMap<i64, Totals>, days: Days, by: Step) -> Vec<(i64, Totals)> {
    let starts = days.steps(by).into_iter();
    let mut steps: BTreeMap<i64, Totals> = starts.map(|start| (start, Totals::default())).collect();
    for (day, totals) in by_day {
        steps.entry(by.start(*day)).or_default().add(totals);
    }
    steps.into_iter().collect()
}

fn json(overview: Overview, begun: Option<Days>, days: Days, by: Step) -> OverviewJson {
    let steps = begun.map(|begun| steps(&overview.days, begun, by));
    let steps = steps.unwrap_or_default();
    let point = |(start, totals): (i64, Totals)| PointJson {
        date: Micros(start.saturating_mul(DAY)).day_text(),
        totals: TotalsJson::from(totals),
    };
    OverviewJson {
        period: period(days, overview.totals),
        before: period(days.before(), overview.before),
        by,
        series: steps.into_iter().map(point).collect(),
        changes: overview.changes.into_iter().map(ChangeJson::from).collect(),
    }
}

fn period(days: Days, totals: Totals) -> PeriodJson {
    let (from, to) = days.times();
    PeriodJson {
        from: rfc3339(from.0),
        to: rfc3339(to.0),
        totals: TotalsJson::from(totals),
    }
}

impl From<Totals> for TotalsJson {
    fn from(totals: Totals) -> TotalsJson {
        let rate = totals.rate();
        let credited = totals.credited.into_iter();
        TotalsJson {
            clicks: totals.clicks,
            applied: totals.applied,
            converted: totals.converted,
            converted_of_applied: totals.converted_of_applied,
            rate,
            credited: credited
                .map(|(currency, amount)| CreditedJson { currency, amount })
                .collect(),
        }
    }
}

impl From<Change> for ChangeJson {
    fn from(change: Change) -> ChangeJson {
        ChangeJson {
            at: rfc3339(change.at.0),
            event_id: change.event_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        Micros::from_rfc3339(text).expect("a time")
    }

    #[test]
    fn the_last_thirty_days_end_today() {
        let now = at("2026-11-30T09:30:00Z");
        let wanted = days((None, None), now);
        let (from, to) = wanted.times();
        assert_eq!(
            (from, to),
            (at("2026-11-01T00:00:00Z"), at("2026-12-01T00:00:00Z"))
        );
        let midnight = days((None, Some(at("2026-11-30T00:00:00Z"))), now);
        assert_eq!(midnight.count(), DEFAULT_DAYS);
        assert_eq!(midnight.times().1, at("2026-11-30T00:00:00Z"));
        let since = days((Some(at("2026-11-29T00:00:00Z")), None), now);
        assert_eq!(since.count(), 2);
        let ahead = days((Some(at("2026-12-24T00:00:00Z")), None), now);
        assert_eq!(ahead.times().0, at("2026-12-24T00:00:00Z"));
        let long = days((Some(at("1999-01-01T00:00:00Z")), None), now);
        let edges = (
            Some(at("0001-01-01T00:00:00Z")),
            Some(at("0001-01-02T00:00:00Z")),
        );
        assert_eq!(days(edges, now).times().0, Micros(0));
        let edges = (
            Some(at("9999-12-31T23:00:00Z")),
            Some(at("9999-12-31T23:59:59Z")),
        );
        assert!(days(edges, now).times().1 <= at("9999-12-31T23:59:59Z"));
        assert_eq!(
            (long.count(), long.times().1),
            (MOST_DAYS, at("2026-12-01T00:00:00Z"))
        );
    }

    #[test]
    fn days_to_come_have_not_begun() {
        let (days, noon) = (
            Days {
                first: 10,
                last: 12,
            },
            |day| Micros(day * DAY + DAY / 2),
        );
        assert_eq!(begun(days, noon(9)), None);
        assert_eq!(
            begun(days, noon(10)),
            Some(Days {
                first: 10,
                last: 10
            })
        );
        assert_eq!(begun(days, noon(12)), Some(days));
        assert_eq!(begun(days, noon(40)), Some(days));
    }

    #[test]
    fn steps_hold_what_their_days_do() {
        let wanted = days(
            (
                Some(at("2026-10-30T00:00:00Z")),
                Some(at("2026-11-10T00:00:00Z")),
            ),
            Micros(0),
        );
        let of = |applied| Totals {
            applied,
            ..Totals::default()
        };
        let first = wanted.first;
        let overview = Overview {
            totals: of(7),
            before: Totals::default(),
            days: [(first, of(1)), (first + 2, of(2)), (first + 10, of(4))].into(),
            earlier: BTreeMap::new(),
            changes: Vec::new(),
        };
        let shown = json(overview, Some(wanted), wanted, Step::Week);
        let series: Vec<_> = shown
            .series
            .iter()
            .map(|point| (point.date.as_str(), point.totals.applied))
            .collect();
        assert_eq!(
            series,
            [("2026-10-26", 3), ("2026-11-02", 0), ("2026-11-09", 4)]
        );
        assert_eq!(shown.period.totals.rate, Some(0.0));
        assert_eq!(shown.before.totals.rate, None);
    }
}
