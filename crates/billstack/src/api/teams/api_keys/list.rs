//! `GET …/teams/{teamId}/api-keys`.

use axum::extract::State;
use axum::response::Response;
use billstack_store::api_keys;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiKeyJson;
use crate::app::Shared;
use crate::error::ApiError;
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::page::{DEFAULT_LIMIT, PageParams, QueryString, page};

/// A page of API keys.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeysAnswer {
    /// The newest first, those that are revoked or expired among them.
    keys: Vec<ApiKeyJson>,
    /// Present when there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// List API keys.
///
/// All keys of the team, the newest first, also revoked and expired ones. What they begin with is shown,
/// never the whole.
#[utoipa::path(
    get, path = "", operation_id = "list_api_keys",
    params(PageParams),
    responses((status = 200, description = "A page of keys.", body = ApiKeysAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    QueryString(query): QueryString,
) -> Result<Response, ApiError> {
    let page = page(&query, DEFAULT_LIMIT)?;
    let part = app
        .store
        .scan(move |tx| Ok(api_keys::list(tx, &access.team_id, &page)?));
    let part = part.await?;
    Ok(answer::send(answer::ok(&ApiKeysAnswer {
        keys: part.rows.iter().map(ApiKeyJson::new).collect(),
        next_cursor: part.next.map(|cursor| cursor.encode()),
    })))
}
