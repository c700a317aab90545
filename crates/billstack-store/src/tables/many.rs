//! Rows of many ids at once, where a row for each would be a round trip for each.

use std::collections::BTreeSet;

use crate::seam::rows::EachRow;
use crate::seam::{Fault, Place, Tx, Val};

/// How many ids a statement takes.
const AT_ONCE: usize = 50;

/// The ids in a statement whose first two parameters are the place.
macro_rules! ids {
    () => {
        "($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, \
         $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, \
         $44, $45, $46, $47, $48, $49, $50, $51, $52)"
    };
}

pub(super) use ids;

/// Runs a statement over all of these ids, so many at once. Each is looked up once; the last one fills the places that
/// are left.
pub(super) fn each(
    tx: &mut dyn Tx,
    sql: &'static str,
    place: &Place,
    ids: &BTreeSet<&str>,
    row: &mut EachRow<'_>,
) -> Result<(), Fault> {
    let all: Vec<&str> = ids.iter().copied().collect();
    for some in all.chunks(AT_ONCE) {
        let last = some[some.len() - 1];
        let filled = some.iter().copied().chain(std::iter::repeat(last));
        let mut params = vec![Val::from(&place.team_id), Val::from(&place.project_id)];
        params.extend(filled.take(AT_ONCE).map(Val::from));
        tx.query(sql, &params, row)?;
    }
    Ok(())
}
