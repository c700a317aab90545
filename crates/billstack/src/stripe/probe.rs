//! What a key may do and which endpoint there is, found out by calls that change nothing.

use std::collections::BTreeMap;

use billstack_core::ids::TeamId;
use billstack_core::stripe_access::{self, PERMISSIONS};
use futures_util::future::{try_join, try_join_all};
use reqwest::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::endpoints::Endpoint;
use super::{Failure, StripeClient, StripeError};
use crate::app::App;
use crate::settings::SecretText;

/// What a restricted key begins with; any other secret key may do everything.
const RESTRICTED: &str = "rk_";

/// What was found out, as it is kept.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probed {
    /// Whether the key has each of the permissions that are of use.
    pub permissions: BTreeMap<String, bool>,
    /// The endpoint that sends events here, where the key may read it.
    pub endpoint: Option<ProbedEndpoint>,
}

/// An endpoint as it was found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbedEndpoint {
    /// `we_…`.
    pub id: String,
    /// The version of the shapes; `None` is the account's own.
    pub api_version: Option<String>,
    /// The types that should be sent and are not.
    pub missing_events: Vec<String>,
    /// Whether it tells by itself which invoice a refund is about; `None` where the version is not known.
    pub linkable: Option<bool>,
}

/// What is to be found out.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'p> {
    /// The key.
    pub key: &'p SecretText,
    /// Whether it may read its own account, which is found out elsewhere.
    pub reads_account: bool,
    /// Where events should be sent.
    pub url: &'p str,
    /// The endpoint that we made, if any.
    pub endpoint_id: Option<&'p str>,
}

impl StripeClient {
    /// Asks all of it at once.
    ///
    /// # Errors
    /// Stripe did not answer some of it, or does not take the key at all.
    pub async fn probe(&self, probe: &Probe<'_>) -> Result<Probed, Failure> {
        let names = PERMISSIONS.into_iter().map(async |name| {
            let allowed = self.allows(probe, name).await?;
            Ok((name.to_owned(), allowed))
        });
        let (permissions, endpoints) = try_join(try_join_all(names), self.readable(probe)).await?;
        let here = || endpoints.iter().filter(|one| one.url == probe.url);
        let ours = here().find(|one| Some(&*one.id) == probe.endpoint_id);
        let endpoint =
            ours.or_else(|| here().find(|one| one.status.as_deref() != Some("disabled")));
        Ok(Probed {
            permissions: permissions.into_iter().collect(),
            endpoint: endpoint.map(ProbedEndpoint::of),
        })
    }

    /// The endpoints that the key may read.
    async fn readable(&self, probe: &Probe<'_>) -> Result<Vec<Endpoint>, Failure> {
        match self.webhook_endpoints(probe.key).await {
            Err(Failure::PermissionMissing(_) | Failure::NotFound | Failure::Refused(_)) => {
                Ok(Vec::new())
            }
            found => found,
        }
    }

    /// Whether the key has a permission. To be allowed to read does not mean to be allowed to write, so a write is
    /// tried on something that does not exist.
    async fn allows(&self, probe: &Probe<'_>, permission: &str) -> Result<bool, Failure> {
        if !probe.key.expose().starts_with(RESTRICTED) {
            return Ok(true);
        }
        let (method, path) = match permission {
            "rak_connected_account_read" => return Ok(probe.reads_account),
            "rak_customer_write" => (Method::POST, "/v1/customers/cus_BillStackProbe"),
            "rak_webhook_write" => (Method::POST, "/v1/webhook_endpoints/we_BillStackProbe"),
            "rak_charge_read" => (Method::GET, "/v1/refunds"),
            "rak_dispute_read" => (Method::GET, "/v1/disputes"),
            "rak_credit_note_read" => (Method::GET, "/v1/credit_notes"),
            "rak_invoice_read" => (Method::GET, "/v1/invoices"),
            "rak_subscription_read" => (Method::GET, "/v1/subscriptions"),
            "rak_event_read" => (Method::GET, "/v1/events"),
            "rak_payment_intent_read" => (Method::GET, "/v1/payment_intents"),
            "rak_checkout_session_read" => (Method::GET, "/v1/checkout/sessions"),
            // Not one of those that are of use.
            _ => return Ok(false),
        };
        let reads = method == Method::GET;
        let request = self.request(method, path, probe.key);
        let request = match reads {
            true => request.query(&[("limit", "1")]),
            false => request.form::<[(&str, &str)]>(&[]),
        };
        is_allowed(self.ask::<IgnoredAny>(request).await)
    }
}

impl Probed {
    /// As it is kept.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("names and flags are JSON")
    }

    /// Reads what was kept. What another version has kept may be read as nothing.
    pub fn read(text: &str) -> Option<Probed> {
        serde_json::from_str(text).ok()
    }
}

impl App {
    /// Finds out what a key of a team may do.
    pub async fn probe_key(
        &self,
        team_id: &TeamId,
        key: &SecretText,
        reads_account: bool,
        endpoint_id: Option<&str>,
    ) -> Result<Probed, StripeError> {
        let url = self.webhook_url(team_id);
        let probe = Probe {
            key,
            reads_account,
            url: &url,
            endpoint_id,
        };
        Ok(self.stripe.probe(&probe).await?)
    }
}

impl ProbedEndpoint {
    fn of(endpoint: &Endpoint) -> ProbedEndpoint {
        let enabled = &endpoint.enabled_events;
        let missing = stripe_access::missing(enabled).into_iter();
        ProbedEndpoint {
            id: endpoint.id.clone(),
            api_version: endpoint.api_version.clone(),
            missing_events: missing.map(str::to_owned).collect(),
            linkable: stripe_access::links_refunds(endpoint.api_version.as_deref(), enabled),
        }
    }
}

/// Whether a call was let in, whatever became of it.
fn is_allowed<T>(answer: Result<T, Failure>) -> Result<bool, Failure> {
    match answer {
        Ok(_) | Err(Failure::NotFound | Failure::Refused(_)) => Ok(true),
        Err(Failure::PermissionMissing(_)) => Ok(false),
        Err(failure) => Err(failure),
    }
}
