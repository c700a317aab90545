//! People who sign in, and the one-time tokens that let the first of them in.
//!
//! A user belongs to no team, so no team's log tells of a sign-up; joining a team is logged there,
//! and a changed password in every team the user belongs to. Passwords and tokens come hashed.

use billstack_core::event::Event;
use billstack_core::ids::IdKind;

use super::refusal::{Abort, Refusal, Thing};

use crate::seam::place::no_team;
use crate::seam::{Act, Fault, Tx};
use crate::tables::{events, sessions, setup_tokens, users};

pub use crate::tables::users::{User, any, credentials, get, has_password};

/// Held by whoever decides on there being no user yet.
const FIRST_USER: &str = "first user";

/// The user with this id, or the refusal that there is none.
pub(crate) fn require(tx: &mut dyn Tx, id: &str) -> Result<User, Abort> {
    Ok(get(tx, id)?.ok_or(Refusal::NotFound(Thing::User))?)
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
    let user = User {
        id: act.id(IdKind::User),
        email: new.email.clone(),
        name: new.name.clone(),
        created_at: act.at,
        single_keys: true,
    };
    if !users::insert(tx, &user, &new.password_hash)? {
        return Err(Refusal::UserExists.into());
    }
    Ok(user)
}

/// Creates the first user of the server, and ends every set-up token.
pub fn create_first(tx: &mut dyn Tx, act: &mut Act, new: &NewUser) -> Result<User, Abort> {
    hold_first(tx)?;
    if any(tx)? {
        return Err(Refusal::AlreadySetUp.into());
    }
    setup_tokens::delete_all(tx)?;
    create(tx, act, new)
}

/// Sets a user's password and ends every session of theirs; tells how many.
pub fn set_password(
    tx: &mut dyn Tx,
    act: &mut Act,
    user_id: &str,
    password_hash: &str,
) -> Result<u64, Abort> {
    // The password comes first: this waits for a sign-in that holds the old one, and then ends its session.
    if !users::set_password(tx, user_id, password_hash)? {
        return Err(Refusal::NotFound(Thing::User).into());
    }
    let ended = sessions::end_all_of(tx, user_id, None)?;
    for team_id in users::teams_of(tx, user_id)? {
        let event = Event::UserPasswordSet {
            sessions_ended: ended,
        };
        events::record_of_team(tx, act, &team_id, user_id, &event)?;
    }
    Ok(ended)
}

/// Says whether single keys are shortcuts on the pages of a user.
pub fn set_single_keys(tx: &mut dyn Tx, user_id: &str, are: bool) -> Result<User, Abort> {
    if !users::set_single_keys(tx, user_id, are)? {
        return Err(Refusal::NotFound(Thing::User).into());
    }
    let user = get(tx, user_id)?;
    Ok(user.ok_or(Refusal::NotFound(Thing::User))?)
}

/// Keeps a set-up token, unless there is a user already; tells whether it did.
pub fn add_setup_token(tx: &mut dyn Tx, act: &mut Act, token_hash: &str) -> Result<bool, Abort> {
    hold_first(tx)?;
    if any(tx)? {
        return Ok(false);
    }
    Ok(setup_tokens::insert(tx, token_hash, act.at)?)
}

/// Whether this set-up token exists. Taking it decides; this only saves hashing a password in vain.
pub fn has_setup_token(tx: &mut dyn Tx, token_hash: &str) -> Result<bool, Fault> {
    setup_tokens::exists(tx, token_hash)
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
    if !setup_tokens::take(tx, token_hash)? {
        return Err(Refusal::InvalidToken.into());
    }
    create_first(tx, act, new)
}

/// Several nodes may each have printed a token, and the command line needs none, so taking a token does not
/// prove that there is no user yet.
fn hold_first(tx: &mut dyn Tx) -> Result<(), Fault> {
    tx.lock(&no_team(), &[FIRST_USER])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::sessions;
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
        assert_eq!(nobody, Err(Refusal::NotFound(Thing::User).into()));
    }
}
