//! Which days, by what steps, and which figure.

use billstack_core::period::{Days, Step};
use billstack_core::time::{DAY, Micros};

use super::metric::Metric;
use super::trend::FILTERS;
use crate::api::referrals::overview;
use crate::error::ApiError;
use crate::http::page::one_of;
use crate::http::query::Query;
use crate::pages::parts::days::in_times;
use crate::pages::parts::pager::only_known;

/// The most steps that a chart shows: more are no wider than a dot.
const MOST: usize = 93;

/// How many days the quick choices hold, and what they are called.
pub(super) const QUICK: [(i64, &str); 4] = [
    (7, "7 days"),
    (30, "30 days"),
    (90, "90 days"),
    (365, "12 months"),
];

/// How many of them are shown where nobody has chosen.
pub(super) const USUAL: i64 = 30;

/// What the filters of the page ask for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    range: (Option<Micros>, Option<Micros>),
    by: Option<Step>,
    pub(super) metric: Metric,
    /// The day that it is.
    pub(super) today: i64,
    /// The days that were chosen.
    pub(super) chosen: Days,
    /// Those of them that have begun, if any have.
    pub(super) days: Days,
    pub(super) step: Step,
}

impl Asked {
    pub(super) fn read(query: &Query) -> Result<Asked, ApiError> {
        only_known(query, &FILTERS)?;
        Ok(Asked {
            range: overview::asked(&in_times(query.clone()))?,
            by: one_of(query, "by", Step::parse)?,
            metric: one_of(query, "metric", Metric::parse)?.unwrap_or(Metric::Converted),
            today: 0,
            chosen: Days { first: 0, last: 0 },
            days: Days { first: 0, last: 0 },
            step: Step::Day,
        })
    }

    /// The same on the day of a time.
    pub(super) fn at(self, now: Micros) -> Asked {
        let chosen = overview::days(self.range, now);
        let days = overview::begun(chosen, now).unwrap_or(chosen);
        let today = now.0.div_euclid(DAY);
        Asked {
            chosen,
            days,
            step: step(days, self.by),
            today,
            ..self
        }
    }

    /// Whether the chart goes by larger steps than were asked for.
    pub(super) fn is_coarser(&self) -> bool {
        self.by.is_some_and(|by| by != self.step)
    }

    /// Whether none of the days has begun.
    pub(super) fn is_ahead(&self) -> bool {
        self.chosen.first > self.today
    }

    /// Whether some of the days have begun and others not.
    pub(super) fn is_cut(&self) -> bool {
        !self.is_ahead() && self.chosen != self.days
    }

    /// Whether there is a part of a day alone, which is not compared with a whole one.
    pub(super) fn is_part(&self) -> bool {
        self.is_running() && self.days.count() == 1
    }

    /// Whether the last step is not over.
    pub(super) fn is_running(&self) -> bool {
        self.days.last >= self.today
    }

    /// How many days up to this one are shown, if they end today.
    pub(super) fn quick(&self) -> Option<i64> {
        (self.chosen.last == self.today).then(|| self.chosen.count())
    }
}

/// The step that was asked for, or that suits so many days; a larger one where that would be too many.
fn step(days: Days, by: Option<Step>) -> Step {
    let usual = match days.count() {
        ..=59 => Step::Day,
        60..=400 => Step::Week,
        _ => Step::Month,
    };
    let asked = by.unwrap_or(usual);
    let larger = [asked, Step::Week, Step::Month];
    let fits = |step: &Step| days.steps(*step).len() <= MOST;
    larger.into_iter().find(fits).unwrap_or(Step::Month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_as_many_as_a_chart_can_show() {
        let of = |count: i64| Days {
            first: 20_000,
            last: 19_999 + count,
        };
        for (count, by, expected) in [
            (30, None, Step::Day),
            (59, None, Step::Day),
            (60, None, Step::Week),
            (93, Some(Step::Day), Step::Day),
            (94, Some(Step::Day), Step::Week),
            (365, None, Step::Week),
            (1_098, Some(Step::Day), Step::Month),
            (1_098, Some(Step::Week), Step::Month),
            (1_098, None, Step::Month),
            (7, Some(Step::Month), Step::Month),
            (1, None, Step::Day),
        ] {
            assert_eq!(step(of(count), by), expected, "{count} days by {by:?}");
        }
    }
}
