//! Whose subscription an event tells of, the most trustworthy evidence first.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::stripe_event::Start;

use super::{BY_ID, OF_STRIPE, Sign};
use crate::act::{Act, Place};
use crate::customers;
use crate::params;
use crate::projects;
use crate::tx::{Fault, Tx};

/// Whom an event may be about.
#[derive(Default)]
pub(super) struct Candidates {
    pub(super) customers: Vec<(Place, String)>,
    /// Erased ones that were its Stripe customer.
    pub(super) erased: Vec<(Place, String)>,
}

/// The customers an event may be about, linked to its Stripe customer when the event says so.
pub(super) fn candidates(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
) -> Result<Candidates, Fault> {
    let (team_id, start) = (sign.team_id, sign.start);
    let named = sign.project_id.as_ref();
    let wanted = |project_id: &ProjectId| named.is_none_or(|named| named == project_id);
    let mut found = Candidates::default();
    for stripe_id in start.stripe_ids() {
        for (project_id, id, erased_at) in
            tx.all(OF_STRIPE, params![team_id, stripe_id], |row| {
                Ok((row.project_id(0)?, row.string(1)?, row.opt_time(2)?))
            })?
        {
            if wanted(&project_id) {
                let those = match erased_at {
                    None => &mut found.customers,
                    Some(_) => &mut found.erased,
                };
                those.push((Place::new(team_id.clone(), project_id), id));
            }
        }
    }
    if found.customers.is_empty() {
        found.customers = referred_to(tx, act, sign, &wanted)?;
    }
    Ok(found)
}

/// The customers that the object itself refers to, if they are `wanted`. One alone is linked.
fn referred_to(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
    wanted: &dyn Fn(&ProjectId) -> bool,
) -> Result<Vec<(Place, String)>, Fault> {
    let (team_id, start) = (sign.team_id, sign.start);
    let mut found = Vec::new();
    for (id, trusted) in [
        (&start.billstack_customer_id, true),
        (&start.client_reference_id, false),
    ] {
        let Some(id) = id.as_deref().filter(|_| found.is_empty()) else {
            continue;
        };
        let rows = tx.all(BY_ID, params![team_id, id], |row| {
            Ok((row.project_id(0)?, row.string(1)?, row.opt_string(2)?))
        })?;
        for (project_id, id, linked) in rows {
            // Buyers can set client_reference_id, so it never speaks for a customer whose Stripe
            // id is known. Metadata is written by the team itself.
            if wanted(&project_id) && (linked.is_none() || trusted) {
                found.push((Place::new(team_id.clone(), project_id), id));
            }
        }
    }
    if let ([(place, id)], Some(stripe_id)) = (found.as_slice(), sign.stripe_id()) {
        customers::link(tx, act, place, id, stripe_id)?;
    }
    Ok(found)
}

/// The project that the event's metadata picks. Metadata is the team's to write, so it can only
/// choose among the team's own projects; anything else says nothing.
pub(crate) fn named_project(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    start: &Start,
) -> Result<Option<ProjectId>, Fault> {
    let Some(named) = start.project_id.as_deref() else {
        return Ok(None);
    };
    let place = Place::new(team_id.clone(), named);
    Ok(projects::exists(tx, &place)?.then_some(place.project_id))
}
