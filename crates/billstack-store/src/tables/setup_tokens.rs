//! One-time tokens that let the first user in while there is none. They come hashed.

use billstack_core::time::Micros;

use crate::seam::{Fault, Tx};
use crate::{params, statements};

statements! {
    INSERT = "INSERT INTO setup_tokens (token_hash, created_at) VALUES ($1, $2) \
        ON CONFLICT DO NOTHING";
    EXISTS = "SELECT token_hash FROM setup_tokens WHERE token_hash = $1";
    TAKE = "DELETE FROM setup_tokens WHERE token_hash = $1";
    DELETE_ALL = "DELETE FROM setup_tokens";
}

/// Adds a token; tells whether it was new.
pub(crate) fn insert(tx: &mut dyn Tx, token_hash: &str, at: Micros) -> Result<bool, Fault> {
    tx.hit(INSERT, params![token_hash, at])
}

/// Whether there is this token.
pub(crate) fn exists(tx: &mut dyn Tx, token_hash: &str) -> Result<bool, Fault> {
    tx.exists(EXISTS, params![token_hash])
}

/// Uses a token up; tells whether it was there.
pub(crate) fn take(tx: &mut dyn Tx, token_hash: &str) -> Result<bool, Fault> {
    tx.hit(TAKE, params![token_hash])
}

/// Removes every token.
pub(crate) fn delete_all(tx: &mut dyn Tx) -> Result<(), Fault> {
    tx.execute(DELETE_ALL, &[]).map(|_| ())
}
