//! Finding out again what the key of a team may do, and whether its webhook endpoint is as it should be.

use billstack_core::ids::TeamId;
use billstack_store::stripe_connection::{self, Connection};
use billstack_store::work::Leased;
use billstack_store::{Abort, Actor};
use tokio::time::Instant;

use super::Next;
use super::asking::LONGEST;
use crate::app::App;
use crate::error::{ApiError, Reason};
use crate::stripe::Probed;

/// Asks once, and keeps the answer.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let team = stripe_connection::team_to_probe(&leased.key);
    let look = {
        let team = team.clone();
        app.store
            .point(move |tx| Ok(stripe_connection::get(tx, &team)?))
    };
    let connection = look.await?.filter(|connection| connection.is_active);
    let Some((connection, sealed)) = connection.and_then(|connection| {
        let sealed = connection.secret_key.clone()?;
        Some((connection, sealed))
    }) else {
        return Ok(Next::Done);
    };
    let deadline = Instant::now() + LONGEST;
    let asking = find_out(app, &team, &connection);
    let again = || {
        Next::Again(
            app.now().plus(stripe_connection::PROBE_EVERY),
            "{}".to_owned(),
        )
    };
    let probed = match app.in_time(&team, deadline, asking).await {
        Ok(probed) => probed,
        // The state of the connection shows it; a new key is looked into when it is connected.
        Err(error) if error.reason == Reason::StripeRefused => return Ok(again()),
        Err(error) => return Ok(Next::PutOff(error.to_string())),
    };
    let origin = app.origin(Actor::System, "job:stripe_probe");
    let kept = app.store.write(origin, move |tx, _| {
        Ok(stripe_connection::probed(tx, &team, &sealed, &probed)?)
    });
    // Connected anew meanwhile: that has put the row off by itself, or it is due at once.
    Ok(match kept.await? {
        true => again(),
        false => Next::PutOff("the team was connected anew".to_owned()),
    })
}

async fn find_out(app: &App, team: &TeamId, connection: &Connection) -> Result<String, ApiError> {
    let Some(key) = app.key_of(team, connection)? else {
        return Err(ApiError::new(Reason::StripeRefused));
    };
    let account = app.stripe.account(&key).await?;
    let endpoint_id = connection.endpoint_id.as_deref();
    let probed = app.probe_key(team, &key, account.is_some(), endpoint_id);
    Ok(probed.await.map(|probed| Probed::to_text(&probed))?)
}
