//! Whose subscription an event tells of, the most trustworthy evidence first.

use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::stripe_event::{Standing, Start};

use super::{BY_ID, OF_STRIPE, Sign};
use crate::act::{Act, Place};
use crate::customers;
use crate::params;
use crate::projects;
use crate::tx::{Fault, Tx};

/// Whom an event may be about.
#[derive(Default)]
pub(crate) struct Candidates {
    pub(crate) customers: Vec<(Place, String)>,
    /// Erased ones that were its Stripe customer.
    pub(super) erased: Vec<(Place, String)>,
}

/// The customers an event may be about, linked to its Stripe customer when the event says so.
///
/// What never leads to a subscription links nobody: buyers can begin such a session under any id, and
/// under another Stripe customer than the one they subscribe as in the end.
pub(super) fn candidates(
    tx: &mut dyn Tx,
    act: &mut Act,
    sign: &Sign<'_>,
) -> Result<Candidates, Fault> {
    let mut found = by_stripe_id(tx, sign)?;
    let referred = referred_to(tx, sign, &found.customers)?;
    if let ([(place, id)], Some(stripe_id)) = (referred.as_slice(), sign.stripe_id())
        && sign.start.standing != Standing::Never
    {
        customers::link(tx, act, place, id, stripe_id)?;
    }
    found.customers.extend(referred);
    Ok(found)
}

/// Those who are its Stripe customer, or were when they were erased.
pub(crate) fn by_stripe_id(tx: &mut dyn Tx, sign: &Sign<'_>) -> Result<Candidates, Fault> {
    let mut found = Candidates::default();
    for stripe_id in sign.start.stripe_ids() {
        for (project_id, id, erased_at) in
            tx.all(OF_STRIPE, params![sign.team_id, stripe_id], |row| {
                Ok((row.project_id(0)?, row.string(1)?, row.opt_time(2)?))
            })?
        {
            if sign.may_mean(&project_id) {
                let those = match erased_at {
                    None => &mut found.customers,
                    Some(_) => &mut found.erased,
                };
                those.push((Place::new(sign.team_id.clone(), project_id), id));
            }
        }
    }
    Ok(found)
}

/// The customers that the object itself refers to, besides those known by their Stripe id.
fn referred_to(
    tx: &mut dyn Tx,
    sign: &Sign<'_>,
    known: &[(Place, String)],
) -> Result<Vec<(Place, String)>, Fault> {
    let (team_id, start) = (sign.team_id, sign.start);
    let mut found = Vec::new();
    // Metadata is written by the team itself. Buyers can set client_reference_id, so it never speaks for
    // a customer whose Stripe id is known, nor about one who is known by it.
    for (id, trusted) in [
        (&start.billstack_customer_id, true),
        (&start.client_reference_id, false),
    ] {
        let is_asked = found.is_empty() && (trusted || known.is_empty());
        let Some(id) = id.as_deref().filter(|_| is_asked) else {
            continue;
        };
        let rows = tx.all(BY_ID, params![team_id, id], |row| {
            Ok((row.project_id(0)?, row.string(1)?, row.opt_string(2)?))
        })?;
        for (project_id, id, linked) in rows {
            let place = Place::new(team_id.clone(), project_id);
            // One Stripe customer may be a customer in several projects, but in each of them once.
            let is_free = known.iter().all(|(other, _)| *other != place);
            let is_open = linked.is_none() || (trusted && known.is_empty());
            if sign.may_mean(&place.project_id) && is_free && is_open {
                found.push((place, id));
            }
        }
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
