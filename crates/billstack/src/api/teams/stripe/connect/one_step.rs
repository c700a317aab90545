//! Connecting with a secret key alone.

use billstack_core::ids::TeamId;
use billstack_core::stripe_access::EVENTS;
use billstack_store::stripe_connection::{self, Connection, NewConnection};

use super::{MadeWebhookJson, SyncStatusJson, Tried};
use crate::app::App;
use crate::error::{ApiError, Reason};
use crate::http::access::TeamAccess;
use crate::settings::SecretText;
use crate::stripe::{self, Made, Mode, SecretField, StripeError, Wanted, unsealed};

/// How often it is begun again because somebody else connected the team meanwhile.
const MOST_TIMES: usize = 8;

/// Makes the endpoint and connects the team with it. If the team was connected meanwhile, that is looked at anew: of
/// two who make an endpoint, the second may have deleted that of the first; whoever comes too late tidies up.
pub(super) async fn connect(
    app: &App,
    access: &TeamAccess,
    tried: &Tried,
) -> Result<(SyncStatusJson, MadeWebhookJson), ApiError> {
    let Some(key) = &tried.secret_key else {
        return Err(ApiError::new(Reason::Internal));
    };
    let team_id = access.team_id.clone();
    for _ in 0..MOST_TIMES {
        let seen = seen(app, &team_id).await?;
        let made = make(app, &team_id, tried, key, seen.as_ref()).await?;
        let new = connection(app, &team_id, tried, seen.as_ref(), &made).await;
        let team = team_id.clone();
        let connected = app.write(&access.caller, move |tx, act| {
            let done = stripe_connection::connect_after(tx, act, &team, seen.as_ref(), &new)?;
            Ok((done, SyncStatusJson::of(tx, &team)?))
        });
        if let (true, sync_status) = connected.await? {
            return Ok((sync_status, told(app, &team_id, made)));
        }
    }
    Err(ApiError::new(Reason::Overloaded).retry_after(1))
}

async fn seen(app: &App, team_id: &TeamId) -> Result<Option<Connection>, ApiError> {
    let team = team_id.clone();
    let read = app
        .store
        .point(move |tx| Ok(stripe_connection::get(tx, &team)?));
    Ok(read.await?)
}

async fn make(
    app: &App,
    team_id: &TeamId,
    tried: &Tried,
    key: &SecretText,
    seen: Option<&Connection>,
) -> Result<Made, ApiError> {
    let url = app.webhook_url(team_id);
    let wanted = Wanted {
        key,
        mode: tried.mode.unwrap_or(Mode::Test),
        team_id,
        url: &url,
        known: seen.and_then(|seen| known(app, team_id, seen)),
        since: seen.map_or(0, |seen| seen.connected_at.0),
    };
    let made = app.stripe.make_webhook(&wanted).await;
    made.map_err(|failure| StripeError::from(failure).of_new_key())
}

/// The endpoint that we made, if its secret can be opened.
fn known<'c>(app: &App, team_id: &TeamId, seen: &'c Connection) -> Option<&'c str> {
    let sealed = seen.webhook_secret.as_deref()?;
    unsealed(&app.cipher, team_id, SecretField::WebhookSecret, sealed).ok()?;
    seen.endpoint_id.as_deref().filter(|_| seen.is_active)
}

/// What is stored: with the new secret, or with the one that the team had.
async fn connection(
    app: &App,
    team_id: &TeamId,
    tried: &Tried,
    seen: Option<&Connection>,
    made: &Made,
) -> NewConnection {
    let (endpoint_id, webhook_secret) = match made {
        Made::New(id, secret) => {
            let field = SecretField::WebhookSecret;
            let sealed = stripe::seal(&app.cipher, team_id, field, secret);
            (Some(id.clone()), Some(sealed))
        }
        Made::Kept(id) => (Some(id.clone()), secret_of(seen)),
        Made::ByHand(_) => (None, secret_of(seen)),
    };
    let probed = tried.probe(app, team_id, endpoint_id.as_deref()).await;
    NewConnection {
        webhook_secret,
        endpoint_id,
        ..tried.sealed(app, team_id, probed.as_ref())
    }
}

fn secret_of(seen: Option<&Connection>) -> Option<String> {
    seen.and_then(|seen| seen.webhook_secret.clone())
}

fn told(app: &App, team_id: &TeamId, made: Made) -> MadeWebhookJson {
    let (id, obstacle) = match made {
        Made::New(id, _) | Made::Kept(id) => (Some(id), None),
        Made::ByHand(by_hand) => (None, Some(by_hand)),
    };
    MadeWebhookJson {
        created: id.is_some(),
        id,
        reason: obstacle.as_ref().map(|one| one.obstacle.into()),
        message: obstacle.map(|one| one.message),
        events: EVENTS.to_vec(),
        url: app.webhook_url(team_id),
    }
}
