//! Whom an event may be about, the most trustworthy evidence first.

use crate::ids::ProjectId;
use crate::stripe_event::{Eligibility, Start};

/// A customer that a row tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The customer's project.
    pub project_id: ProjectId,
    /// Whether that is a test project.
    pub is_test: bool,
    /// The customer.
    pub customer_id: String,
    /// The Stripe customer it is linked to.
    pub stripe_customer_id: Option<String>,
    /// Whether the person has been erased.
    pub is_erased: bool,
}

/// Every customer that an event leads to, by the evidence it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leads {
    /// Those who are its Stripe customer, or were when they were erased.
    pub by_stripe_id: Vec<Found>,
    /// Those whom its metadata names. The team writes it.
    pub by_metadata: Vec<Found>,
    /// Those whom `client_reference_id` names. Buyers can set it.
    pub by_reference: Vec<Found>,
}

impl Leads {
    /// Whether anybody whom it leads to is in a test project.
    pub fn any_of_tests(&self) -> bool {
        let all = [&self.by_stripe_id, &self.by_metadata, &self.by_reference];
        all.into_iter().flatten().any(|found| found.is_test)
    }

    /// Leaves out whoever is in a test project; tells whether there was anybody.
    pub fn leave_out_tests(&mut self) -> bool {
        let any = self.any_of_tests();
        for found in [
            &mut self.by_stripe_id,
            &mut self.by_metadata,
            &mut self.by_reference,
        ] {
            found.retain(|found| !found.is_test);
        }
        any
    }
}

/// Whom an event may be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Customers.
    pub living: Vec<Found>,
    /// Erased ones that were its Stripe customer.
    pub erased: Vec<Found>,
    /// The customer that the event shows to be its Stripe customer; one of `living`.
    pub to_link: Option<Found>,
}

/// Whom an event may be about. `named` is the project of the team that its metadata picks.
///
/// An object that never leads to a subscription links nobody: buyers can begin such a session under any id,
/// and later subscribe as another Stripe customer.
pub fn candidates(start: &Start, named: Option<&ProjectId>, leads: &Leads) -> Candidates {
    let by_stripe_id = leads
        .by_stripe_id
        .iter()
        .filter(|found| may_mean(named, found));
    let (erased, mut living): (Vec<_>, Vec<_>) =
        by_stripe_id.cloned().partition(|found| found.is_erased);
    let referred = referred_to(named, leads, &living);
    let to_link = match referred.as_slice() {
        [only] if start.eligibility != Eligibility::Never => Some(only.clone()),
        _ => None,
    };
    living.extend(referred);
    Candidates {
        living,
        erased,
        to_link,
    }
}

/// Whether the event may be about somebody in this project.
fn may_mean(named: Option<&ProjectId>, found: &Found) -> bool {
    named.is_none_or(|named| *named == found.project_id)
}

/// The customers that the object itself refers to, besides those known by their Stripe id.
///
/// A reference that buyers can set proves nothing about a customer whose Stripe id is known, or whom the
/// Stripe id already finds.
fn referred_to(named: Option<&ProjectId>, leads: &Leads, known: &[Found]) -> Vec<Found> {
    // One Stripe customer may be a customer in several projects, but in each of them once.
    let is_free = |found: &&Found| {
        known
            .iter()
            .all(|other| other.project_id != found.project_id)
    };
    let is_unlinked = |found: &&Found| found.stripe_customer_id.is_none();
    let in_reach = |found: &&Found| may_mean(named, found) && is_free(found);

    let by_metadata = leads.by_metadata.iter().filter(in_reach);
    let trusted: Vec<_> = by_metadata
        .filter(|found| is_unlinked(found) || known.is_empty())
        .cloned()
        .collect();
    if !trusted.is_empty() || !known.is_empty() {
        return trusted;
    }
    let by_reference = leads.by_reference.iter().filter(in_reach);
    by_reference.filter(is_unlinked).cloned().collect()
}

/// The customer whom only `client_reference_id` names, and who is linked to another Stripe customer. A link is a
/// belief: it was found by an address, before the person had subscribed as anybody. So it may be the link that is
/// wrong, and not the reference.
pub fn disputed<'l>(
    start: &Start,
    named: Option<&ProjectId>,
    leads: &'l Leads,
) -> Option<&'l Found> {
    let is_about_somebody = start.eligibility == Eligibility::Never
        || start.stripe_ids().next().is_none()
        || !leads.by_stripe_id.is_empty()
        || !candidates(start, named, leads).living.is_empty();
    let mut referred = leads
        .by_reference
        .iter()
        .filter(|found| may_mean(named, found));
    match (referred.next(), referred.next()) {
        (Some(only), None) if !is_about_somebody => Some(only),
        _ => None,
    }
}

/// The names of those to whom an event may belong. Buyers can set `client_reference_id`, so it is left out
/// when the subscription is known to be somebody else's: it must not make a subscriber of the customer it
/// names.
pub fn names_spoken_for(start: &Start, named: Option<&ProjectId>, leads: &Leads) -> Vec<String> {
    let mut names = start.match_keys();
    let reference = start.client_reference_id.as_deref();
    let is_hint = |id: &&str| start.billstack_customer_id.as_deref() != Some(id);
    let Some(id) = reference.filter(is_hint) else {
        return names;
    };
    if pays_as_another(start, leads) || is_of_another(named, leads, id) {
        names.retain(|name| name.strip_prefix("customer:") != Some(id));
    }
    names
}

/// Whether the customer it refers to is known to pay as another Stripe customer than the one that subscribed.
fn pays_as_another(start: &Start, leads: &Leads) -> bool {
    let is_another = |found: &Found| {
        let linked = found.stripe_customer_id.as_deref();
        linked.is_some_and(|linked| start.stripe_ids().all(|id| id != linked))
    };
    !leads.by_reference.is_empty() && leads.by_reference.iter().all(is_another)
}

/// Whether the Stripe customer that subscribed is known to belong to another customer than this one.
fn is_of_another(named: Option<&ProjectId>, leads: &Leads, id: &str) -> bool {
    let living = |found: &&Found| may_mean(named, found) && !found.is_erased;
    let mut owners = leads.by_stripe_id.iter().filter(living).peekable();
    owners.peek().is_some() && owners.all(|owner| owner.customer_id != id)
}
