//! Webhook endpoints of an account in Stripe.

use std::collections::BTreeMap;

use billstack_core::ids::TeamId;
use billstack_core::stripe_access::EVENTS;
use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::pages::plain;
use super::{Failure, StripeClient, VERSION};
use crate::settings::SecretText;

/// The path of all of them.
const ENDPOINTS: &str = "/v1/webhook_endpoints";

/// Which team an endpoint of ours is for.
const TEAM: &str = "billstack_team_id";

/// An endpoint, without its secret.
#[derive(Clone, Debug, Deserialize)]
pub struct Endpoint {
    /// `we_…`.
    pub id: String,
    /// Where events are sent.
    pub url: String,
    /// The version of their shapes; `None` is the account's own.
    pub api_version: Option<String>,
    /// The types that are sent.
    #[serde(default)]
    pub enabled_events: Vec<String>,
    /// `enabled` or `disabled`.
    pub status: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// A new endpoint, or one that the same key made before.
pub(super) struct NewEndpoint {
    pub(super) endpoint: Endpoint,
    pub(super) secret: SecretText,
    /// Whether it was made before: it may have been deleted since.
    pub(super) replayed: bool,
}

#[derive(Deserialize)]
struct Created {
    #[serde(flatten)]
    endpoint: Endpoint,
    secret: String,
}

impl Endpoint {
    /// Whether we made it, for this team and this address.
    pub(super) fn is_ours(&self, team_id: &TeamId, url: &str) -> bool {
        let team = self.metadata.get(TEAM).map(String::as_str);
        team == Some(team_id.as_str()) && self.url == url
    }
}

impl StripeClient {
    /// The account's endpoints in the mode of the key.
    pub(super) async fn webhook_endpoints(
        &self,
        key: &SecretText,
    ) -> Result<Vec<Endpoint>, Failure> {
        let page = self.page(key, ENDPOINTS, &[], None).await?;
        Ok(page.of(|one: &Endpoint| &one.id).rows)
    }

    /// Makes an endpoint for a team, in the version that our own calls are answered in. It goes with an idempotency
    /// key, since its secret is told only once.
    pub(super) async fn create_webhook_endpoint(
        &self,
        key: &SecretText,
        idempotency_key: &str,
        team_id: &TeamId,
        url: &str,
    ) -> Result<NewEndpoint, Failure> {
        let metadata = format!("metadata[{TEAM}]");
        let mut form = vec![
            ("url", url),
            ("api_version", VERSION),
            ("description", "BillStack Referrals"),
            (&metadata, team_id.as_str()),
        ];
        form.extend(EVENTS.map(|kind| ("enabled_events[]", kind)));
        let request = self.request(Method::POST, ENDPOINTS, key);
        let request = request.header("idempotency-key", idempotency_key);
        let answer = self.twice(request.form(&form)).await?;
        let Created { endpoint, secret } = answer.read()?;
        Ok(NewEndpoint {
            endpoint,
            secret: SecretText::new(secret),
            replayed: answer.replayed,
        })
    }

    /// Has an endpoint send all events that are of use, and switches it on.
    pub(super) async fn mend_webhook_endpoint(
        &self,
        key: &SecretText,
        id: &str,
    ) -> Result<Endpoint, Failure> {
        let mut form = vec![("disabled", "false")];
        form.extend(EVENTS.map(|kind| ("enabled_events[]", kind)));
        let request = self.request(Method::POST, &path(id)?, key);
        self.ask(request.form(&form)).await
    }

    /// Deletes an endpoint; one that is not there is as good as deleted.
    pub async fn delete_webhook_endpoint(&self, key: &SecretText, id: &str) -> Result<(), Failure> {
        let request = self.request(Method::DELETE, &path(id)?, key);
        match self.ask::<IgnoredAny>(request).await {
            Ok(_) | Err(Failure::NotFound) => Ok(()),
            Err(failure) => Err(failure),
        }
    }
}

fn path(id: &str) -> Result<String, Failure> {
    Ok(format!("{ENDPOINTS}/{}", plain(id)?))
}
