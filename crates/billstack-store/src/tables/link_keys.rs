//! The keys of share links, one for each project that needs one.

use billstack_core::click::Key;
use billstack_core::time::Micros;

use crate::seam::{Fault, Place, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT link_key FROM link_keys WHERE team_id = $1 AND project_id = $2";
    INSERT = "INSERT INTO link_keys (team_id, project_id, link_key, created_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
}

/// The key of a project, if it has one.
pub(crate) fn get(tx: &mut dyn Tx, place: &Place) -> Result<Option<Key>, Fault> {
    let scope = params![&place.team_id, &place.project_id];
    tx.one(GET, scope, |row| {
        let mut key = Key::default();
        hex::decode_to_slice(row.text(0)?, &mut key)
            .map_err(|e| Fault::Defect(format!("the key of share links: {e}")))?;
        Ok(key)
    })
}

/// Gives a project a key; tells whether it had none.
pub(crate) fn insert(tx: &mut dyn Tx, place: &Place, key: &Key, at: Micros) -> Result<bool, Fault> {
    let text = hex::encode(key);
    tx.hit(
        INSERT,
        params![&place.team_id, &place.project_id, &text, at],
    )
}
