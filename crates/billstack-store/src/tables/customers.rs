//! Customers of a project: the people who refer and are referred.

use std::collections::BTreeMap;

use billstack_core::attribution::Found;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use super::many::{self, ids};
use super::projects::{in_test_project, project_of};
use crate::seam::list::{Cursor, Filter, List, Order, Page, Part, Texts, Wanted};
use crate::seam::{Fault, Place, Row, Tx, Val};
use crate::{params, statements};

statements! {
    GET = "SELECT id, email, name, external_id, stripe_customer_id, metadata, created_at, \
        updated_at FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL";
    GET_BY_EMAIL = "SELECT id, email, name, external_id, stripe_customer_id, metadata, created_at, \
        updated_at FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND email = $3 AND erased_at IS NULL";
    GET_BY_EXTERNAL_ID = "SELECT id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND external_id = $3 AND erased_at IS NULL";
    /// Every customer, erased ones too, that is or was this Stripe customer.
    OF_STRIPE = concat!("SELECT ", project_of!("customers"), ", id, stripe_customer_id, \
        erased_at IS NOT NULL, ", in_test_project!("customers"), " FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $2 ORDER BY project_id, id LIMIT 100");
    OF_ID = concat!("SELECT ", project_of!("customers"), ", id, stripe_customer_id, \
        erased_at IS NOT NULL, ", in_test_project!("customers"), " FROM customers \
        WHERE team_id = $1 AND id = $2 AND erased_at IS NULL \
        ORDER BY project_id LIMIT 100");
    /// The same without the project's id. It neither joins nor filters by project: on tables without
    /// statistics PostgreSQL would then choose the wrong plan, and every apply would read the whole project.
    IDS_OF_STRIPE = "SELECT project_id, id FROM customers \
        WHERE team_id = $1 AND stripe_customer_id = $2 ORDER BY project_id, id";
    /// Of an erased customer the Stripe id is left.
    PERSON = "SELECT email, stripe_customer_id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id = $3";
    /// Whom a customer is linked to, erased or not: it stays so until the transaction ends.
    LINK_OF = "SELECT stripe_customer_id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 /* FOR SHARE */";
    /// Of an erased customer it is null.
    EXTERNAL_ID = "SELECT external_id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id = $3";
    /// Of an erased customer the Stripe id is left.
    CONTACTS = concat!("SELECT id, email, name, external_id, stripe_customer_id FROM customers \
        WHERE team_id = $1 AND project_id = $2 AND id IN ", ids!());
    INSERT = "INSERT INTO customers (team_id, project_id, id, email, name, external_id, \
        stripe_customer_id, metadata, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE customers SET email = $4, name = $5, external_id = $6, \
        stripe_customer_id = $7, metadata = $8, updated_at = $9 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL";
    LINK = "UPDATE customers SET stripe_customer_id = $4, updated_at = $5 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL \
        AND stripe_customer_id IS NULL";
    RELINK = "UPDATE customers SET stripe_customer_id = $5, updated_at = $6 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL \
        AND stripe_customer_id = $4";
    ERASE = "UPDATE customers SET email = NULL, name = NULL, external_id = NULL, \
        metadata = '{}', updated_at = $4, erased_at = $4 \
        WHERE team_id = $1 AND project_id = $2 AND id = $3 AND erased_at IS NULL";
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
        Filter::Few("email"),
        Filter::Few("external_id"),
        Filter::Few("stripe_customer_id"),
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

/// The names under which events of a customer are kept, one or two: see
/// [`match_keys`](billstack_core::stripe_event::Start::match_keys).
pub(crate) fn names_of(customer_id: &str, stripe_customer_id: Option<&str>) -> Vec<String> {
    let stripe = stripe_customer_id.map(|id| format!("stripe:{id}"));
    let ours = format!("customer:{customer_id}");
    stripe.into_iter().chain([ours]).collect()
}

/// A row of [`GET`].
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

/// How a customer is called and reached; of an erased one only the Stripe id is left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    /// Normalised e-mail address.
    pub email: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// What the team calls them.
    pub external_id: Option<String>,
    /// Who they are in Stripe.
    pub stripe_customer_id: Option<String>,
}

/// The contacts of some customers, by their ids.
pub fn contacts<'i>(
    tx: &mut dyn Tx,
    place: &Place,
    ids: impl IntoIterator<Item = &'i str>,
) -> Result<BTreeMap<String, Contact>, Fault> {
    let mut contacts = BTreeMap::new();
    let ids = ids.into_iter().collect();
    many::each(tx, CONTACTS, place, &ids, &mut |row| {
        let contact = Contact {
            email: row.opt_string(1)?,
            name: row.opt_string(2)?,
            external_id: row.opt_string(3)?,
            stripe_customer_id: row.opt_string(4)?,
        };
        contacts.insert(row.string(0)?, contact);
        Ok(())
    })?;
    Ok(contacts)
}

/// The customer with this id.
pub fn get(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<Customer>, Fault> {
    tx.one(GET, params![&place.team_id, &place.project_id, id], decode)
}

/// Whom a customer is linked to in Stripe, erased or not. It stays so until the transaction ends.
pub(crate) fn link_of(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Option<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id, id];
    let link = tx.one(LINK_OF, scope, |row| row.opt_string(0))?;
    Ok(link.flatten())
}

/// The customer with this normalised e-mail address.
pub fn get_by_email(
    tx: &mut dyn Tx,
    place: &Place,
    email: &str,
) -> Result<Option<Customer>, Fault> {
    let scope = params![&place.team_id, &place.project_id, email];
    tx.one(GET_BY_EMAIL, scope, decode)
}

/// The id of the customer with this external id.
pub fn id_of_external(
    tx: &mut dyn Tx,
    place: &Place,
    external_id: &str,
) -> Result<Option<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id, external_id];
    tx.one(GET_BY_EXTERNAL_ID, scope, |row| row.string(0))
}

fn decode_found(row: &dyn Row) -> Result<Found, Fault> {
    Ok(Found {
        project_id: row.project_id(0)?,
        customer_id: row.string(1)?,
        stripe_customer_id: row.opt_string(2)?,
        is_erased: row.flag(3)?,
        is_test: row.flag(4)?,
    })
}

/// Every customer of a team, erased ones too, that is or was this Stripe customer.
pub(crate) fn of_stripe(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    stripe_id: &str,
) -> Result<Vec<Found>, Fault> {
    tx.all(OF_STRIPE, params![team_id, stripe_id], decode_found)
}

/// The customers of a team with this id, one in each project at most.
pub(crate) fn of_id(tx: &mut dyn Tx, team_id: &TeamId, id: &str) -> Result<Vec<Found>, Fault> {
    tx.all(OF_ID, params![team_id, id], decode_found)
}

/// What [`INSERT`] and [`UPDATE`] write of a customer, and when.
fn written<'c>(place: &Place, new: &'c Customer, at: Micros) -> [Val<'c>; 9] {
    [
        Val::from(&place.team_id),
        Val::from(&place.project_id),
        Val::from(&new.id),
        Val::from(&new.email),
        Val::from(new.name.as_deref()),
        Val::from(new.external_id.as_deref()),
        Val::from(new.stripe_customer_id.as_deref()),
        Val::from(&new.metadata),
        Val::from(at),
    ]
}

/// Adds a customer; tells whether no other was in the way.
pub(crate) fn insert(tx: &mut dyn Tx, place: &Place, new: &Customer) -> Result<bool, Fault> {
    tx.hit(INSERT, &written(place, new, new.created_at))
}

/// Writes every member of a customer that may change.
pub(crate) fn update(tx: &mut dyn Tx, place: &Place, new: &Customer) -> Result<(), Fault> {
    tx.must(UPDATE, &written(place, new, new.updated_at))
}

/// Links a customer that has no Stripe id yet; tells whether it did.
pub(crate) fn link(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    stripe_customer_id: &str,
    at: Micros,
) -> Result<bool, Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        id,
        stripe_customer_id,
        at
    ];
    tx.hit(LINK, row)
}

/// Links a customer to another Stripe customer than before; tells whether it did.
pub(crate) fn relink(
    tx: &mut dyn Tx,
    place: &Place,
    id: &str,
    [from, to]: [&str; 2],
    at: Micros,
) -> Result<bool, Fault> {
    let row = params![&place.team_id, &place.project_id, id, from, to, at];
    tx.hit(RELINK, row)
}

/// Erases the personal data of a customer.
pub(crate) fn erase(tx: &mut dyn Tx, place: &Place, id: &str, at: Micros) -> Result<(), Fault> {
    tx.must(ERASE, params![&place.team_id, &place.project_id, id, at])
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
    let wanted = wanted.map(|value| Wanted::from(value.clone()));
    let scope = params![&place.team_id, &place.project_id];
    LIST.read(tx, scope, &wanted, page, decode, |customer| Cursor {
        at: customer.created_at.0,
        key: customer.id.clone(),
    })
}
