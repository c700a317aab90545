//! `GET /api/billstack/caller`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::Scope;
use billstack_store::readers::{self, Reader};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::teams::api_keys::ScopeJson;
use crate::app::Shared;
use crate::clock::rfc3339;
use crate::error::{ApiError, Reason};
use crate::http::access::Reading;
use crate::http::answer;

/// What calls.
#[derive(Serialize, ToSchema)]
#[schema(as = CallerKind)]
#[serde(rename_all = "snake_case")]
pub enum KindJson {
    /// An API key.
    ApiKey,
    /// A person who has signed in.
    User,
}

/// Who calls, and where they may.
#[derive(Serialize, ToSchema)]
#[schema(as = Caller)]
#[serde(rename_all = "camelCase")]
struct CallerJson {
    /// What it is.
    kind: KindJson,
    /// The id of the key or of the person.
    #[schema(example = "key_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Display name.
    name: String,
    /// The team of the key; null for a person, who may be in several.
    #[schema(example = "team_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    team_id: Option<String>,
    /// The one project that the key is good for; null for every project of the team, and for a person.
    #[schema(example = "proj_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    project_id: Option<String>,
    /// What the key may do; null for a person, whose role in each team says it.
    #[schema(value_type = Option<Vec<ScopeJson>>)]
    scopes: Option<Vec<Scope>>,
    /// From when on the key is refused; null for never, and for a person.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
pub struct CallerAnswer {
    /// Who it is.
    caller: CallerJson,
}

/// Tell who calls.
///
/// What an API key is good for, or who has signed in.
#[utoipa::path(
    get, path = "", operation_id = "get_caller",
    responses((status = 200, description = "Who calls.", body = CallerAnswer)),
)]
pub async fn handle(State(app): State<Shared>, access: Reading) -> Result<Response, ApiError> {
    let caller = match (access.reader, access.user) {
        (Reader::Key(hash), _) => of_key(&app, hash).await?,
        (Reader::Person(id), Some(user)) => CallerJson {
            kind: KindJson::User,
            id,
            name: user.name,
            team_id: None,
            project_id: None,
            scopes: None,
            expires_at: None,
        },
        (Reader::Person(_), None) => return Err(ApiError::new(Reason::Internal)),
    };
    Ok(answer::send(answer::ok(&CallerAnswer { caller })))
}

async fn of_key(app: &Shared, hash: String) -> Result<CallerJson, ApiError> {
    let (team_id, key) = app.store.point(move |tx| readers::key(tx, &hash)).await?;
    Ok(CallerJson {
        kind: KindJson::ApiKey,
        id: key.id,
        name: key.name,
        team_id: Some(team_id.to_string()),
        project_id: key.project_id.map(|id| id.to_string()),
        scopes: Some(key.scopes.list().to_vec()),
        expires_at: key.expires_at.map(|at| rfc3339(at.0)),
    })
}
