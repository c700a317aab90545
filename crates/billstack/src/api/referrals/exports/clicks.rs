//! `GET …/referrals/exports/clicks`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::time::Micros;
use billstack_store::links::{self, Clicks};
use billstack_store::list::Page;
use billstack_store::{Place, Tx};
use serde_json::{Value, json};

use super::name::file;
use super::table::Table;
use super::{Format, format, send_pages};
use crate::api::referrals::overview::{asked, days};
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::ProjectRead;
use crate::http::page::QueryString;

const COLUMNS: &[&str] = &["date", "code", "vanity", "customer", "channel", "clicks"];

fn row(clicks: &Clicks) -> Vec<Value> {
    let counted = &clicks.counted;
    vec![
        json!(Micros(counted.begins()).day_text()),
        json!(counted.code),
        json!(clicks.name),
        json!(clicks.customer_id),
        json!(counted.channel),
        json!(clicks.count),
    ]
}

/// Export clicks.
///
/// How often the links of each code were followed on each day of UTC by each channel, the last day first. The rows sum to
/// the clicks of the overview of the same time.
#[utoipa::path(
    get, path = "", operation_id = "export_clicks",
    params(
        ("format" = inline(Option<Format>), Query, description = "`csv` when left out."),
        ("from" = Option<String>, Query, description = "From the day of this time on; 30 days up to `to` when left out.", format = DateTime),
        ("to" = Option<String>, Query, description = "Up to this time, not including it; now when left out.", format = DateTime),
    ),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv", example = "date,code,vanity,customer,channel,clicks\r\n"),
        (String = "application/x-ndjson", example = "{}\n"),
    ))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: ProjectRead,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (format, asked) = (format(&query)?, asked(&query)?);
    let file = file(&app, &access, "clicks", &query).await?;
    let days = days(asked, file.now);
    let read = move |tx: &mut dyn Tx, place: &Place, page: &Page, is_first| {
        let part = links::clicks(tx, place, days, page)?;
        let mut table = Table::new(format, COLUMNS, is_first);
        part.rows.iter().for_each(|clicks| table.row(row(clicks)));
        Ok((table, part.next))
    };
    send_pages(app, access, &file.name, format, read).await
}
