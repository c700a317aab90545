//! Referral codes. A code is never deleted.

pub(crate) mod list;

pub use list::{CodeFilter, CodeSort, Listed, WithTotal};
pub(crate) use list::{LISTS, list};

use std::collections::BTreeMap;

use billstack_core::time::Micros;

use super::many::{self, ids};
use crate::seam::{Fault, Place, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT code, customer_id, is_active, created_at, names FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND code = $3";
    SOME = concat!("SELECT code, customer_id, is_active, created_at, names FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND code IN ", ids!());
    /// A code that nobody may deactivate until the transaction ends, and who owns it.
    HOLD = "SELECT codes.code, codes.customer_id, codes.is_active, codes.created_at, codes.names, \
        owners.email, owners.stripe_customer_id FROM codes JOIN customers AS owners \
        ON owners.team_id = codes.team_id AND owners.project_id = codes.project_id \
        AND owners.id = codes.customer_id \
        WHERE codes.team_id = $1 AND codes.project_id = $2 AND codes.code = $3 \
        /* FOR SHARE OF codes */";
    GET_ACTIVE = "SELECT code, customer_id, is_active, created_at, names FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 AND is_active";
    INSERT = "INSERT INTO codes (team_id, project_id, code, program_id, customer_id, is_active, \
        created_at, renamed_on, renames) VALUES ($1, $2, $3, $4, $5, TRUE, $6, 0, 0) ON CONFLICT DO NOTHING";
    DEACTIVATE = "UPDATE codes SET is_active = FALSE, deactivated_at = $4 \
        WHERE team_id = $1 AND project_id = $2 AND code = $3 AND is_active";
    RENAMED = "SELECT renamed_on, renames FROM codes \
        WHERE team_id = $1 AND project_id = $2 AND code = $3";
    RENAME = "UPDATE codes SET names = $4, renamed_on = $5, renames = $6 \
        WHERE team_id = $1 AND project_id = $2 AND code = $3";
    SET_NAMES = "UPDATE codes SET names = $4 WHERE team_id = $1 AND project_id = $2 AND code = $3";
    FORGET_NAMES = "UPDATE codes SET names = NULL \
        WHERE team_id = $1 AND project_id = $2 AND customer_id = $3 AND names IS NOT NULL";
}

/// A referral code.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// Eight upper-case letters and digits.
    pub code: String,
    /// The referrer it belongs to.
    pub customer_id: String,
    /// Whether it can be applied.
    pub is_active: bool,
    /// When it was made.
    pub created_at: Micros,
    /// Its other names.
    pub names: Names,
}

/// Other names of a code, as people see them, the present one first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names(pub Vec<String>);

fn split(names: Option<&str>) -> Vec<&str> {
    names.map_or_else(Vec::new, |names| names.split(' ').collect())
}

impl Names {
    fn read(text: Option<&str>) -> Names {
        Names(split(text).into_iter().map(str::to_owned).collect())
    }

    fn text(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.join(" "))
    }
}

impl Code {
    /// The same, borrowed.
    pub fn listed(&self) -> Listed<'_> {
        Listed {
            code: &self.code,
            customer_id: &self.customer_id,
            is_active: self.is_active,
            created_at: self.created_at,
            names: self.names.0.iter().map(String::as_str).collect(),
        }
    }
}

/// A row of [`GET`].
pub(crate) fn decode(row: &dyn Row) -> Result<Code, Fault> {
    Ok(Code {
        code: row.string(0)?,
        customer_id: row.string(1)?,
        is_active: row.flag(2)?,
        created_at: row.time(3)?,
        names: Names::read(row.opt_text(4)?),
    })
}

/// The code with this normalised text.
pub fn get(tx: &mut dyn Tx, place: &Place, code: &str) -> Result<Option<Code>, Fault> {
    tx.one(
        GET,
        params![&place.team_id, &place.project_id, code],
        decode,
    )
}

/// Some codes, by their texts.
pub(crate) fn some<'c>(
    tx: &mut dyn Tx,
    place: &Place,
    codes: impl IntoIterator<Item = &'c str>,
) -> Result<BTreeMap<String, Code>, Fault> {
    let mut found = BTreeMap::new();
    let codes = codes.into_iter().collect();
    many::each(tx, SOME, place, &codes, &mut |row| {
        let code = decode(row)?;
        found.insert(code.code.clone(), code);
        Ok(())
    })?;
    Ok(found)
}

/// A code that nobody may deactivate until the transaction ends, and who owns it.
pub(crate) struct HeldCode {
    pub(crate) code: Code,
    /// The owner's e-mail address; `None` once the owner has been erased.
    pub(crate) owner_email: Option<String>,
    /// The owner's Stripe id.
    pub(crate) owner_stripe_id: Option<String>,
}

/// A row of [`HOLD`].
pub(crate) fn decode_held(row: &dyn Row) -> Result<HeldCode, Fault> {
    Ok(HeldCode {
        code: decode(row)?,
        owner_email: row.opt_string(5)?,
        owner_stripe_id: row.opt_string(6)?,
    })
}

/// The active code of a customer.
pub fn get_active(
    tx: &mut dyn Tx,
    place: &Place,
    customer_id: &str,
) -> Result<Option<Code>, Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.one(GET_ACTIVE, scope, decode)
}

/// Adds a code; tells whether neither the code nor another active one of its owner was in the way.
pub(crate) fn insert(
    tx: &mut dyn Tx,
    place: &Place,
    code: &Code,
    program_id: &str,
) -> Result<bool, Fault> {
    let row = params![
        &place.team_id,
        &place.project_id,
        &code.code,
        program_id,
        &code.customer_id,
        code.created_at,
    ];
    tx.hit(INSERT, row)
}

/// Deactivates a code; tells whether it was active.
pub(crate) fn deactivate(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    at: Micros,
) -> Result<bool, Fault> {
    tx.hit(
        DEACTIVATE,
        params![&place.team_id, &place.project_id, code, at],
    )
}

/// How often a code was given another name on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Renames {
    /// The number of the day of UTC.
    pub(crate) day: i64,
    /// How often.
    pub(crate) count: i64,
}

/// How often a code was given another name on the last day on which it was.
pub(crate) fn renames(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
) -> Result<Option<Renames>, Fault> {
    let key = params![&place.team_id, &place.project_id, code];
    tx.one(RENAMED, key, |row| {
        Ok(Renames {
            day: row.int(0)?,
            count: row.int(1)?,
        })
    })
}

/// Gives a code these names, and counts it.
pub(crate) fn rename(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    names: &Names,
    renames: Renames,
) -> Result<(), Fault> {
    let names = names.text();
    let row = params![
        &place.team_id,
        &place.project_id,
        code,
        names.as_deref(),
        renames.day,
        renames.count,
    ];
    tx.must(RENAME, row)
}

/// Leaves a code these of its names.
pub(crate) fn set_names(
    tx: &mut dyn Tx,
    place: &Place,
    code: &str,
    names: &Names,
) -> Result<(), Fault> {
    let names = names.text();
    let row = params![&place.team_id, &place.project_id, code, names.as_deref()];
    tx.must(SET_NAMES, row)
}

/// Leaves the codes of a customer no other name.
pub(crate) fn forget_names(tx: &mut dyn Tx, place: &Place, customer_id: &str) -> Result<(), Fault> {
    let scope = params![&place.team_id, &place.project_id, customer_id];
    tx.execute(FORGET_NAMES, scope).map(|_| ())
}
