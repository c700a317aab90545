//! Invitations to a team: made, taken back, accepted.

use billstack_core::access::Role;
use billstack_core::event::Event;
use billstack_core::ids::{IdKind, TeamId};
use billstack_core::time::DAY;

use super::members;
use super::refusal::{Abort, Refusal, Thing};
use super::teams::{self, Team};
use super::users::{self, NewUser, User};
use crate::seam::{Act, Tx};
use crate::tables::{self, events, invitations};

pub use crate::tables::invitations::{Invitation, find, list};

/// How long an invitation may be accepted.
const LASTS: i64 = 7 * DAY;

/// Invites an address, in place of any earlier invitation of it. `actor_role` is the role of
/// whoever does so, read in this transaction.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    actor_role: Role,
    email: &str,
    role: Role,
    token_hash: &str,
) -> Result<Invitation, Abort> {
    members::require_right(actor_role, &[role])?;
    if tables::members::has_email(tx, team_id, email)? {
        return Err(Refusal::AlreadyMember.into());
    }
    let invitation = Invitation {
        id: act.id(IdKind::Invitation),
        email: email.to_owned(),
        role,
        created_at: act.at,
        expires_at: act.at.plus(LASTS),
    };
    invitations::put(tx, team_id, &invitation, token_hash)?;
    let event = Event::InvitationCreated { role };
    events::record_of_team(tx, act, team_id, &invitation.id, &event)?;
    Ok(invitation)
}

/// Takes an invitation back.
pub fn revoke(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId, id: &str) -> Result<(), Abort> {
    if !invitations::delete(tx, team_id, id)? {
        return Err(Refusal::NotFound(Thing::Invitation).into());
    }
    Ok(events::record_of_team(
        tx,
        act,
        team_id,
        id,
        &Event::InvitationRevoked {},
    )?)
}

/// Signs up by virtue of an invitation for the same address, and joins the team.
pub fn accept_as_new_user(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    token_hash: &str,
    new: &NewUser,
) -> Result<User, Abort> {
    let invitation = take(tx, act, team_id, token_hash, &new.email)?;
    let user = users::create(tx, act, new)?;
    join(tx, act, team_id, &invitation, &user)?;
    Ok(user)
}

/// Joins the team by virtue of an invitation for the user's address.
pub fn accept_as_user(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    token_hash: &str,
    user: &User,
) -> Result<Team, Abort> {
    let invitation = take(tx, act, team_id, token_hash, &user.email)?;
    join(tx, act, team_id, &invitation, user)?;
    teams::require(tx, team_id)
}

/// Uses an invitation up. A newer one of the same address has another id, so what was found is what
/// is deleted.
fn take(
    tx: &mut dyn Tx,
    act: &Act,
    team_id: &TeamId,
    token_hash: &str,
    email: &str,
) -> Result<Invitation, Abort> {
    let found = find(tx, team_id, token_hash, act.at)?;
    let invitation = found
        .filter(|invitation| invitation.email == email)
        .ok_or(Refusal::InvalidToken)?;
    if !invitations::delete(tx, team_id, &invitation.id)? {
        return Err(Refusal::InvalidToken.into());
    }
    Ok(invitation)
}

fn join(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    invitation: &Invitation,
    user: &User,
) -> Result<(), Abort> {
    let event = Event::InvitationAccepted { user_id: &user.id };
    events::record_of_team(tx, act, team_id, &invitation.id, &event)?;
    members::add(tx, act, team_id, &user.id, invitation.role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, new_user, page};

    const GUEST: &str = "guest@example.com";

    fn invite(
        bench: &Bench,
        team_id: &TeamId,
        role: Role,
        token: &str,
    ) -> Result<Invitation, Abort> {
        bench.run(|tx, act| create(tx, act, team_id, Role::Admin, GUEST, role, token))
    }

    fn sign_up(bench: &Bench, team_id: &TeamId, token: &str, email: &str) -> Result<User, Abort> {
        bench.run(|tx, act| accept_as_new_user(tx, act, team_id, token, &new_user(email)))
    }

    #[test]
    fn an_invitation_is_for_one_address_and_one_use() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        invite(&bench, &team, Role::Viewer, "one").unwrap();

        let invalid = Abort::from(Refusal::InvalidToken);
        let other = sign_up(&bench, &team, "one", "other@example.com");
        assert_eq!(other, Err(invalid.clone()));
        let elsewhere = bench.team(&bench.user("b@example.com")).id;
        assert_eq!(
            sign_up(&bench, &elsewhere, "one", GUEST),
            Err(invalid.clone())
        );

        let guest = sign_up(&bench, &team, "one", GUEST).unwrap();
        let role = bench.read(|tx| members::role_of(tx, &team, &guest.id));
        assert_eq!(role, Some(Role::Viewer));
        assert_eq!(sign_up(&bench, &team, "one", GUEST), Err(invalid));
        let member = invite(&bench, &team, Role::Viewer, "two");
        assert_eq!(member, Err(Refusal::AlreadyMember.into()));
    }

    #[test]
    fn a_newer_invitation_replaces_the_older() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        let older = invite(&bench, &team, Role::Admin, "one").unwrap();
        let newer = invite(&bench, &team, Role::Viewer, "two").unwrap();
        let kept = bench.read(|tx| list(tx, &team, &page(10, None)));
        assert_eq!(kept.rows, std::slice::from_ref(&newer));
        let stale = sign_up(&bench, &team, "one", GUEST);
        assert_eq!(stale, Err(Refusal::InvalidToken.into()));
        let gone = bench.run(|tx, act| revoke(tx, act, &team, &older.id));
        assert_eq!(gone, Err(Refusal::NotFound(Thing::Invitation).into()));
        assert_eq!(
            bench.run(|tx, act| revoke(tx, act, &team, &newer.id)),
            Ok(())
        );
        let revoked = sign_up(&bench, &team, "two", GUEST);
        assert_eq!(revoked, Err(Refusal::InvalidToken.into()));
    }

    #[test]
    fn an_invitation_expires() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        let invitation = invite(&bench, &team, Role::Viewer, "one").unwrap();
        let last = invitation.expires_at.plus(-1);
        assert!(bench.read(|tx| find(tx, &team, "one", last)).is_some());
        bench.set_time(invitation.expires_at);
        let late = sign_up(&bench, &team, "one", GUEST);
        assert_eq!(late, Err(Refusal::InvalidToken.into()));
        assert_eq!(
            bench.read(|tx| list(tx, &team, &page(10, None))).rows.len(),
            1
        );
    }

    #[test]
    fn a_known_user_joins_and_a_refusal_keeps_the_invitation() {
        let bench = Bench::new();
        let owner = bench.user("a@example.com");
        let team = bench.team(&owner);
        invite(&bench, &team.id, Role::Member, "one").unwrap();
        let guest = bench.user(GUEST);
        let again = sign_up(&bench, &team.id, "one", GUEST);
        assert_eq!(again, Err(Refusal::UserExists.into()));

        let accept =
            |user: &User| bench.run(|tx, act| accept_as_user(tx, act, &team.id, "one", user));
        assert_eq!(accept(&owner), Err(Refusal::InvalidToken.into()));
        assert_eq!(accept(&guest), Ok(team.clone()));
        assert_eq!(accept(&guest), Err(Refusal::InvalidToken.into()));
    }

    #[test]
    fn an_admin_cannot_invite_an_owner() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        let owner = invite(&bench, &team, Role::Owner, "one");
        assert_eq!(owner, Err(Refusal::OwnerRequired.into()));
        let by_owner =
            bench.run(|tx, act| create(tx, act, &team, Role::Owner, GUEST, Role::Owner, "one"));
        assert_eq!(by_owner.unwrap().role, Role::Owner);
    }
}
