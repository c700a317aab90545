//! `GET …/activity`: who did what in a team.

pub mod csv;

use axum::extract::State;
use axum::response::Response;
use billstack_core::event::Event;
use billstack_store::activity::{self, ActivityFilter, Told};
use billstack_store::{Share, Weight};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::api::facts;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, QueryString, one_of, page, text, time};
use crate::http::query::Query;

/// Something that somebody did.
#[derive(Serialize, ToSchema)]
#[schema(as = ActivityEntry)]
#[serde(rename_all = "camelCase")]
struct DeedJson {
    /// The id of the event that tells of it.
    #[schema(example = "evt_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// What happened: a dotted name in the past tense.
    #[serde(rename = "type")]
    #[schema(example = "member.role_changed")]
    kind: String,
    /// The id or the code of what changed.
    #[schema(example = "usr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    subject: String,
    /// Who did it: `user:…`, `api_key:…`, `stripe:…`, `command_line` or `system`.
    #[schema(example = "user:usr_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    actor: String,
    /// What the person or the key is called; null for anybody else.
    #[schema(example = "Ada")]
    actor_name: Option<String>,
    /// The project it happened in; null where it is about the team.
    project_id: Option<String>,
    /// The referral whose story it is part of, if it is.
    referral_id: Option<String>,
    /// The `X-Request-Id` of the request it happened in.
    request_id: String,
    /// Details: ids, amounts, times, and what it is since.
    #[schema(value_type = Object, example = json!({"from": "viewer", "to": "member"}))]
    facts: Value,
    /// What a program was before it was changed, told like its `facts`; null for anything else, and for the first.
    #[schema(value_type = Option<Object>)]
    before: Option<Value>,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
}

impl DeedJson {
    fn new(told: Told) -> DeedJson {
        let deed = told.deed;
        let before = told.before.as_deref();
        DeedJson {
            facts: facts::told(&deed.kind, &deed.facts),
            before: before.map(|before| facts::told(&deed.kind, before)),
            id: deed.id,
            kind: deed.kind,
            subject: deed.subject,
            actor: deed.actor,
            actor_name: told.actor_name,
            project_id: deed.project_id.map(|id| id.to_string()),
            referral_id: deed.referral_id,
            request_id: deed.request_id,
            created_at: rfc3339(deed.at.0),
        }
    }
}

/// A page of what was done.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivityAnswer {
    /// The latest first.
    activity: Vec<DeedJson>,
    /// Present when there may be more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List what was done.
///
/// The audit log of a team and its projects, the latest first. Filters are exact and can be combined. So far is looked for
/// one page: it may have fewer entries than asked for, even none, and a `nextCursor` all the same.
#[utoipa::path(
    get, path = "", operation_id = "list_activity",
    params(
        ("limit" = Option<i64>, Query, description = "The most entries to return.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before.", max_length = 271, pattern = "^[0-9a-f]{1,15}\\.[^\\u0000]{1,255}$"),
        ("actor" = Option<String>, Query, description = "Only by them.", min_length = 1, max_length = 255, example = "user:usr_01kgv5r3mq7x2h9d4t8w6c0b1e"),
        ("type" = Option<String>, Query, description = "Only of this type.", min_length = 1, max_length = 64, example = "program.updated"),
        ("subject" = Option<String>, Query, description = "Only about this thing, by its id or code.", min_length = 1, max_length = 64),
        ("requestId" = Option<String>, Query, description = "Only in this request.", min_length = 1, max_length = 64),
        ("from" = Option<String>, Query, description = "Only at this time or later.", format = DateTime),
        ("to" = Option<String>, Query, description = "Only before this time.", format = DateTime),
    ),
    responses((status = 200, description = "A page of what was done.", body = ActivityAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let filter = filter(&query)?;
    let share = Share {
        team: access.team_id.number(),
        weight: Weight::Long,
    };
    let read = app.store.scan_for(share, move |tx| {
        Ok(activity::list(tx, &access.team_id, &filter, &page)?)
    });
    let part = read.await?;
    Ok(answer::send(answer::ok(&ActivityAnswer {
        activity: part.rows.into_iter().map(DeedJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}

/// Reads what is asked for.
pub(crate) fn filter(query: &Query) -> Result<ActivityFilter, ApiError> {
    let known = |text: &str| {
        let kinds = Event::KINDS.iter();
        kinds.copied().find(|kind| *kind == text)
    };
    Ok(ActivityFilter {
        actor: text(query, "actor", 255)?,
        kind: one_of(query, "type", known)?.map(str::to_owned),
        subject: text(query, "subject", 64)?,
        request_id: text(query, "requestId", 64)?,
        from: time(query, "from")?,
        to: time(query, "to")?,
    })
}
