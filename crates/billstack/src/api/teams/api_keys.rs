//! `…/teams/{teamId}/api-keys`: what the team's own programs call with.

pub mod create;
pub mod list;
pub mod revoke;

use billstack_core::access::Scope;
use billstack_core::time::Micros;
use billstack_store::api_keys::ApiKey;
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock::rfc3339;

/// One thing a key may do; writing implies reading the same.
#[derive(Serialize, ToSchema)]
#[schema(as = Scope)]
pub enum ScopeJson {
    /// Look customers up.
    #[serde(rename = "customers:read")]
    CustomersRead,
    /// Create, change and delete customers.
    #[serde(rename = "customers:write")]
    CustomersWrite,
    /// Look at the program, codes, referrals and credits, and apply a code.
    #[serde(rename = "referrals:read")]
    ReferralsRead,
    /// Change the program; create and deactivate codes.
    #[serde(rename = "referrals:write")]
    ReferralsWrite,
    /// Look at webhook endpoints and what was sent to them.
    #[serde(rename = "webhooks:read")]
    WebhooksRead,
    /// Say where webhooks are sent, and send them again.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
}

/// An API key, but for the secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyJson {
    /// Its id.
    #[schema(example = "key_01kgv5r3mq7x2h9d4t8w6c0b1e")]
    id: String,
    /// Display name.
    name: String,
    /// How the key begins, to recognise it by.
    #[schema(example = "bs_1a2b")]
    prefix: String,
    /// The one project it is good for; null means every project of the team.
    project_id: Option<String>,
    /// What it may do: all there is, when it is not limited.
    #[schema(value_type = Vec<ScopeJson>, min_items = 1)]
    scopes: Vec<Scope>,
    /// From when on it is refused; null means never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was revoked; null while it has not been.
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// The day of UTC on which it was last used; null when it never was.
    #[schema(format = Date, example = "2026-11-03")]
    last_used_on: Option<String>,
}

impl ApiKeyJson {
    /// The JSON form of a key.
    pub fn new(key: &ApiKey) -> ApiKeyJson {
        ApiKeyJson {
            id: key.id.clone(),
            name: key.name.clone(),
            prefix: key.prefix.clone(),
            project_id: key.project_id.as_ref().map(ToString::to_string),
            scopes: key.scopes.list().to_vec(),
            expires_at: key.expires_at.map(|at| rfc3339(at.0)),
            revoked_at: key.revoked_at.map(|at| rfc3339(at.0)),
            created_at: rfc3339(key.created_at.0),
            last_used_on: key.last_used_on.map(Micros::day_text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_spelled_alike_everywhere() {
        let described = [
            ScopeJson::CustomersRead,
            ScopeJson::CustomersWrite,
            ScopeJson::ReferralsRead,
            ScopeJson::ReferralsWrite,
            ScopeJson::WebhooksRead,
            ScopeJson::WebhooksWrite,
        ];
        let described = described.map(|scope| serde_json::to_value(scope).ok());
        let known: Vec<_> = Scope::ALL
            .iter()
            .map(|scope| serde_json::to_value(scope).ok())
            .collect();
        assert_eq!(described.as_slice(), known);
    }
}
