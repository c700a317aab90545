//! `GET …/activity.csv`: the audit log as a file of any length, read page by page while it is sent.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use billstack_core::ids::TeamId;
use billstack_store::activity::{self, ActivityFilter, Told};
use billstack_store::list::{Cursor, Page};
use billstack_store::{Refusal, Share, Thing, Weight, teams};
use futures_util::stream;
use serde_json::{Value, json};

use super::filter;
use crate::api::facts;
use crate::api::referrals::exports::Format;
use crate::api::referrals::exports::name::named;
use crate::api::referrals::exports::table::Table;
use crate::app::{App, Shared};
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::page::QueryString;

/// How many entries are read at once.
const PAGE: i64 = 500;

const COLUMNS: &[&str] = &[
    "id",
    "createdAt",
    "type",
    "subject",
    "actor",
    "actorName",
    "projectId",
    "referralId",
    "requestId",
    "facts",
    "before",
];

/// Export what was done.
///
/// All entries that the list has under the same filters, the latest first, as CSV for programs in which people open
/// tables.
#[utoipa::path(
    get, path = "", operation_id = "export_activity",
    params(
        ("actor" = Option<String>, Query, description = "Only by them.", min_length = 1, max_length = 255, example = "user:usr_01kgv5r3mq7x2h9d4t8w6c0b1e"),
        ("type" = Option<String>, Query, description = "Only of this type.", min_length = 1, max_length = 64, example = "program.updated"),
        ("subject" = Option<String>, Query, description = "Only about this thing, by its id or code.", min_length = 1, max_length = 64),
        ("requestId" = Option<String>, Query, description = "Only in this request.", min_length = 1, max_length = 64),
        ("from" = Option<String>, Query, description = "Only at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only before this time.", format = DateTime),
    ),
    responses((status = 200, description = "The file.", content((String = "text/csv",
        example = "id,createdAt,type,subject,actor,actorName,projectId,referralId,requestId,facts,before\r\n")))),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let (filter, team_id) = (filter(&query)?, access.team_id);
    // What happens from now on is not in it.
    let begin = Cursor {
        at: app.now().0.saturating_add(1),
        key: String::new(),
    };
    let file = file(&app, &team_id, &filter).await?;
    let (first, next) = part(&app, &team_id, &filter, Some(begin), true).await?;
    let rest = stream::try_unfold(
        (next, app, team_id, filter),
        async |(next, app, team_id, filter)| {
            if next.is_none() {
                return Ok(None);
            }
            let read = part(&app, &team_id, &filter, next, false).await;
            let (bytes, next) = read.map_err(|_| std::io::Error::other("the export was cut"))?;
            Ok::<_, std::io::Error>(Some((bytes, (next, app, team_id, filter))))
        },
    );
    let first = stream::once(std::future::ready(Ok(first)));
    let body = Body::from_stream(stream::StreamExt::chain(first, rest));
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    let file = format!("attachment; filename=\"{file}.csv\"");
    let file = HeaderValue::from_str(&file).unwrap_or(HeaderValue::from_static("attachment"));
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file)], body).into_response())
}

/// What the file is called, without its ending.
async fn file(app: &App, team_id: &TeamId, filter: &ActivityFilter) -> Result<String, ApiError> {
    let (team_id, times) = (team_id.clone(), (filter.from, filter.to));
    let read = app.store.point(move |tx| {
        let missing = Refusal::NotFound(Thing::Team);
        Ok(teams::get(tx, &team_id)?.ok_or(missing)?)
    });
    Ok(named("activity", &read.await?.name, times))
}

/// A part of the file, and where the next one begins.
async fn part(
    app: &App,
    team_id: &TeamId,
    filter: &ActivityFilter,
    after: Option<Cursor>,
    is_first: bool,
) -> Result<(Bytes, Option<Cursor>), ApiError> {
    let share = Share {
        team: team_id.number(),
        weight: Weight::Long,
    };
    let (team_id, filter) = (team_id.clone(), filter.clone());
    let page = Page {
        limit: PAGE,
        offset: 0,
        after,
    };
    let read = app.store.scan_for(share, move |tx| {
        Ok(activity::list(tx, &team_id, &filter, &page)?)
    });
    let part = read.await?;
    let mut table = Table::new(Format::Spreadsheet, COLUMNS, is_first);
    for told in part.rows {
        table.row(row(told));
    }
    Ok((table.into_bytes(), part.next))
}

fn row(told: Told) -> Vec<Value> {
    let deed = told.deed;
    let text = |facts: &str| facts::told(&deed.kind, facts).to_string();
    let (facts, before) = (text(&deed.facts), told.before.as_deref().map(text));
    vec![
        json!(deed.id),
        json!(rfc3339(deed.at.0)),
        json!(deed.kind),
        json!(deed.subject),
        json!(deed.actor),
        json!(told.actor_name),
        json!(deed.project_id.map(|id| id.to_string())),
        json!(deed.referral_id),
        json!(deed.request_id),
        json!(facts),
        json!(before),
    ]
}
