//! An event that tells of the start of a subscription, and whom it leads to.

use billstack_core::attribution::{self, Found, Leads};
use billstack_core::ids::{ProjectId, TeamId};
use billstack_core::stripe_event::Start;
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Tx};
use crate::tables::stripe_events::KeptStart;
use crate::tables::subscription_starts::{self, Told};
use crate::tables::{customers, projects, stripe_connections};

/// An event that tells of the start of a subscription.
pub(crate) struct Evidence<'a> {
    pub(crate) team_id: &'a TeamId,
    pub(crate) event_id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) start: &'a Start,
    /// Whether it was decided about before.
    pub(crate) is_known: bool,
    /// When the subscription began, if that is known: an invoice does not always tell.
    pub(crate) began_at: Option<Micros>,
    /// The project that its metadata picks, see [`named_project`].
    pub(crate) named: Option<ProjectId>,
    /// Whom it leads to.
    pub(crate) leads: Leads,
    /// Whether it leads to others besides, who are customers of test projects, and is of live mode itself.
    pub(crate) spares_tests: bool,
}

impl Evidence<'_> {
    /// The place of somebody it leads to.
    pub(super) fn place(&self, found: &Found) -> Place {
        Place::new(self.team_id.clone(), found.project_id.clone())
    }
}

/// What an event tells, and in which mode.
#[derive(Clone, Copy)]
pub(crate) struct Telling<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) start: &'a Start,
    /// None where it does not say; then it is of the mode in which the team is connected.
    pub(crate) livemode: Option<bool>,
    /// Whether it was decided about before.
    pub(crate) is_known: bool,
}

impl KeptStart {
    /// What an event told when it was taken in.
    pub(crate) fn telling<'a>(&'a self, event_id: &'a str) -> Telling<'a> {
        Telling {
            event_id,
            kind: &self.kind,
            start: &self.start,
            livemode: self.livemode,
            is_known: true,
        }
    }
}

/// Reads whom an event may be about. One of live mode is about nobody in a test project.
pub(crate) fn gather<'a>(
    tx: &mut dyn Tx,
    team_id: &'a TeamId,
    telling: Telling<'a>,
) -> Result<Evidence<'a>, Fault> {
    let Telling {
        event_id,
        kind,
        start,
        livemode,
        is_known,
    } = telling;
    let mut leads = Leads::default();
    for stripe_id in start.stripe_ids() {
        leads
            .by_stripe_id
            .extend(customers::of_stripe(tx, team_id, stripe_id)?);
    }
    if let Some(id) = &start.billstack_customer_id {
        leads.by_metadata = customers::of_id(tx, team_id, id)?;
    }
    if let Some(id) = &start.client_reference_id {
        leads.by_reference = customers::of_id(tx, team_id, id)?;
    }
    let spares_tests =
        leads.any_of_tests() && is_live(tx, team_id, livemode)? && leads.leave_out_tests();
    let named = named_project(tx, team_id, start)?;
    let began_at = beginning(tx, team_id, start)?;
    Ok(Evidence {
        team_id,
        event_id,
        kind,
        start,
        is_known,
        began_at,
        named,
        leads,
        spares_tests,
    })
}

fn is_live(tx: &mut dyn Tx, team_id: &TeamId, livemode: Option<bool>) -> Result<bool, Fault> {
    let livemode = match livemode {
        None => stripe_connections::livemode(tx, team_id)?,
        told => told,
    };
    Ok(livemode == Some(true))
}

/// When the subscription began. The first of its invoices was made then; of another one an earlier event may tell.
fn beginning(tx: &mut dyn Tx, team_id: &TeamId, start: &Start) -> Result<Option<Micros>, Fault> {
    let tells = start
        .invoice
        .as_ref()
        .is_none_or(|invoice| invoice.is_first);
    let mut known = tells.then_some(start.began_at);
    for stripe_id in start.stripe_ids().filter(|_| !tells) {
        let told = subscription_starts::began(tx, team_id, stripe_id, start.subscription())?;
        known = known.into_iter().chain(told).min();
    }
    Ok(known)
}

/// The project that the event's metadata picks. Metadata is the team's to write, so it can only
/// choose among the team's own projects; anything else says nothing.
fn named_project(
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

/// Keeps what an event tells of a subscription, findable by everyone it may belong to.
pub(crate) fn remember(tx: &mut dyn Tx, evidence: &Evidence<'_>) -> Result<(), Fault> {
    let Evidence { team_id, start, .. } = evidence;
    let told = Told {
        object_id: &start.object_id,
        event_id: evidence.event_id,
        began_at: start.customer_since(),
        counted_at: start.counted_at(),
        existed: start.existed(),
        project_id: evidence.named.as_ref(),
    };
    let named = evidence.named.as_ref();
    for name in attribution::names_spoken_for(start, named, &evidence.leads) {
        subscription_starts::keep(tx, team_id, &name, told)?;
    }
    Ok(())
}
