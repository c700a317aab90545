//! `POST …/teams/{teamId}/api-keys`.

use axum::extract::State;
use axum::response::Response;
use billstack_core::access::{Scope, Scopes, api_key_hash, api_key_prefix, format_api_key};
use billstack_core::ids::ProjectId;
use billstack_core::time::Micros;
use billstack_store::api_keys::{self, NewApiKey};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{ApiKeyJson, ScopeJson};
use crate::api::teams::Name;
use crate::app::Shared;
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::http::answer;
use crate::http::input::Input;
use crate::http::json::{Text, Time};
use crate::secrets::random_bytes;

/// Scopes in one request; more can only be repeats.
const MOST_SCOPES: usize = 16;

/// The longest text of a scope that is looked at, in characters.
const LONGEST_SCOPE: usize = 64;

/// What a new key is made of.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateApiKeyRequest {
    /// Display name.
    #[schema(value_type = String, min_length = 1, max_length = 255, example = "Production")]
    name: Name,
    /// The one project it is good for; every project of the team when left out.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64)]
    project_id: Option<Text<1, 64>>,
    /// What it may do; everything when left out.
    #[schema(value_type = Option<Vec<ScopeJson>>, min_items = 1, max_items = 16)]
    scopes: Option<SentScopes>,
    /// From when on it is refused, in the future; never when left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

/// What a key may do; a scope may be named twice.
struct SentScopes(Scopes);

impl<'de> Deserialize<'de> for SentScopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fits = |texts: &Vec<String>| {
            let short = |text: &String| text.chars().nth(LONGEST_SCOPE).is_none();
            (1..=MOST_SCOPES).contains(&texts.len()) && texts.iter().all(short)
        };
        let texts = Vec::deserialize(deserializer).ok().filter(fits);
        let texts = texts.ok_or_else(|| {
            D::Error::custom(format!(
                "must be a list of 1 to {MOST_SCOPES} strings of at most {LONGEST_SCOPE} characters; \
                 leave it out for a key that may do everything."
            ))
        })?;
        let known: Option<Vec<Scope>> = texts.iter().map(|text| Scope::parse(text)).collect();
        known.map(Scopes::from_list).map(SentScopes).ok_or_else(|| {
            let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            D::Error::custom(format!("may hold {} and nothing else.", all.join(", ")))
        })
    }
}

impl CreateApiKeyRequest {
    /// What is kept of this key.
    pub(crate) fn key(self, raw_key: &str, now: Micros) -> Result<NewApiKey, ApiError> {
        let expires_at = self.expires_at(now)?;
        Ok(NewApiKey {
            key_hash: api_key_hash(raw_key),
            name: self.name.0,
            prefix: api_key_prefix(raw_key).to_owned(),
            project_id: self.project_id.map(|Text(id)| ProjectId::from(id)),
            scopes: self.scopes.map_or_else(Scopes::all, |sent| sent.0),
            expires_at,
        })
    }

    fn expires_at(&self, now: Micros) -> Result<Option<Micros>, ApiError> {
        let expires_at = self.expires_at.map(|Time(at)| at);
        if expires_at.is_some_and(|at| at <= now) {
            let message = "`expiresAt` must be in the future.";
            return Err(ApiError::invalid("expiresAt", message));
        }
        Ok(expires_at)
    }
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
///
/// The whole key is in this answer only.
#[utoipa::path(
    post, path = "", operation_id = "create_api_key",
    request_body = CreateApiKeyRequest,
    responses((status = 201, description = "The new key.", body = CreateApiKeyAnswer)),
)]
pub async fn handle(
    State(app): State<Shared>,
    access: TeamAccess,
    input: Input<CreateApiKeyRequest>,
) -> Result<Response, ApiError> {
    let raw_key = format_api_key(random_bytes());
    let new = input.body.key(&raw_key, app.now())?;
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
    use crate::http::known::Known;

    fn field_at_fault(body: &str) -> Option<String> {
        let read = read_json::<CreateApiKeyRequest>(body.as_bytes(), &Known::default());
        let read = read.and_then(|request| request.expires_at(Micros::from_secs(1_700_000_000)));
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
            ("scopes", r#"{"name":"a","scopes":[]}"#),
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
