//! `POST …/teams/{teamId}/api-keys`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::{Scope, Scopes, api_key_hash, api_key_prefix, format_api_key};
use billstack_core::ids::ProjectId;
use billstack_core::time::Micros;
use billstack_store::api_keys::{self, NewApiKey};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ApiKeyJson, ScopeJson};
use crate::api::teams::name;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::JsonObject;
use crate::secrets::random_bytes;

/// Scopes in one request; more can only be repeats.
const MOST_SCOPES: usize = 16;

/// What a new key is made of.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CreateApiKeyRequest {
    /// Display name.
    #[schema(min_length = 1, max_length = 255, example = "Production")]
    name: String,
    /// The one project it is good for; every project of the team when left out.
    #[schema(min_length = 1, max_length = 64)]
    project_id: Option<String>,
    /// What it may do; everything when left out or empty.
    #[schema(value_type = Option<Vec<ScopeJson>>, max_items = 16)]
    scopes: Scopes,
    /// From when on it is refused, in the future; never when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Micros>,
}

impl CreateApiKeyRequest {
    fn read(body: &JsonObject, now: Micros) -> Result<CreateApiKeyRequest, ApiError> {
        let expires_at = body.optional_time("expiresAt")?.map(Micros);
        if expires_at.is_some_and(|at| at <= now) {
            let message = "`expiresAt` must be in the future.";
            return Err(ApiError::invalid("expiresAt", message));
        }
        Ok(CreateApiKeyRequest {
            name: name(body)?,
            project_id: body.optional_text("projectId", 64)?,
            scopes: scopes(body)?,
            expires_at,
        })
    }
}

fn scopes(body: &JsonObject) -> Result<Scopes, ApiError> {
    let Some(texts) = body.optional_str_list("scopes", MOST_SCOPES, 64)? else {
        return Ok(Scopes::all());
    };
    let known: Option<Vec<Scope>> = texts.iter().map(|text| Scope::parse(text)).collect();
    known.map(Scopes::from_list).ok_or_else(|| {
        let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
        let message = format!("`scopes` may hold {} and nothing else.", all.join(", "));
        ApiError::invalid("scopes", message)
    })
}

/// A key and its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateApiKeyAnswer {
    /// The key, but for the secret.
    key: ApiKeyJson,
    /// The key itself; it is shown this once.
    #[schema(pattern = "^bs_[0-9a-f]{48}$")]
    raw_key: String,
}

/// Create an API key.
#[utoipa::path(
    post, path = "", operation_id = "create_api_key",
    request_body = CreateApiKeyRequest,
    responses((status = 201, description = "The new key.", body = CreateApiKeyAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input,
) -> Result<Response, ApiError> {
    let request = CreateApiKeyRequest::read(&input.body, app.now())?;
    let raw_key = format_api_key(random_bytes());
    let new = NewApiKey {
        key_hash: api_key_hash(&raw_key),
        name: request.name,
        prefix: api_key_prefix(&raw_key).to_owned(),
        project_id: request.project_id.map(ProjectId::from),
        scopes: request.scopes,
        expires_at: request.expires_at,
    };
    let team_id = access.team_id;
    let made = app.write(&access.caller, move |tx, act| {
        api_keys::create(tx, act, &team_id, &new)
    });
    let key = ApiKeyJson::new(&made.await?);
    Ok(answer::send(answer::created(&CreateApiKeyAnswer {
        key,
        raw_key,
    })))
}

/// The refusals it can meet, for the API document.
pub const REASONS: &[Reason] = &[Reason::NotFound];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::json::read_json;

    fn field_at_fault(body: &str) -> Option<String> {
        let body = read_json(body.as_bytes()).unwrap();
        let read = CreateApiKeyRequest::read(&body, Micros::from_secs(1_700_000_000));
        let error = read.err()?;
        error.field.as_deref().map(str::to_owned)
    }

    #[test]
    fn what_a_key_may_be_is_checked() {
        for fine in [
            r#"{"name":"a"}"#,
            r#"{"name":"a","projectId":null,"scopes":null,"expiresAt":null}"#,
            r#"{"name":"a","scopes":["referrals:read","referrals:read"]}"#,
            r#"{"name":"a","expiresAt":"2023-11-14T22:13:20.000001Z"}"#,
        ] {
            assert_eq!(field_at_fault(fine), None, "{fine}");
        }
        for (field, body) in [
            ("name", r#"{"name":""}"#),
            ("projectId", r#"{"name":"a","projectId":""}"#),
            (
                "scopes",
                r#"{"name":"a","scopes":["referrals:read","all"]}"#,
            ),
            ("scopes", r#"{"name":"a","scopes":"referrals:read"}"#),
            (
                "expiresAt",
                r#"{"name":"a","expiresAt":"2023-11-14T22:13:20Z"}"#,
            ),
            ("expiresAt", r#"{"name":"a","expiresAt":"tomorrow"}"#),
        ] {
            assert_eq!(field_at_fault(body).as_deref(), Some(field), "{body}");
        }
    }
}
