//! `GET …/referrals/codes/{code}/clicks`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::DAY;
use billstack_store::links::{self, Counted};
use billstack_store::{Refusal, Thing, codes, test_clock};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::answer;
use crate::http::page::{QueryString, in_order, time};
use crate::http::path::Item;

/// Days when the caller does not say.
const DEFAULT_DAYS: i64 = 30;

/// The most days: a leap year.
const MOST_DAYS: i64 = 366;

/// How often links of a code were followed on a day by one way.
#[derive(Serialize, ToSchema)]
#[schema(as = ClickDay)]
#[serde(rename_all = "camelCase")]
struct ClickDayJson {
    /// The day in UTC.
    #[schema(format = Date, example = "2026-11-22")]
    date: String,
    /// By what way the link had reached people: `link`, `qr`, `whatsapp` or `mail`.
    #[schema(example = "qr")]
    channel: String,
    /// How often.
    count: i64,
}

/// How often links of a code were followed.
#[derive(Serialize, ToSchema)]
#[schema(as = Clicks)]
#[serde(rename_all = "camelCase")]
struct ClicksJson {
    /// In all these days.
    total: i64,
    /// Each day and way by which somebody came, the oldest first.
    by_day: Vec<ClickDayJson>,
}

/// Clicks.
#[derive(Serialize, ToSchema)]
pub struct ClicksAnswer {
    /// The clicks.
    clicks: ClicksJson,
}

impl ClicksAnswer {
    fn new(days: Vec<(Counted, i64)>) -> ClicksAnswer {
        let day = |(counted, count): (Counted, i64)| ClickDayJson {
            date: rfc3339(counted.begins()).chars().take(10).collect(),
            channel: counted.channel,
            count,
        };
        ClicksAnswer {
            clicks: ClicksJson {
                total: days.iter().map(|(_, count)| count).sum(),
                by_day: days.into_iter().map(day).collect(),
            },
        }
    }
}

/// Count clicks on the links of a code.
///
/// Whole days of UTC, from the one of `from` to the one before or of `to`: the last 30 when left out, and 366 at most.
/// Clicks of people are counted as far as they can be told from programs, and are shown some seconds later.
#[utoipa::path(
    get, path = "", operation_id = "list_code_clicks",
    params(
        ("from" = Option<String>, Query, description = "From the day of this time on.", format = DateTime),
        ("to" = Option<String>, Query, description = "Up to this time, not including it.", format = DateTime),
    ),
    responses((status = 200, description = "The clicks.", body = ClicksAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    Item(text): Item,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (from, to) = (time(&query, "from")?, time(&query, "to")?);
    let now = app.now();
    if let (Some(from), Some(to)) = (from, to) {
        in_order(from, to)?;
    }
    let read = access.point(&app, move |tx, place| {
        let missing = Refusal::NotFound(Thing::Code);
        let code = codes::names::resolve(tx, place, &text)?.ok_or(missing.clone())?;
        codes::get(tx, place, &code)?.ok_or(missing)?;
        let now = test_clock::shown(tx, place, now)?;
        let until = to.unwrap_or(now.plus(1));
        let last = until.plus(-1).0.div_euclid(DAY);
        let first = from.map_or(last - DEFAULT_DAYS + 1, |from| from.0.div_euclid(DAY));
        let first = first.max(last - MOST_DAYS + 1);
        Ok(links::of_code(tx, place, &code, first, last)?)
    });
    Ok(answer::send(answer::ok(&ClicksAnswer::new(read.await?))))
}
