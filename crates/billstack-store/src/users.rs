//! People who sign in, and the one-time tokens that let the first of them in.
//!
//! A user belongs to no team, so no team's log tells of a sign-up; joining a team is logged there,
//! and a changed password in every team the user belongs to. Passwords and tokens come hashed.

use billstack_core::ids::IdKind;
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::Act;
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, sessions, statements, teams};

statements! {
    GET = "SELECT id, email, name, created_at FROM users WHERE id = $1";
    CREDENTIALS = "SELECT id, email, name, created_at, password_hash FROM users WHERE email = $1";
    HOLD_PASSWORD = "SELECT id FROM users WHERE id = $1 AND password_hash = $2 /* FOR SHARE */";
    ANY = "SELECT id FROM users LIMIT 1";
    INSERT = "INSERT INTO users (id, email, name, password_hash, created_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    SET_PASSWORD = "UPDATE users SET password_hash = $2 WHERE id = $1";
    TEAMS = "SELECT t.id FROM members AS m JOIN teams AS t ON t.team_id = m.team_id \
        WHERE m.user_id = $1 ORDER BY t.id";
    ADD_TOKEN = "INSERT INTO setup_tokens (token_hash, created_at) VALUES ($1, $2) \
        ON CONFLICT DO NOTHING";
    HAS_TOKEN = "SELECT token_hash FROM setup_tokens WHERE token_hash = $1";
    TAKE_TOKEN = "DELETE FROM setup_tokens WHERE token_hash = $1";
    DELETE_TOKENS = "DELETE FROM setup_tokens";
}

/// Held by whoever decides on there being no user yet.
const FIRST_USER: &str = "first user";

/// A person who can sign in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// `usr_…`.
    pub id: String,
    /// Normalised e-mail address, unique on this server.
    pub email: String,
    /// Display name.
    pub name: String,
    /// When the user signed up.
    pub created_at: Micros,
}

pub(crate) fn decode(row: &dyn Row) -> Result<User, Fault> {
    Ok(User {
        id: row.string(0)?,
        email: row.string(1)?,
        name: row.string(2)?,
        created_at: row.time(3)?,
    })
}

/// The user with this id.
pub fn get(tx: &mut dyn Tx, id: &str) -> Result<Option<User>, Fault> {
    tx.one(GET, params![id], decode)
}

/// The user with this id, or the refusal that there is none.
pub(crate) fn require(tx: &mut dyn Tx, id: &str) -> Result<User, Abort> {
    Ok(get(tx, id)?.ok_or(Refusal::NotFound("user"))?)
}

/// The user with this normalised e-mail address, and the hash of their password.
pub fn credentials(tx: &mut dyn Tx, email: &str) -> Result<Option<(User, String)>, Fault> {
    tx.one(CREDENTIALS, params![email], |row| {
        Ok((decode(row)?, row.string(4)?))
    })
}

/// Whether the user still has this password hash; if so, it stays until the transaction ends.
///
/// A password is verified outside of any transaction, because that takes long. Whoever then acts on
/// it asks here first, so that a password changed meanwhile opens no session.
pub fn has_password(tx: &mut dyn Tx, id: &str, password_hash: &str) -> Result<bool, Fault> {
    tx.exists(HOLD_PASSWORD, params![id, password_hash])
}

/// Whether the server has any user.
pub fn any(tx: &mut dyn Tx) -> Result<bool, Fault> {
    tx.exists(ANY, &[])
}

/// What a new user is made of.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Normalised e-mail address.
    pub email: String,
    /// Display name.
    pub name: String,
    /// The password, hashed.
    pub password_hash: String,
}

/// Creates a user. The unique index on the address decides who is first.
pub fn create(tx: &mut dyn Tx, act: &mut Act, new: &NewUser) -> Result<User, Abort> {
    let id = act.id(IdKind::User);
    let params = params![&id, &new.email, &new.name, &new.password_hash, act.at];
    if !tx.hit(INSERT, params)? {
        return Err(Refusal::UserExists.into());
    }
    Ok(User {
        id,
        email: new.email.clone(),
        name: new.name.clone(),
        created_at: act.at,
    })
}

/// Creates the first user of the server, and ends every set-up token.
pub fn create_first(tx: &mut dyn Tx, act: &mut Act, new: &NewUser) -> Result<User, Abort> {
    hold_first(tx)?;
    if any(tx)? {
        return Err(Refusal::AlreadySetUp.into());
    }
    tx.execute(DELETE_TOKENS, &[])?;
    create(tx, act, new)
}

/// Sets a user's password and ends every session of theirs; tells how many.
pub fn set_password(
    tx: &mut dyn Tx,
    act: &mut Act,
    user_id: &str,
    password_hash: &str,
) -> Result<u64, Abort> {
    // The password goes first: a sign-in that holds the old one is waited for, and its session ends.
    if !tx.hit(SET_PASSWORD, params![user_id, password_hash])? {
        return Err(Refusal::NotFound("user").into());
    }
    let ended = sessions::end_all_of(tx, user_id, None)?;
    for team_id in tx.all(TEAMS, params![user_id], |row| row.team_id(0))? {
        let facts = json!({"sessionsEnded": ended});
        act.record_team(tx, &team_id, "user.password_set", user_id, facts)?;
    }
    Ok(ended)
}

/// Keeps a set-up token, unless there is a user already; tells whether it did.
pub fn add_setup_token(tx: &mut dyn Tx, act: &mut Act, token_hash: &str) -> Result<bool, Abort> {
    hold_first(tx)?;
    if any(tx)? {
        return Ok(false);
    }
    Ok(tx.hit(ADD_TOKEN, params![token_hash, act.at])?)
}

/// Whether there is this set-up token. Taking it decides; this spares the work before in vain.
pub fn has_setup_token(tx: &mut dyn Tx, token_hash: &str) -> Result<bool, Fault> {
    tx.exists(HAS_TOKEN, params![token_hash])
}

/// Creates the first user of the server, by virtue of a set-up token.
pub fn sign_up_with_setup_token(
    tx: &mut dyn Tx,
    act: &mut Act,
    token_hash: &str,
    new: &NewUser,
) -> Result<User, Abort> {
    hold_first(tx)?;
    if any(tx)? {
        return Err(Refusal::AlreadySetUp.into());
    }
    if !tx.hit(TAKE_TOKEN, params![token_hash])? {
        return Err(Refusal::InvalidToken.into());
    }
    create_first(tx, act, new)
}

/// Several nodes may each have printed a token, and the command line needs none: taking a token is
/// not enough to be the only one who finds no user.
fn hold_first(tx: &mut dyn Tx) -> Result<(), Fault> {
    tx.lock(&teams::none(), &[FIRST_USER])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, new_user};

    #[test]
    fn a_setup_token_lets_one_person_in() {
        let bench = Bench::new();
        for token in ["one", "two"] {
            assert_eq!(
                bench.run(|tx, act| add_setup_token(tx, act, token)),
                Ok(true)
            );
        }
        assert!(bench.read(|tx| has_setup_token(tx, "one")));
        assert!(!bench.read(|tx| has_setup_token(tx, "three")));
        let unknown = |tx: &mut dyn Tx, act: &mut Act| {
            sign_up_with_setup_token(tx, act, "three", &new_user("a@example.com"))
        };
        assert_eq!(bench.run(unknown), Err(Refusal::InvalidToken.into()));

        let first = |tx: &mut dyn Tx, act: &mut Act| {
            sign_up_with_setup_token(tx, act, "one", &new_user("a@example.com"))
        };
        let user = bench.run(first).unwrap();
        assert_eq!(bench.read(|tx| get(tx, &user.id)), Some(user));

        // The other token went with the first, and a late start adds none.
        for token in ["one", "two"] {
            let again = bench.run(|tx, act| {
                sign_up_with_setup_token(tx, act, token, &new_user("b@example.com"))
            });
            assert_eq!(again, Err(Refusal::AlreadySetUp.into()));
        }
        assert_eq!(
            bench.run(|tx, act| add_setup_token(tx, act, "four")),
            Ok(false)
        );
        assert_eq!(bench.count("setup_tokens"), 0);
        assert_eq!(bench.count("users"), 1);
    }

    #[test]
    fn a_refused_sign_up_keeps_the_token() {
        let bench = Bench::new();
        bench
            .run(|tx, act| add_setup_token(tx, act, "one"))
            .unwrap();
        let failed: Result<(), Abort> = bench.run(|tx, act| {
            sign_up_with_setup_token(tx, act, "one", &new_user("a@example.com"))?;
            Err(Refusal::UserExists.into())
        });
        assert_eq!(failed, Err(Refusal::UserExists.into()));
        assert_eq!(bench.count("setup_tokens"), 1);
        assert_eq!(bench.count("users"), 0);
    }

    #[test]
    fn a_new_password_ends_every_session() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        for token in ["one", "two"] {
            let open = |tx: &mut dyn Tx, act: &mut Act| {
                sessions::create(tx, act, &user.id, token, sessions::LIFETIME)
            };
            bench.run(open).unwrap();
        }
        let set = |tx: &mut dyn Tx, act: &mut Act| set_password(tx, act, &user.id, "new hash");
        assert_eq!(bench.run(set), Ok(2));
        assert_eq!(bench.count("sessions"), 0);
        assert!(bench.read(|tx| has_password(tx, &user.id, "new hash")));
        assert!(!bench.read(|tx| has_password(tx, &user.id, "hash")));
        let nobody = bench.run(|tx, act| set_password(tx, act, "usr_0", "hash"));
        assert_eq!(nobody, Err(Refusal::NotFound("user").into()));
    }
}
