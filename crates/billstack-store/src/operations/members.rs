//! Members of a team: joining, roles, leaving. A team always has an owner.

use billstack_core::access::Role;
use billstack_core::event::Event;
use billstack_core::ids::TeamId;

use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Tx};
use crate::tables::{events, members};

pub use crate::tables::members::{Member, list, role_of};

/// Held while a role is changed or a member removed. Otherwise two owners who lower each other at the same
/// moment would each see the other remain, and leave none.
const OWNERS: &str = "owners";

/// Makes a user a member; the key of the table decides whether they are one already.
pub(crate) fn add(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    user_id: &str,
    role: Role,
) -> Result<(), Abort> {
    if !members::insert(tx, team_id, user_id, role, act.at)? {
        return Err(Refusal::AlreadyMember.into());
    }
    let event = Event::MemberJoined { role };
    Ok(events::record_of_team(tx, act, team_id, user_id, &event)?)
}

/// Gives a member another role. `actor_role` is the role of whoever does so, read in this
/// transaction.
pub fn set_role(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    actor_role: Role,
    user_id: &str,
    role: Role,
) -> Result<Member, Abort> {
    tx.lock(team_id, &[OWNERS])?;
    let member = require(tx, team_id, user_id)?;
    require_right(actor_role, &[member.role, role])?;
    if member.role == role {
        return Ok(member);
    }
    if member.role == Role::Owner {
        require_other_owner(tx, team_id, user_id)?;
    }
    members::set_role(tx, team_id, user_id, role)?;
    let event = Event::MemberRoleChanged {
        from: member.role,
        to: role,
    };
    events::record_of_team(tx, act, team_id, user_id, &event)?;
    Ok(Member { role, ..member })
}

/// Removes a member, which anybody may do to themselves: that is leaving the team. `actor_role` is
/// the role of `actor_user_id`, read in this transaction.
pub fn remove(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    actor_user_id: &str,
    actor_role: Role,
    user_id: &str,
) -> Result<(), Abort> {
    tx.lock(team_id, &[OWNERS])?;
    let member = require(tx, team_id, user_id)?;
    if actor_user_id != user_id {
        require_right(actor_role, &[member.role])?;
    }
    if member.role == Role::Owner {
        require_other_owner(tx, team_id, user_id)?;
    }
    members::delete(tx, team_id, user_id)?;
    let event = Event::MemberRemoved { role: member.role };
    Ok(events::record_of_team(tx, act, team_id, user_id, &event)?)
}

fn require(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<Member, Abort> {
    let member = members::get(tx, team_id, user_id)?;
    Ok(member.ok_or(Refusal::NotFound(Thing::Member))?)
}

/// Whoever changes the team must be an admin, and an owner where the role of an owner is at stake.
pub(crate) fn require_right(actor_role: Role, at_stake: &[Role]) -> Result<(), Refusal> {
    if !actor_role.can_administer() {
        return Err(Refusal::CallerNoLongerAllowed);
    }
    if actor_role != Role::Owner && at_stake.contains(&Role::Owner) {
        return Err(Refusal::OwnerRequired);
    }
    Ok(())
}

/// Only right while [`OWNERS`] is held.
fn require_other_owner(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<(), Abort> {
    if !members::has_other_owner(tx, team_id, user_id)? {
        return Err(Refusal::LastOwner.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, page};

    #[test]
    fn the_last_owner_stays() {
        let bench = Bench::new();
        let (ann, bob) = (bench.user("a@example.com"), bench.user("b@example.com"));
        let team = bench.team(&ann).id;
        bench
            .run(|tx, act| add(tx, act, &team, &bob.id, Role::Admin))
            .unwrap();
        let set = |user_id: &str, role: Role| {
            bench.run(|tx, act| set_role(tx, act, &team, Role::Owner, user_id, role))
        };
        let leave = |user_id: &str| {
            bench.run(|tx, act| remove(tx, act, &team, user_id, Role::Owner, user_id))
        };

        assert_eq!(set(&ann.id, Role::Admin), Err(Refusal::LastOwner.into()));
        assert_eq!(leave(&ann.id), Err(Refusal::LastOwner.into()));
        // Keeping the role is no change.
        assert_eq!(set(&ann.id, Role::Owner).unwrap().role, Role::Owner);

        // An owner of another team is no replacement.
        bench.team(&bob);
        assert_eq!(leave(&ann.id), Err(Refusal::LastOwner.into()));

        set(&bob.id, Role::Owner).unwrap();
        assert_eq!(set(&ann.id, Role::Viewer).unwrap().role, Role::Viewer);
        assert_eq!(leave(&bob.id), Err(Refusal::LastOwner.into()));
        assert_eq!(leave(&ann.id), Ok(()));
        assert_eq!(leave(&ann.id), Err(Refusal::NotFound(Thing::Member).into()));
        let left = bench.read(|tx| list(tx, &team, &page(10, None))).rows;
        assert_eq!(left.len(), 1);
        assert_eq!((&left[0].user_id, left[0].role), (&bob.id, Role::Owner));
    }

    #[test]
    fn owners_are_made_and_unmade_by_owners_only() {
        let bench = Bench::new();
        let (ann, bob) = (bench.user("a@example.com"), bench.user("b@example.com"));
        let team = bench.team(&ann).id;
        bench
            .run(|tx, act| add(tx, act, &team, &bob.id, Role::Viewer))
            .unwrap();
        let set = |actor_role: Role, user_id: &str, role: Role| {
            bench
                .run(|tx, act| set_role(tx, act, &team, actor_role, user_id, role))
                .map(|member| member.role)
        };
        let remove = |actor: &str, actor_role: Role, user_id: &str| {
            bench.run(|tx, act| remove(tx, act, &team, actor, actor_role, user_id))
        };

        let owner_required = Abort::from(Refusal::OwnerRequired);
        for role in Role::ALL {
            let refused = set(Role::Admin, &ann.id, *role);
            assert_eq!(refused, Err(owner_required.clone()), "{role}");
        }
        let made = set(Role::Admin, &bob.id, Role::Owner);
        assert_eq!(made, Err(owner_required.clone()));
        let removed = remove(&bob.id, Role::Admin, &ann.id);
        assert_eq!(removed, Err(owner_required));
        assert_eq!(set(Role::Admin, &bob.id, Role::Member), Ok(Role::Member));

        let not_allowed = Abort::from(Refusal::CallerNoLongerAllowed);
        for role in [Role::Member, Role::Viewer] {
            assert_eq!(set(role, &bob.id, Role::Admin), Err(not_allowed.clone()));
            assert_eq!(remove(&bob.id, role, &ann.id), Err(not_allowed.clone()));
        }
        assert_eq!(remove(&bob.id, Role::Viewer, &bob.id), Ok(()));
        assert_eq!(bench.read(|tx| role_of(tx, &team, &bob.id)), None);
    }
}
