//! `GET …/reports/{month}`: a month for finance.

pub mod list;

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use billstack_core::money::Currency;
use billstack_core::time::Micros;
use billstack_store::finance::{self, Month};
use billstack_store::{Weight, test_clock, upkeep};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::upkeep::LastVerifyJson;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::path::Item;

/// A month in one currency, in minor units.
#[derive(Serialize, ToSchema)]
#[schema(as = MonthInCurrency)]
pub struct MonthInCurrencyJson {
    /// ISO 4217 code in lower case.
    #[schema(value_type = String, example = "usd")]
    currency: Currency,
    /// Owed at the beginning.
    #[schema(example = 2000)]
    opening: i64,
    /// Granted in the month.
    #[schema(example = 1500)]
    granted: i64,
    /// Used for invoices, less what came back from them.
    #[schema(example = 500)]
    applied: i64,
    /// Taken back, less what was given back.
    #[schema(example = 0)]
    reversed: i64,
    /// Paid by other ways.
    #[schema(example = 1000)]
    settled: i64,
    /// Owed at the end: opening and granted, less applied, reversed and settled.
    #[schema(example = 2000)]
    closing: i64,
    /// What should have been taken back and could not be, less what this is no longer true of.
    #[schema(example = 0)]
    shortfall: i64,
    /// What no movement explains: always 0, unless the ledger is broken.
    #[schema(example = 0)]
    unexplained: i64,
    /// How many credits were granted.
    #[schema(example = 2)]
    credits: i64,
}

/// A month of UTC.
#[derive(Serialize, ToSchema)]
#[schema(as = MonthReport)]
#[serde(rename_all = "camelCase")]
pub struct MonthJson {
    /// The month.
    #[schema(example = "2026-11")]
    month: String,
    /// When it begins.
    #[schema(format = DateTime, example = "2026-11-01T00:00:00Z")]
    from: String,
    /// When it is over.
    #[schema(format = DateTime, example = "2026-12-01T00:00:00Z")]
    to: String,
    /// Whether it is over: then nothing in it changes any more.
    is_over: bool,
    /// One row for each currency in which anything was ever booked, zeros where nothing was in the month.
    currencies: Vec<MonthInCurrencyJson>,
}

/// A month for finance.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MonthAnswer {
    /// The month.
    report: MonthJson,
    /// The last check of the whole database by `billstack verify`; null while there has been none.
    last_verify: Option<LastVerifyJson>,
}

/// Report a month.
///
/// For each currency what was granted, used, taken back and paid in a month of UTC, what is owed at its end, and how many
/// credits were granted. It goes by the time of booking and foots with the roll-forward of the same time, of which it is
/// the sum over both sides and credits given by hand. Currencies are never added. The month that runs is told as it is so
/// far; one to come, by the clock of the project, is refused.
#[utoipa::path(
    get, path = "", operation_id = "get_month_report",
    params(("month" = String, Path, description = "The month of UTC, such as `2026-11`.", pattern = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$", example = "2026-11")),
    responses((status = 200, description = "The month.", body = MonthAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(text): Item,
) -> Result<Response, ApiError> {
    let month = month(&text);
    let now = app.now();
    let found = access.scan(&app, Weight::Long, move |tx, place| {
        let Some((from, to)) = month else {
            return Ok(None);
        };
        let now = test_clock::shown(tx, place, now)?;
        if let Err(to_come) = begun(from, now) {
            return Ok(Some(Err(to_come)));
        }
        let figures = finance::month(tx, place, from, to, now)?;
        let last = upkeep::last(tx)?.verify;
        Ok(Some(Ok((from, to, to <= now, figures, last))))
    });
    let found = found.await?.ok_or(ApiError::new(Reason::NotFound))?;
    let (from, to, is_over, figures, last) = found?;
    Ok(answer::send(answer::ok(&MonthAnswer {
        report: MonthJson::new(text, (from, to), is_over, figures),
        last_verify: last.map(Into::into),
    })))
}

impl MonthJson {
    fn new(
        month: String,
        (from, to): (Micros, Micros),
        is_over: bool,
        figures: BTreeMap<Currency, Month>,
    ) -> MonthJson {
        MonthJson {
            month,
            from: rfc3339(from.0),
            to: rfc3339(to.0),
            is_over,
            currencies: figures.into_iter().map(row).collect(),
        }
    }
}

fn row((currency, month): (Currency, Month)) -> MonthInCurrencyJson {
    let moved = month.moved;
    MonthInCurrencyJson {
        currency,
        opening: moved.opening,
        granted: moved.granted,
        applied: moved.applied,
        reversed: moved.reversed,
        settled: moved.settled,
        closing: moved.closing,
        shortfall: moved.shortfall,
        unexplained: moved.unexplained(),
        credits: month.credits,
    }
}

/// How a month is called: `2026-11`.
pub(crate) fn month_text(from: Micros) -> String {
    from.day_text().chars().take(7).collect()
}

/// Refuses a month that begins after this time: nothing can be booked in it yet.
pub(crate) fn begun(from: Micros, now: Micros) -> Result<(), ApiError> {
    match from <= now {
        true => Ok(()),
        false => Err(ApiError::invalid("month", TO_COME)),
    }
}

/// What is said of a month to come.
const TO_COME: &str = "`month` has not begun yet.";

/// When a month begins and is over, if the text is one: not before 1970, and not the last of the year 9999, whose end
/// cannot be written.
pub(crate) fn month(text: &str) -> Option<(Micros, Micros)> {
    let is_plain = text.len() == 7 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let first = Micros::from_rfc3339(&format!("{text}-01T00:00:00Z")).filter(|_| is_plain)?;
    let last = Micros::from_rfc3339("9999-12-01T00:00:00Z")?;
    (first.0 >= 0 && first < last).then(|| first.month())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_with_its_first_moment() {
        let (from, _) = month("2026-11").expect("a month");
        assert!(begun(from, from).is_ok() && begun(from, from.plus(1)).is_ok());
        let to_come = begun(from, from.plus(-1)).expect_err("a refusal");
        assert_eq!(to_come.field.as_deref(), Some("month"));
    }

    #[test]
    fn a_month_is_four_digits_and_two() {
        for text in ["2026-11", "1970-01", "9999-11"] {
            let (from, to) = month(text).expect("a month");
            assert_eq!(from.day_text(), format!("{text}-01"));
            assert_eq!(to, from.month().1);
        }
        for text in [
            "2026-13",
            "2026-00",
            "1969-12",
            "9999-12",
            "2026-1",
            "26-11",
            "2026-11-01",
            "",
            "+026-11",
        ] {
            assert_eq!(month(text), None, "{text}");
        }
    }
}
