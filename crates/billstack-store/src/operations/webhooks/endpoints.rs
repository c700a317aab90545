//! The endpoints of a project: made, changed, switched off and on, taken away.

use billstack_core::event::Event;
use billstack_core::ids::IdKind;
use billstack_core::time::{HOUR, MINUTE, Micros};
use billstack_core::webhook::endpoint::{Disabled, Types};

use super::{Endpoint, NewEndpoint, log};
use crate::operations::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Lane, Place, Tx};
use crate::tables::webhook_deliveries::trouble;
use crate::tables::{events, projects, webhook_endpoints};

/// How many endpoints a project may have.
pub const MOST: usize = 10;

/// What is changed of an endpoint; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct EndpointPatch {
    /// Where it is.
    pub url: Option<String>,
    /// What its owners say of it.
    pub description: Option<Option<String>>,
    /// What it is told.
    pub types: Option<Types>,
}

/// The endpoint with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Endpoint, Abort> {
    let found = webhook_endpoints::get(tx, place, id)?;
    Ok(found.ok_or(Refusal::NotFound(Thing::WebhookEndpoint))?)
}

/// Where an endpoint is, and the secrets that are good now, sealed: for whoever tries it. `now` is the time of day.
pub fn to_test(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    now: Micros,
) -> Result<(String, Vec<String>), Abort> {
    let ahead = projects::clock(tx, place)?.unwrap_or_default();
    let found = webhook_endpoints::to_test(tx, place, id, now.plus(ahead))?;
    Ok(found.ok_or(Refusal::NotFound(Thing::WebhookEndpoint))?)
}

/// The endpoint with this id, which nobody else changes or judges until the transaction ends.
fn hold(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Endpoint, Abort> {
    super::hold(tx, id)?;
    get(tx, place, id)
}

/// Makes an endpoint, with the secret that `seal` seals for one of its id.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    new: &NewEndpoint,
    seal: impl Fn(&str) -> String,
) -> Result<Endpoint, Abort> {
    // Two who counted at the same moment would each make the last one.
    let name = format!("webhook endpoints of {}", place.project_id);
    tx.lock(&place.team_id, &[&name])?;
    if webhook_endpoints::of_project(tx, place)?.len() >= MOST {
        return Err(Refusal::TooManyEndpoints.into());
    }
    let id = act.id(IdKind::WebhookEndpoint);
    webhook_endpoints::insert(tx, place, &id, new, &seal(&id), act.at)?;
    let types = new.types.names();
    events::record(
        tx,
        act,
        place,
        &id,
        &Event::WebhookEndpointCreated { types },
    )?;
    get(tx, place, &id)
}

/// Changes an endpoint. What is as it was already is no change.
pub fn update(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    patch: &EndpointPatch,
) -> Result<Endpoint, Abort> {
    let mut endpoint = hold(tx, place, id)?;
    let mut changed = Vec::new();
    if let Some(description) = &patch.description
        && *description != endpoint.description
    {
        endpoint.description.clone_from(description);
        changed.push("description");
    }
    if let Some(types) = &patch.types
        && *types != endpoint.types
    {
        endpoint.types = types.clone();
        changed.push("types");
    }
    if let Some(url) = &patch.url
        && *url != endpoint.url
    {
        endpoint.url.clone_from(url);
        changed.push("url");
    }
    if changed.is_empty() {
        return Ok(endpoint);
    }
    webhook_endpoints::update(tx, place, &endpoint)?;
    let event = Event::WebhookEndpointUpdated { changed };
    events::record(tx, act, place, id, &event)?;
    get(tx, place, id)
}

/// Takes an endpoint away. What waits for it is not sent any more; what was sent stays for as long as any other.
pub fn delete(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<(), Abort> {
    hold(tx, place, id)?;
    webhook_endpoints::delete(tx, place, id, act.real())?;
    events::record(tx, act, place, id, &Event::WebhookEndpointDeleted {})?;
    Ok(())
}

/// Replaces the secret of an endpoint. The one before stays good for so many hours, the one before that no longer.
pub fn rotate(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    secret: &str,
    old_valid_hours: i64,
) -> Result<Micros, Abort> {
    hold(tx, place, id)?;
    let until = act.at.plus(old_valid_hours * HOUR);
    webhook_endpoints::rotate(tx, place, id, secret, until)?;
    let event = Event::WebhookEndpointSecretRotated {
        old_valid_until: until,
    };
    events::record(tx, act, place, id, &event)?;
    Ok(until)
}

/// Deliveries side by side end in any order: one that failed for good may have begun so long before the last success.
const SIDE_BY_SIDE: i64 = MINUTE;

/// Tells an endpoint of events again, with a clean sheet. Returns the time of the first event that it has missed since
/// it last took one, or since when it had not been told, if so.
pub fn enable(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
) -> Result<(Endpoint, Option<Micros>), Abort> {
    let endpoint = hold(tx, place, id)?;
    let Some((disabled_at, _)) = endpoint.disabled else {
        return Ok((endpoint, None));
    };
    let last = endpoint.health.last_success_at.unwrap_or(Micros(0));
    let (of, since) = ((&place.team_id, id), last.plus(-SIDE_BY_SIDE));
    let missed = trouble::undelivered_since(tx, of, since, log::MOST_LATELY)?;
    let missed_since = missed.map_or(disabled_at, |first| first.min(disabled_at));
    let health = endpoint.health.enabled(act.at);
    webhook_endpoints::judged(tx, place, id, &health, None)?;
    events::record(
        tx,
        act,
        place,
        id,
        &Event::WebhookEndpointEnabled { disabled_at },
    )?;
    // What waits for it from before is sent after all.
    act.filled.push(Lane::new(place, id));
    Ok((get(tx, place, id)?, Some(missed_since)))
}

/// Tells an endpoint of no events any more.
pub fn disable(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<Endpoint, Abort> {
    let endpoint = hold(tx, place, id)?;
    if endpoint.disabled.is_some() {
        return Ok(endpoint);
    }
    let (health, why) = (endpoint.health.disabled(), Disabled::ByHand);
    webhook_endpoints::judged(tx, place, id, &health, Some((act.at, why)))?;
    let reason = why.as_str();
    events::record(
        tx,
        act,
        place,
        id,
        &Event::WebhookEndpointDisabled { reason },
    )?;
    get(tx, place, id)
}
