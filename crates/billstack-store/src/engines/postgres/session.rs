//! What a session needs, whatever the server, the database, the role or the address say is usual.
//!
//! A setting of the session wins over those, also over one that is changed and reloaded while it lasts. What only
//! the server can set is looked at, and a session is refused when it would break a promise.
//!
//! Behind a pooler each transaction may get another session, which others use too. Then nothing of a session counts
//! but what the transaction itself has set, and no statement is kept prepared.

use std::sync::{Arc, Once};

use super::connection::Settings;
use super::transaction::PostgresTx;
use crate::params;
use crate::seam::{Fault, Row, Tx};

/// Sets what a session may set, and reads the rest.
///
/// With `synchronous_commit` at `off` an answered write can be lost in a crash, and at `local` or `remote_write` together
/// with its machine; `remote_apply` waits for more than `on`. The texts of our statements are written for standard strings
/// and sent in UTF-8.
///
/// The session of a pooler is left as it is, because others use it.
const PIN: &str = "SELECT \
    CASE own WHEN 'on' THEN set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false) END, \
    CASE own WHEN 'on' THEN set_config('standard_conforming_strings', 'on', false) END, \
    CASE own WHEN 'on' THEN set_config('client_encoding', 'UTF8', false) END, \
    current_setting('server_encoding'), current_setting('session_replication_role'), \
    current_setting('fsync'), current_setting('full_page_writes'), COALESCE(own, '') = 'on' \
    FROM current_setting('billstack.direct', true) AS own";

/// The same as PIN, and what begins with it, for one transaction.
const SET_LOCALLY: &str = "SELECT \
    set_config('synchronous_commit', CASE current_setting('synchronous_commit') \
        WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, true), \
    set_config('standard_conforming_strings', 'on', true), \
    set_config('client_encoding', 'UTF8', true)";

/// Whose the sessions of a connection are.
pub(super) enum Sessions {
    /// It has one, which is ours.
    Own,
    /// A pooler's: each transaction begins with this statement.
    Pooled(Arc<str>),
}

/// Makes a new session keep our promises, or says why it cannot. Until then nobody knows whose it is.
pub(super) fn pin(tx: &mut PostgresTx, settings: &Settings) -> Result<Sessions, Fault> {
    let tx: &mut dyn Tx = tx;
    let is_own = tx.one(PIN, params![], |row| {
        warn_of_losses(row.text(5)?, row.text(6)?);
        refuse(row)?;
        row.flag(7)
    })?;
    if is_own == Some(true) {
        return Ok(Sessions::Own);
    }
    tell_of_pooler();
    let assignments = settings.assignments()?;
    let set = assignments.iter().map(|(name, value)| {
        let [name, value] = [name, value].map(|text| text.replace('\'', "''"));
        format!(", set_config('{name}', '{value}', true)")
    });
    let set: String = std::iter::once(SET_LOCALLY.to_owned()).chain(set).collect();
    Ok(Sessions::Pooled(set.into()))
}

/// What the text of `options` sets, by name, as PostgreSQL reads it: `-c name=value`, `-cname=value` or
/// `--name=value`, with a backslash before a blank that is part of a value.
pub(super) fn assignments(options: &str) -> Result<Vec<(String, String)>, Fault> {
    let mut words = words(options).into_iter();
    let mut found = Vec::new();
    while let Some(word) = words.next() {
        let assignment = match word.strip_prefix("-c").or(word.strip_prefix("--")) {
            Some("") => words.next(),
            Some(assignment) => Some(assignment.to_owned()),
            None => None,
        };
        let parts = assignment.as_deref().and_then(|text| text.split_once('='));
        let Some((name, value)) = parts else {
            return Err(Fault::Unavailable(format!(
                "the options of the database URL must be settings such as -c name=value, which {word} is not"
            )));
        };
        found.push((name.trim().replace('-', "_"), value.to_owned()));
    }
    Ok(found)
}

fn words(options: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut letters = options.chars();
    while let Some(letter) = letters.next() {
        let last = words.len() - 1;
        match letter {
            '\\' => words[last].extend(letters.next()),
            letter if letter.is_ascii_whitespace() => words.push(String::new()),
            letter => words[last].push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Says once what a pooler costs.
fn tell_of_pooler() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        tracing::info!(
            "a pooler stands before PostgreSQL: each transaction sets what it needs, and statements are not kept \
             prepared, which takes longer than a direct connection"
        );
    });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_as_postgresql_reads_them() {
        let read = |text: &str| assignments(text).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = read("-c a=1 -cb=2  --c-d=3 -c search_path=x,\\ y -c e=f=g");
        let wanted = [
            pair("a", "1"),
            pair("b", "2"),
            pair("c_d", "3"),
            pair("search_path", "x, y"),
            pair("e", "f=g"),
        ];
        assert_eq!(all, wanted);
        assert_eq!(read(" "), []);
        for wrong in ["-d 5", "a=1", "-c", "-c a"] {
            assert!(assignments(wrong).is_err(), "{wrong}");
        }
    }
}
