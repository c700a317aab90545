//! Other names of codes. A name is never removed.

use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT code FROM code_aliases WHERE team_id = $1 AND project_id = $2 AND alias = $3";
    /// A customer's next code may take over a name of the one before, and nobody else's may.
    CLAIM = "INSERT INTO code_aliases (team_id, project_id, alias, shown, code, customer_id, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (team_id, project_id, alias) \
        DO UPDATE SET code = excluded.code, shown = excluded.shown \
        WHERE code_aliases.customer_id = excluded.customer_id";
    OF_CUSTOMER = "SELECT alias FROM code_aliases WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 \
        AND shown IS NOT NULL";
    ERASE = "UPDATE code_aliases SET alias = $4, shown = NULL \
        WHERE team_id = $1 AND project_id = $2 AND alias = $3";
}

/// A name for a code.
pub(crate) struct Alias<'a> {
    /// As it is compared.
    pub(crate) alias: &'a str,
    /// As people see it.
    pub(crate) shown: &'a str,
    /// The code that it leads to.
    pub(crate) code: &'a str,
    /// Who owns both.
    pub(crate) customer_id: &'a str,
    pub(crate) created_at: Micros,
}

/// The code that a name leads to.
pub(crate) fn get(tx: &mut dyn Tx, place: &Place, alias: &str) -> Result<Option<String>, Fault> {
    let key = params![&place.team_id, &place.project_id, alias];
    tx.one(GET, key, |row| row.string(0))
}

/// Takes a name for a code; tells whether nobody else has it.
pub(crate) fn claim(tx: &mut dyn Tx, place: &Place, alias: &Alias<'_>) -> Result<bool, Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        alias.alias,
        alias.shown,
        alias.code,
        alias.customer_id,
        alias.created_at,
    ];
    tx.hit(CLAIM, row)
}

/// The names of a customer's codes.
pub(crate) fn of_customer(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Vec<String>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.all(OF_CUSTOMER, scope, |row| row.string(0))
}

/// Puts what is left of an erased name in its place.
pub(crate) fn erase(tx: &mut dyn Tx, place: &Place, alias: &str, left: &str) -> Result<(), Fault> {
    tx.must(
        ERASE,
        params![&place.team_id, &place.project_id, alias, left],
    )
}
