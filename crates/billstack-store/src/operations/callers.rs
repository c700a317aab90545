//! Who may do what where: the one place that turns a credential into a caller.
//!
//! A caller is admitted before anything is done for it, and a write checks its [`Guard`] again inside the
//! transaction: a key that was revoked in between, on any node, changes nothing.

use std::sync::Arc;

use billstack_core::access::{Role, Scope};
use billstack_core::time::Micros;

use super::refusal::{Abort, Refusal};
use super::{sessions, test_clock, users::User};
use crate::params;
use crate::seam::tx::Question;
use crate::seam::{Act, Actor, Fault, Place, Tx};
use crate::tables::api_keys::{self, KeyAt};
use crate::tables::{members, projects, webhook_endpoints};

/// What somebody may be allowed to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Whatever anybody may who is signed in.
    SignedIn,
    /// The same, and an API key, as far as it may read.
    Known,
    /// What every signed-in member of the team may.
    TeamMember,
    /// The same, and any API key of the team, as far as it may read.
    TeamKnown,
    /// What signed-in members of the team may who change what is in its projects.
    TeamWriter,
    /// The same, and an API key of the team with this scope, where it is good.
    TeamReader(Scope),
    /// What signed-in owners and admins of the team may.
    TeamAdmin,
    /// What an API key with this scope may in the project, or a signed-in member whose role allows it.
    Project(Scope),
    /// What changes where people or data are sent to: for a key with every scope, and owners and admins. The scope is
    /// the one of what it is about.
    ProjectAdmin(Scope),
}

/// What a caller shows to be let in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credential {
    /// The hash of an API key.
    ApiKey(String),
    /// The hash of a session token.
    Session(String),
}

/// A right that somebody with a credential asks for at a place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Guard {
    pub right: Right,
    pub credential: Credential,
    /// The right decides which part of it counts; the other may be empty.
    pub place: Arc<Place>,
}

/// Who was let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// The caller, for the audit log and for limits.
    pub actor: Actor,
    /// The person behind a session.
    pub user: Option<User>,
    /// Their role in the team, where the right is one in a team.
    pub role: Option<Role>,
    /// Whether the session or the key was last seen long enough ago for [`Guard::touch`].
    pub is_stale: bool,
}

/// Why a caller is not let in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Denial {
    UnknownKey,
    KeyRevoked,
    KeyExpired,
    ScopeMissing,
    /// Only a person may do this, not a key.
    PersonRequired,
    /// There is no such session, or it has ended.
    SessionEnded,
    /// The caller has no part in the place, or too low a role there.
    Forbidden,
    /// The caller belongs to the team, which has no such project.
    NoSuchProject,
}

impl Guard {
    /// Decides from what the database says now.
    pub fn admit(&self, tx: &mut dyn Tx, now: Micros) -> Result<Result<Admitted, Denial>, Fault> {
        match &self.credential {
            Credential::ApiKey(hash) => {
                let found = api_keys::find_at(tx, hash, &self.place)?;
                Ok(self.judge_key(found, now))
            }
            Credential::Session(hash) => self.admit_session(tx, hash, now),
        }
    }

    /// Asks ahead for what [`Guard::admit`] needs, and tells whether that saves a round trip.
    pub fn ask_ahead(&self, tx: &mut dyn Tx) -> Result<bool, Fault> {
        match &self.credential {
            Credential::ApiKey(hash) => api_keys::find_at_ahead(tx, hash, &self.place),
            Credential::Session(_) => Ok(false),
        }
    }

    /// Looks again at what may have changed since the caller was let in. Where the right is one in a project, the
    /// operation goes by its clock from here on.
    pub fn recheck(&self, tx: &mut dyn Tx, act: &mut Act) -> Result<(), Abort> {
        let is_allowed = match &self.credential {
            // Nothing else about a key ever changes, and projects are not deleted.
            Credential::ApiKey(hash) => self.recheck_key(tx, act, hash)?,
            Credential::Session(_) => {
                let is_allowed = self.admit(tx, act.real())?.is_ok();
                if self.right.scope().is_some() {
                    test_clock::enter(tx, act, &self.place)?;
                }
                is_allowed
            }
        };
        if is_allowed {
            return Ok(());
        }
        Err(Refusal::CallerNoLongerAllowed.into())
    }

    /// Asks for all together, because each change of a backend waits for it. Keys have rights in projects only.
    fn recheck_key(&self, tx: &mut dyn Tx, act: &mut Act, hash: &str) -> Result<bool, Fault> {
        let (of_key, now) = (params![hash], act.real());
        let of_project = params![&self.place.team_id, &self.place.project_id];
        let (mut is_valid, mut ahead, mut listeners) = (false, None, Vec::new());
        tx.ask_together(&mut [
            Question::new(api_keys::EXPIRY, of_key, |row| {
                is_valid = row.opt_time(0)?.is_none_or(|at| at > now);
                Ok(())
            }),
            Question::new(projects::CLOCK, of_project, |row| {
                ahead = Some(row.int(0)?);
                Ok(())
            }),
            Question::new(webhook_endpoints::LISTENING, of_project, |row| {
                listeners.push(webhook_endpoints::decode_listener(row)?);
                Ok(())
            }),
        ])?;
        act.keep_listeners(&self.place, listeners);
        test_clock::go_by(act, &self.place, ahead);
        Ok(is_valid)
    }

    /// Keeps a session that is in use from going idle, and the day on which a key was last used.
    pub fn touch(&self, tx: &mut dyn Tx, now: Micros) -> Result<(), Fault> {
        // Another request may have done it first.
        let _was_due = match &self.credential {
            Credential::Session(hash) => sessions::touch(tx, hash, now)?,
            Credential::ApiKey(hash) => api_keys::touch(tx, hash, now.day())?,
        };
        Ok(())
    }

    fn judge_key(&self, key: Option<KeyAt>, now: Micros) -> Result<Admitted, Denial> {
        let key = key.ok_or(Denial::UnknownKey)?;
        if key.revoked_at.is_some() {
            return Err(Denial::KeyRevoked);
        }
        if key.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(Denial::KeyExpired);
        }
        if !self.right.is_for_keys() {
            return Err(Denial::PersonRequired);
        }
        let (team, project) = (self.place.team_id.number(), self.place.project_id.number());
        let in_project = self.right.scope().is_some();
        let is_elsewhere = in_project && key.project.is_some_and(|only| only != project);
        if (key.team != team && self.right != Right::Known) || is_elsewhere {
            return Err(Denial::Forbidden);
        }
        let needs_all = matches!(self.right, Right::ProjectAdmin(_));
        let lacks = |scope| !key.scopes.grants(scope);
        if self.right.scope_of_keys().is_some_and(lacks) || (needs_all && !key.scopes.is_full()) {
            return Err(Denial::ScopeMissing);
        }
        if in_project && !key.is_project_there {
            return Err(Denial::NoSuchProject);
        }
        Ok(Admitted {
            actor: Actor::ApiKey(key.id),
            user: None,
            role: None,
            is_stale: key.last_used_on.is_none_or(|day| day < now.day()),
        })
    }

    fn admit_session(
        &self,
        tx: &mut dyn Tx,
        hash: &str,
        now: Micros,
    ) -> Result<Result<Admitted, Denial>, Fault> {
        let Some(session) = sessions::find(tx, hash, now, sessions::IDLE)? else {
            return Ok(Err(Denial::SessionEnded));
        };
        let role = match self.right {
            Right::SignedIn | Right::Known => None,
            _ => members::role_of(tx, &self.place.team_id, &session.user.id)?,
        };
        if !self.right.is_held_by(role) {
            return Ok(Err(Denial::Forbidden));
        }
        // Somebody outside the team does not learn which projects it has.
        let asks_for_project = self.right.scope().is_some();
        if asks_for_project && !projects::exists(tx, &self.place)? {
            return Ok(Err(Denial::NoSuchProject));
        }
        Ok(Ok(Admitted {
            actor: Actor::User(session.user.id.clone()),
            user: Some(session.user),
            role,
            is_stale: now.since(session.seen_at) > sessions::TOUCH_AFTER,
        }))
    }
}

impl Right {
    /// The scope that a key needs at least, where the right is one in a project.
    pub fn scope(self) -> Option<Scope> {
        match self {
            Right::Project(scope) | Right::ProjectAdmin(scope) => Some(scope),
            _ => None,
        }
    }

    /// The scope that a key needs at least, wherever the right is.
    pub fn scope_of_keys(self) -> Option<Scope> {
        match self {
            Right::TeamReader(scope) => Some(scope),
            _ => self.scope(),
        }
    }

    /// Whether a key can have it; what is not named is for people.
    pub fn is_for_keys(self) -> bool {
        matches!(self, Right::Known | Right::TeamKnown) || self.scope_of_keys().is_some()
    }

    /// Whether a person with this role in the team has it.
    pub fn is_held_by(self, role: Option<Role>) -> bool {
        match self {
            Right::SignedIn | Right::Known => true,
            Right::TeamMember | Right::TeamKnown => role.is_some(),
            Right::TeamWriter | Right::TeamReader(_) => role.is_some_and(Role::can_write),
            Right::TeamAdmin | Right::ProjectAdmin(_) => role.is_some_and(Role::can_administer),
            Right::Project(Scope::Other(_)) => false,
            Right::Project(Scope::CustomersRead | Scope::ReferralsRead | Scope::WebhooksRead) => {
                role.is_some()
            }
            Right::Project(Scope::CustomersWrite | Scope::ReferralsWrite) => {
                role.is_some_and(Role::can_write)
            }
            // It says where data is sent.
            Right::Project(Scope::WebhooksWrite) => role.is_some_and(Role::can_administer),
        }
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::access::Scopes;
    use billstack_core::ids::{ProjectId, TeamId};

    use super::*;
    use crate::operations::{api_keys, members, projects};
    use crate::testing::Bench;

    const HASH: &str = "hash";

    /// Asks for a right, as whoever holds [`HASH`].
    fn ask(bench: &Bench, guard: &Guard) -> Result<Actor, Denial> {
        let now = bench.run(|_, act| Ok(act.at)).unwrap();
        let admission = bench.read(|tx| guard.admit(tx, now));
        let again = bench.run(|tx, act| guard.recheck(tx, act));
        // A recheck only finds rights that have ended; a caller who was just admitted passes it.
        assert!(again.is_ok() || admission.is_err(), "{admission:?}");
        admission.map(|admitted| admitted.actor)
    }

    fn guard(right: Right, credential: Credential, team: &TeamId, project: &ProjectId) -> Guard {
        Guard {
            right,
            credential,
            place: Arc::new(Place::new(team.clone(), project.clone())),
        }
    }

    fn project(bench: &Bench, team: &TeamId) -> ProjectId {
        let made = bench.run(|tx, act| projects::create(tx, act, team, "Shop"));
        made.unwrap().id
    }

    #[test]
    fn a_key_opens_its_project_until_it_ends() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        let (team, other) = (bench.team(&user).id, bench.team(&user).id);
        let (shop, second) = (project(&bench, &team), project(&bench, &team));
        let key = || Credential::ApiKey(HASH.to_owned());
        let read = Right::Project(Scope::CustomersRead);
        let asks = |right: Right, team: &TeamId, project: &ProjectId| {
            ask(&bench, &guard(right, key(), team, project))
        };
        assert_eq!(asks(read, &team, &shop), Err(Denial::UnknownKey));

        let new = api_keys::NewApiKey {
            key_hash: HASH.to_owned(),
            name: "Backend".to_owned(),
            prefix: "bs_0000".to_owned(),
            project_id: Some(shop.clone()),
            scopes: Scopes::from_list(vec![Scope::CustomersRead]),
            expires_at: None,
        };
        let made = bench.run(|tx, act| api_keys::create(tx, act, &team, &new));
        let id = made.unwrap().id;
        assert_eq!(asks(read, &team, &shop), Ok(Actor::ApiKey(id.clone())));
        assert_eq!(asks(read, &team, &second), Err(Denial::Forbidden));
        assert_eq!(asks(read, &other, &shop), Err(Denial::Forbidden));
        let write = Right::Project(Scope::CustomersWrite);
        assert_eq!(asks(write, &team, &shop), Err(Denial::ScopeMissing));
        for right in [
            Right::SignedIn,
            Right::TeamMember,
            Right::TeamWriter,
            Right::TeamAdmin,
        ] {
            assert_eq!(asks(right, &team, &shop), Err(Denial::PersonRequired));
        }
        // Outside of projects it is let in where it may read, and its project is none of the place.
        let nowhere = ProjectId::from("");
        let is_in = Ok(Actor::ApiKey(id.clone()));
        assert_eq!(asks(Right::Known, &TeamId::from(""), &nowhere), is_in);
        assert_eq!(asks(Right::TeamKnown, &team, &nowhere), is_in);
        let reader = Right::TeamReader;
        assert_eq!(asks(reader(Scope::CustomersRead), &team, &nowhere), is_in);
        let lacking = asks(reader(Scope::ReferralsRead), &team, &nowhere);
        assert_eq!(lacking, Err(Denial::ScopeMissing));
        for right in [Right::TeamKnown, reader(Scope::CustomersRead)] {
            assert_eq!(asks(right, &other, &nowhere), Err(Denial::Forbidden));
        }

        let revoked = bench.run(|tx, act| api_keys::revoke(tx, act, &team, &id));
        revoked.unwrap();
        assert_eq!(asks(read, &team, &shop), Err(Denial::KeyRevoked));
        // That it has ended comes before everything else.
        assert_eq!(asks(read, &other, &shop), Err(Denial::KeyRevoked));
        let guard = guard(read, key(), &team, &shop);
        let refused = bench.run(|tx, act| guard.recheck(tx, act));
        assert_eq!(refused, Err(Refusal::CallerNoLongerAllowed.into()));
    }

    #[test]
    fn a_person_is_admitted_by_their_role() {
        let bench = Bench::new();
        let (ann, bob) = (bench.user("a@example.com"), bench.user("b@example.com"));
        let team = bench.team(&ann).id;
        let shop = project(&bench, &team);
        let asks = |right: Right, project: &ProjectId| {
            let session = Credential::Session(HASH.to_owned());
            ask(&bench, &guard(right, session, &team, project)).map(|_| ())
        };
        let read = Right::Project(Scope::ReferralsRead);
        let write = Right::Project(Scope::ReferralsWrite);
        assert_eq!(asks(Right::SignedIn, &shop), Err(Denial::SessionEnded));

        let opened =
            bench.run(|tx, act| sessions::create(tx, act, &bob.id, HASH, sessions::LIFETIME));
        opened.unwrap();
        let absent = ProjectId::from("proj_unknown");
        assert_eq!(asks(Right::SignedIn, &absent), Ok(()));
        for right in [Right::TeamMember, Right::TeamAdmin, read, write] {
            assert_eq!(asks(right, &absent), Err(Denial::Forbidden), "{right:?}");
        }

        assert_eq!(asks(Right::Known, &absent), Ok(()));
        assert_eq!(asks(Right::TeamKnown, &absent), Err(Denial::Forbidden));
        let joined = bench.run(|tx, act| members::add(tx, act, &team, &bob.id, Role::Viewer));
        joined.unwrap();
        assert_eq!(asks(Right::TeamMember, &absent), Ok(()));
        assert_eq!(asks(Right::TeamKnown, &absent), Ok(()));
        let reader = Right::TeamReader(Scope::ReferralsRead);
        assert_eq!(asks(reader, &shop), Err(Denial::Forbidden));
        assert_eq!(asks(Right::TeamAdmin, &shop), Err(Denial::Forbidden));
        assert_eq!(asks(write, &shop), Err(Denial::Forbidden));
        assert_eq!(asks(read, &shop), Ok(()));
        assert_eq!(asks(read, &absent), Err(Denial::NoSuchProject));
    }
}
