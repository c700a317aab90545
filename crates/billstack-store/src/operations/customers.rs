//! Customers: created, changed, and linked to a customer in Stripe.

use billstack_core::attribution::Reconsider;
use billstack_core::event::Event;
use billstack_core::ids::IdKind;

use super::credits::delivery::cure as delivery;
use super::hold::{ThenReconsider, hold, hold_new};
use super::reconsider;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::{customers, events, stripe_events};

pub use super::hold::hold_existing;
pub use crate::tables::customers::{
    Contact, Customer, CustomerFilter, contacts, get, get_by_email, id_of_external, list,
};

/// The customer with this id, or the refusal that there is none.
pub fn require(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Customer, Abort> {
    Ok(get(tx, place, id)?.ok_or(Refusal::NotFound(Thing::Customer))?)
}

/// What a new customer is made of.
#[derive(Clone, Debug)]
pub struct NewCustomer {
    /// An id fixed earlier (a customer being created in Stripe); a fresh one otherwise.
    pub id: Option<String>,
    /// Normalised e-mail address.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// The team's own id.
    pub external_id: Option<String>,
    /// The id in Stripe.
    pub stripe_customer_id: Option<String>,
    /// A JSON object.
    pub metadata: String,
    /// What is worth knowing about the link to Stripe, for the event log.
    pub stripe_note: Option<&'static str>,
}

/// Creates a customer. The unique indexes decide who is first. With a Stripe id it is linked from the
/// beginning: events that came for that id and found nobody are decided anew.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    new: &NewCustomer,
) -> Result<Customer, Abort> {
    let id = new.id.clone().unwrap_or_else(|| act.id(IdKind::Customer));
    if let Some(link) = &new.stripe_customer_id {
        hold_new(tx, act, place, &id, link)?;
    }
    let customer = Customer {
        id,
        email: new.email.clone(),
        name: new.name.clone(),
        external_id: new.external_id.clone(),
        stripe_customer_id: new.stripe_customer_id.clone(),
        metadata: new.metadata.clone(),
        created_at: act.at,
        updated_at: act.at,
    };
    if !customers::insert(tx, place, &customer)? {
        return Err(taken(tx, place, &customer)?.into());
    }
    let event = Event::CustomerCreated {
        stripe: new.stripe_note,
        stripe_customer_id: new.stripe_customer_id.as_deref(),
    };
    events::record(tx, act, place, &customer.id, &event)?;
    if customer.stripe_customer_id.is_some() {
        reconsider::again(tx, act, place, &customer, Reconsider::Unplaced)?;
    }
    Ok(customer)
}

/// Which of the unique members is taken already.
fn taken(tx: &mut dyn Tx, place: &Place, new: &Customer) -> Result<Refusal, Fault> {
    if let Some(existing) = get_by_email(tx, place, &new.email)? {
        return Ok(Refusal::CustomerExists(place.clone(), Box::new(existing)));
    }
    if let Some(external_id) = &new.external_id
        && id_of_external(tx, place, external_id)?.is_some()
    {
        return Ok(Refusal::ExternalIdTaken);
    }
    // Whoever held the address has just been erased; the caller may try again.
    Err(Fault::Conflict(
        "the customer in the way is gone".to_owned(),
    ))
}

/// Members to change; `None` leaves a member as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct CustomerPatch {
    /// New normalised e-mail address.
    pub email: Option<String>,
    /// New display name.
    pub name: Option<Option<String>>,
    /// New external id.
    pub external_id: Option<Option<String>>,
    /// New id in Stripe.
    pub stripe_customer_id: Option<Option<String>>,
    /// New metadata, replacing the old.
    pub metadata: Option<String>,
}

/// Changes a customer. A new Stripe id is a link: events kept for it are decided anew. A patch that
/// changes nothing leaves no trace.
pub fn update(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    patch: &CustomerPatch,
) -> Result<Customer, Abort> {
    let new_link = patch.stripe_customer_id.clone().flatten();
    let then = match &new_link {
        Some(_) => ThenReconsider::Yes,
        None => ThenReconsider::No,
    };
    let held = hold(tx, act, place, id, new_link.as_deref(), then)?;
    let old = held.ok_or(Refusal::NotFound(Thing::Customer))?;
    let mut new = patched(&old, patch);
    if new == old {
        return Ok(old);
    }
    refuse_taken(tx, place, &old, &new)?;
    new.updated_at = act.at;
    // Another call may take the address or the external id between the look and this write. Then the unique
    // index aborts the transaction, and the call is run again and sees who took it.
    customers::update(tx, place, &new)?;
    events::record(tx, act, place, id, &told_of(&old, &new))?;
    if new.stripe_customer_id == old.stripe_customer_id {
        return Ok(new);
    }
    // Their payloads may tell of the person who really is that Stripe customer, and erasing that person would
    // miss them.
    stripe_events::drop_payloads_of(tx, place, id, None)?;
    delivery::linked(tx, act, place, id)?;
    if new.stripe_customer_id.is_some() {
        reconsider::again(tx, act, place, &new, Reconsider::Open)?;
    }
    Ok(new)
}

/// Looks whether the new address or external id is somebody else's.
fn refuse_taken(
    tx: &mut dyn Tx,
    place: &Place,
    old: &Customer,
    new: &Customer,
) -> Result<(), Abort> {
    if let Some(other) = get_by_email(tx, place, &new.email)?.filter(|other| other.id != old.id) {
        return Err(Refusal::CustomerExists(place.clone(), Box::new(other)).into());
    }
    if let Some(external_id) = &new.external_id
        && let Some(owner) = id_of_external(tx, place, external_id)?
        && owner != old.id
    {
        return Err(Refusal::ExternalIdTaken.into());
    }
    Ok(())
}

fn patched(old: &Customer, patch: &CustomerPatch) -> Customer {
    let or = |new: &Option<Option<String>>, old: &Option<String>| {
        new.clone().unwrap_or_else(|| old.clone())
    };
    Customer {
        email: patch.email.clone().unwrap_or_else(|| old.email.clone()),
        name: or(&patch.name, &old.name),
        external_id: or(&patch.external_id, &old.external_id),
        stripe_customer_id: or(&patch.stripe_customer_id, &old.stripe_customer_id),
        metadata: patch
            .metadata
            .clone()
            .unwrap_or_else(|| old.metadata.clone()),
        ..old.clone()
    }
}

/// What is told of a change: a link alone where there is a new one.
fn told_of<'a>(old: &'a Customer, new: &'a Customer) -> Event<'a> {
    let (before, link) = (&old.stripe_customer_id, &new.stripe_customer_id);
    let changed = changed(old, new);
    match link.as_deref().filter(|_| link != before) {
        None => Event::CustomerUpdated { changed },
        Some(stripe_customer_id) => Event::CustomerLinked {
            changed: changed.into_iter().filter(|name| *name != LINK).collect(),
            instead_of: before.as_deref(),
            stripe_customer_id,
        },
    }
}

/// The member that links a customer to one of Stripe.
const LINK: &str = "stripeCustomerId";

/// The names of the members that differ; the event log keeps no personal values.
fn changed(old: &Customer, new: &Customer) -> Vec<&'static str> {
    let members = [
        ("email", old.email != new.email),
        ("name", old.name != new.name),
        ("externalId", old.external_id != new.external_id),
        (LINK, old.stripe_customer_id != new.stripe_customer_id),
        ("metadata", old.metadata != new.metadata),
    ];
    let differs = members.iter().filter(|(_, differs)| *differs);
    differs.map(|(name, _)| *name).collect()
}
