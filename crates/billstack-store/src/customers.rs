//! Customers of a project: the people who refer and are referred.

mod hold;

use billstack_core::ids::IdKind;
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Fact, Place};
use crate::erase;
use crate::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::reconsider::{self, Which};
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

pub use hold::hold_existing;
use hold::hold_new;
pub(crate) use hold::{Kept, confirm, hold, take};

statements! {
    GET = "SELECT id, email, name, external_id, stripe_customer_id, metadata, created_at, \
        updated_at FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL";
    GET_BY_EMAIL = "SELECT id, email, name, external_id, stripe_customer_id, metadata, created_at, \
        updated_at FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND email = $3 AND erased_at IS NULL";
    GET_BY_EXTERNAL_ID = "SELECT id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND external_id = $3 AND erased_at IS NULL";
    INSERT = "INSERT INTO customers (team_id, project_id, id, email, name, external_id, \
        stripe_customer_id, metadata, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE customers SET email = $4, name = $5, external_id = $6, \
        stripe_customer_id = $7, metadata = $8, updated_at = $9 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL";
    LINK = "UPDATE customers SET stripe_customer_id = $4, updated_at = $5 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL \
        AND stripe_customer_id IS NULL";
}

/// Every list of customers.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "customers",
    select: "SELECT id, email, name, external_id, stripe_customer_id, metadata, created_at, \
        updated_at FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND erased_at IS NULL",
    scope: 2,
    filters: &[
        Filter::Equals("email"),
        Filter::Equals("external_id"),
        Filter::Equals("stripe_customer_id"),
    ],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// A customer who has not been erased.
#[derive(Clone, Debug, PartialEq)]
pub struct Customer {
    /// `pc_…`.
    pub id: String,
    /// Normalised e-mail address, unique in the project.
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// The team's own id for this customer, unique in the project.
    pub external_id: Option<String>,
    /// The customer (`cus_…`) or account (`acct_…`) in Stripe.
    pub stripe_customer_id: Option<String>,
    /// A JSON object the team keeps with the customer.
    pub metadata: String,
    /// When it was created here.
    pub created_at: Micros,
    /// When it was last changed.
    pub updated_at: Micros,
}

pub(crate) fn decode(row: &dyn Row) -> Result<Customer, Fault> {
    Ok(Customer {
        id: row.string(0)?,
        email: row.string(1)?,
        name: row.opt_string(2)?,
        external_id: row.opt_string(3)?,
        stripe_customer_id: row.opt_string(4)?,
        metadata: row.string(5)?,
        created_at: row.time(6)?,
        updated_at: row.time(7)?,
    })
}

/// The customer with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Customer>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id, id], decode)
}

/// The customer with this id, or the refusal that there is none.
pub fn require(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Customer, Abort> {
    Ok(get(tx, place, id)?.ok_or(Refusal::NotFound("customer"))?)
}

/// The customer with this normalised e-mail address.
pub fn get_by_email(
    tx: &mut dyn Tx,
    place: &Place,
    email: &str,
) -> Result<Option<Customer>, Fault> {
    tx.one(
        GET_BY_EMAIL,
        params![&place.team_id, &place.project_id, email],
        decode,
    )
}

/// What a list of customers may be narrowed by.
#[derive(Clone, Debug, Default)]
pub struct CustomerFilter {
    /// Normalised e-mail address.
    pub email: Option<String>,
    /// The team's own id.
    pub external_id: Option<String>,
    /// The id in Stripe.
    pub stripe_customer_id: Option<String>,
}

/// Customers, the newest first.
pub fn list(
    tx: &mut dyn Tx,
    place: &Place,
    filter: &CustomerFilter,
    page: &Page,
) -> Result<Part<Customer>, Fault> {
    let wanted = [
        &filter.email,
        &filter.external_id,
        &filter.stripe_customer_id,
    ];
    LIST.read(
        tx,
        params![&place.team_id, &place.project_id],
        &wanted.map(|value| Wanted::from(value.clone())),
        page,
        decode,
        |customer| Cursor {
            at: customer.created_at.0,
            key: customer.id.clone(),
        },
    )
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
    /// What is worth knowing about the link to Stripe, for the audit log.
    pub stripe_note: Option<&'static str>,
}

/// Creates a customer. The unique indexes decide who is first. With a Stripe id it is linked from the
/// beginning: events that came for that id and found nobody are looked at again.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    new: &NewCustomer,
    grace: i64,
) -> Result<Customer, Abort> {
    let id = new.id.clone().unwrap_or_else(|| act.id(IdKind::Customer));
    if let Some(link) = &new.stripe_customer_id {
        hold_new(tx, place, &id, link)?;
    }
    let inserted = tx.hit(
        INSERT,
        params![
            &place.team_id,
            &place.project_id,
            &id,
            &new.email,
            new.name.as_deref(),
            new.external_id.as_deref(),
            new.stripe_customer_id.as_deref(),
            &new.metadata,
            act.at,
        ],
    )?;
    if !inserted {
        return Err(taken(tx, place, &new.email, new.external_id.as_deref())?.into());
    }
    let facts = json!({"stripeCustomerId": new.stripe_customer_id, "stripe": new.stripe_note});
    let fact = Fact {
        kind: "customer.created",
        subject: &id,
        referral_id: None,
        facts,
    };
    act.record(tx, place, &fact)?;
    let created = require(tx, place, &id)?;
    if created.stripe_customer_id.is_some() {
        reconsider::again(tx, act, place, &created, Which::Unplaced, grace)?;
    }
    Ok(created)
}

/// Which of the unique members is taken already.
fn taken(
    tx: &mut dyn Tx,
    place: &Place,
    email: &str,
    external_id: Option<&str>,
) -> Result<Refusal, Fault> {
    if let Some(existing) = get_by_email(tx, place, email)? {
        return Ok(Refusal::CustomerExists(place.clone(), Box::new(existing)));
    }
    let by_external_id = params![&place.team_id, &place.project_id, external_id];
    if external_id.is_some() && tx.exists(GET_BY_EXTERNAL_ID, by_external_id)? {
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

/// Changes a customer. A new Stripe id is a link: events kept for it are looked at again. A patch that
/// changes nothing leaves no trace.
pub fn update(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    patch: &CustomerPatch,
    grace: i64,
) -> Result<Customer, Abort> {
    let new_link = patch.stripe_customer_id.clone().flatten();
    let kept = match &new_link {
        Some(_) => Kept::LookedAt,
        None => Kept::LeftAlone,
    };
    hold(tx, place, id, new_link.as_deref(), kept)?;
    let old = require(tx, place, id)?;
    let new = patched(&old, patch);
    if new == old {
        return Ok(old);
    }
    if let Some(other) = get_by_email(tx, place, &new.email)?.filter(|other| other.id != old.id) {
        return Err(Refusal::CustomerExists(place.clone(), Box::new(other)).into());
    }
    let by_external_id = params![
        &place.team_id,
        &place.project_id,
        new.external_id.as_deref()
    ];
    let owner = tx.one(GET_BY_EXTERNAL_ID, by_external_id, |row| row.string(0))?;
    if owner.is_some_and(|owner| owner != old.id) {
        return Err(Refusal::ExternalIdTaken.into());
    }
    let params = params![
        &place.team_id,
        &place.project_id,
        id,
        &new.email,
        new.name.as_deref(),
        new.external_id.as_deref(),
        new.stripe_customer_id.as_deref(),
        &new.metadata,
        act.at,
    ];
    // Another call may take the address or the external id between the look and this write; the
    // unique index then ends the transaction, and the call is run again and sees who it was.
    tx.must(UPDATE, params)?;
    let fact = Fact {
        kind: "customer.updated",
        subject: id,
        referral_id: None,
        facts: json!({"changed": changed(&old, &new)}),
    };
    act.record(tx, place, &fact)?;
    if new.stripe_customer_id != old.stripe_customer_id {
        // They may tell of whoever is that Stripe customer in truth, who could not be erased from them.
        erase::forget_events(tx, place, id, None)?;
        if new.stripe_customer_id.is_some() {
            reconsider::again(tx, act, place, &new, Which::Open, grace)?;
        }
    }
    require(tx, place, id)
}

fn patched(old: &Customer, patch: &CustomerPatch) -> Customer {
    Customer {
        email: patch.email.clone().unwrap_or_else(|| old.email.clone()),
        name: patch.name.clone().unwrap_or_else(|| old.name.clone()),
        external_id: patch
            .external_id
            .clone()
            .unwrap_or_else(|| old.external_id.clone()),
        stripe_customer_id: patch
            .stripe_customer_id
            .clone()
            .unwrap_or_else(|| old.stripe_customer_id.clone()),
        metadata: patch
            .metadata
            .clone()
            .unwrap_or_else(|| old.metadata.clone()),
        ..old.clone()
    }
}

/// The names of the members that differ; the audit log keeps no personal values.
fn changed(old: &Customer, new: &Customer) -> Vec<&'static str> {
    let members = [
        ("email", old.email != new.email),
        ("name", old.name != new.name),
        ("externalId", old.external_id != new.external_id),
        (
            "stripeCustomerId",
            old.stripe_customer_id != new.stripe_customer_id,
        ),
        ("metadata", old.metadata != new.metadata),
    ];
    members
        .iter()
        .filter(|(_, differs)| *differs)
        .map(|(name, _)| *name)
        .collect()
}

/// Links a customer that has no Stripe id yet; tells whether it did.
pub(crate) fn link(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    id: &str,
    stripe_customer_id: &str,
) -> Result<bool, Fault> {
    let params = params![
        &place.team_id,
        &place.project_id,
        id,
        stripe_customer_id,
        act.at
    ];
    if !tx.hit(LINK, params)? {
        return Ok(false);
    }
    let facts = json!({"stripeCustomerId": stripe_customer_id});
    let fact = Fact {
        kind: "customer.linked",
        subject: id,
        referral_id: None,
        facts,
    };
    act.record(tx, place, &fact)?;
    Ok(true)
}
