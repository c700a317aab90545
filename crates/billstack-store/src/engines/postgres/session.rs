//! What a session needs, whatever the server, the database, the role or the address say is usual.
//!
//! A setting of the session wins over those, also over one that is changed and reloaded while it lasts. What only
//! the server can set is looked at, and a session is refused when it would break a promise.

use std::sync::Once;

use super::transaction::PostgresTx;
use crate::params;
use crate::seam::{Fault, Row, Tx};

/// Sets what a session may set, and reads the rest.
///
/// With `synchronous_commit` at `off` an answered write can be lost in a crash, and at `local` or `remote_write` together
/// with its machine; `remote_apply` waits for more than `on`. The texts of our statements are written for standard strings
/// and sent in UTF-8.
const PIN: &str = "SELECT \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false), \
    set_config('standard_conforming_strings', 'on', false), \
    set_config('client_encoding', 'UTF8', false), \
    current_setting('server_encoding'), current_setting('session_replication_role'), \
    current_setting('fsync'), current_setting('full_page_writes')";

/// Makes a new session keep our promises, or says why it cannot.
pub(super) fn pin(tx: &mut PostgresTx) -> Result<(), Fault> {
    let tx: &mut dyn Tx = tx;
    tx.one(PIN, params![], |row| {
        warn_of_losses(row.text(5)?, row.text(6)?);
        refuse(row)
    })?;
    Ok(())
}

fn refuse(row: &dyn Row) -> Result<(), Fault> {
    let (encoding, role) = (row.text(3)?, row.text(4)?);
    if encoding != "UTF8" {
        return Err(Fault::Unavailable(format!(
            "the database has the encoding {encoding}, which cannot hold every name; make one with \
             `createdb --encoding UTF8 --template template0`"
        )));
    }
    if role != "origin" {
        return Err(Fault::Unavailable(format!(
            "session_replication_role is {role}, so foreign keys are not checked; \
             `ALTER ROLE … RESET session_replication_role`, or take it out of the address"
        )));
    }
    Ok(())
}

/// Says once that a power cut can damage this server; it may be meant so, as for tests.
fn warn_of_losses(fsync: &str, full_page_writes: &str) {
    static SAID: Once = Once::new();
    if (fsync, full_page_writes) != ("on", "on") {
        SAID.call_once(|| {
            tracing::warn!(
                fsync,
                full_page_writes,
                "this PostgreSQL can lose or damage what it has confirmed when its machine stops"
            );
        });
    }
}
