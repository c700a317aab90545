//! Connecting the new team with a secret key alone.

use std::time::Duration;

use billstack_core::ids::TeamId;
use billstack_store::store::Store;
use billstack_store::stripe_connection::{self, NewConnection};
use serde::Serialize;
use tokio::runtime::Runtime;

use super::super::output::Failure;
use super::super::{database, serve};
use crate::secrets::Cipher;
use crate::settings::{SecretText, Settings};
use crate::stripe::{Account, Made, Mode, SecretField, StripeClient, StripeError, Wanted, seal};

/// A key that Stripe takes, and the means to use it.
pub(super) struct Tried {
    key: SecretText,
    mode: Mode,
    account: Option<Account>,
    client: StripeClient,
    runtime: Runtime,
}

/// What became of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Connected {
    /// Whether the team is connected.
    connected: bool,
    /// Whether the webhook endpoint was made.
    webhook_created: bool,
    /// Why it was not, or the team is not connected.
    message: Option<String>,
}

/// Asks Stripe about a key, before anything is created.
pub(super) fn tried(
    settings: &Settings,
    (key, mode): (SecretText, Mode),
) -> Result<Tried, Failure> {
    let timeout = Duration::from_secs(settings.stripe_timeout_seconds.into());
    let client = StripeClient::new(&settings.stripe_api_base, timeout);
    let client = client.map_err(Failure::refused)?;
    let runtime = serve::runtime()?;
    let account = runtime.block_on(client.account(&key)).map_err(|error| {
        Failure::refused(match error {
            StripeError::Unavailable { .. } => "Stripe cannot be reached; nothing was created",
            _ => "Stripe does not take this key; nothing was created",
        })
    })?;
    Ok(Tried {
        key,
        mode,
        account,
        client,
        runtime,
    })
}

/// Makes the endpoint and stores the connection. The team is there already, so a failure is told and no more.
pub(super) fn connect(
    store: &Store,
    cipher: &Cipher,
    team_id: &TeamId,
    url: &str,
    tried: &Tried,
) -> Result<Connected, Failure> {
    let wanted = Wanted {
        key: &tried.key,
        mode: tried.mode,
        team_id,
        url,
        known: None,
        since: 0,
    };
    let Ok(made) = tried.runtime.block_on(tried.client.make_webhook(&wanted)) else {
        return Ok(Connected {
            connected: false,
            webhook_created: false,
            message: Some("Stripe did not answer; connect the team later.".to_owned()),
        });
    };
    let (endpoint, message) = match made {
        Made::New(id, secret) => (Some((id, secret)), None),
        // A new team has none.
        Made::Kept(_) => (None, None),
        Made::ByHand(by_hand) => (None, Some(by_hand.message)),
    };
    let sealed = |field, secret: &SecretText| seal(cipher, team_id, field, secret);
    let (endpoint_id, secret) = endpoint.unzip();
    let webhook_secret = secret.map(|secret| sealed(SecretField::WebhookSecret, &secret));
    let new = NewConnection {
        secret_key: Some(sealed(SecretField::SecretKey, &tried.key)),
        publishable_key: None,
        webhook_secret,
        livemode: Some(tried.mode == Mode::Live),
        account_id: tried.account.as_ref().map(|account| account.id.clone()),
        account_name: tried.account.as_ref().and_then(|one| one.name.clone()),
        endpoint_id,
        // The server finds out once it runs.
        probe: None,
    };
    let webhook_created = new.endpoint_id.is_some();
    let team = team_id.clone();
    database::write(store, "init", move |tx, act| {
        stripe_connection::connect(tx, act, &team, &new)
    })?;
    Ok(Connected {
        connected: true,
        webhook_created,
        message,
    })
}

impl Connected {
    /// For people.
    pub(super) fn sentence(&self) -> String {
        let why = self.message.as_deref().unwrap_or_default();
        match (self.connected, self.webhook_created) {
            (true, true) => "Connected to Stripe; the webhook endpoint is made.".to_owned(),
            (true, false) => format!("Connected to Stripe, without a webhook endpoint. {why}"),
            (false, _) => format!("Not connected to Stripe. {why}"),
        }
    }
}
