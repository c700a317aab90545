//! Members of a team and their roles. A team always has an owner.

use billstack_core::access::Role;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::Act;
use crate::list::{Cursor, List, Order, Page, Part, Texts};
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

statements! {
    ROLE = "SELECT role FROM members WHERE team_id = $1 AND user_id = $2";
    GET = "SELECT m.user_id, u.email, u.name, m.role, m.created_at FROM members m \
        JOIN users u ON u.id = m.user_id WHERE m.team_id = $1 AND m.user_id = $2";
    BY_EMAIL = "SELECT m.user_id FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.team_id = $1 AND u.email = $2";
    OTHER_OWNER = "SELECT user_id FROM members \
        WHERE team_id = $1 AND role = 'owner' AND user_id <> $2 LIMIT 1";
    INSERT = "INSERT INTO members (team_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT DO NOTHING";
    SET_ROLE = "UPDATE members SET role = $3 WHERE team_id = $1 AND user_id = $2";
    DELETE = "DELETE FROM members WHERE team_id = $1 AND user_id = $2";
}

/// Every list of members.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "members",
    select: "SELECT m.user_id, u.email, u.name, m.role, m.created_at FROM members m \
        JOIN users u ON u.id = m.user_id WHERE m.team_id = $1",
    scope: 1,
    filters: &[],
    keys: ["m.created_at", "m.user_id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// Held by whoever changes a role or removes a member. Two owners who lower each other at the same
/// moment would each find the other one left, and leave none.
const OWNERS: &str = "owners";

/// A user's place in a team.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// `usr_…`.
    pub user_id: String,
    /// The user's normalised e-mail address.
    pub email: String,
    /// The user's display name.
    pub name: String,
    /// What the user may do in the team.
    pub role: Role,
    /// When the user joined.
    pub created_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Member, Fault> {
    Ok(Member {
        user_id: row.string(0)?,
        email: row.string(1)?,
        name: row.string(2)?,
        role: row.parsed(3, Role::parse)?,
        created_at: row.time(4)?,
    })
}

/// What a user may do in a team; `None` when they do not belong to it.
pub fn role_of(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<Option<Role>, Fault> {
    tx.one(ROLE, params![team_id, user_id], |row| {
        row.parsed(0, Role::parse)
    })
}

/// Members of a team, the newest first.
pub fn list(tx: &mut dyn Tx, team_id: &TeamId, page: &Page) -> Result<Part<Member>, Fault> {
    LIST.read(tx, params![team_id], &[], page, decode, |member| Cursor {
        at: member.created_at.0,
        key: member.user_id.clone(),
    })
}

/// Whether a member of the team has this normalised e-mail address.
pub(crate) fn has_email(tx: &mut dyn Tx, team_id: &TeamId, email: &str) -> Result<bool, Fault> {
    tx.exists(BY_EMAIL, params![team_id, email])
}

/// Makes a user a member; the key of the table decides whether they are one already.
pub(crate) fn add(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    user_id: &str,
    role: Role,
) -> Result<(), Abort> {
    let params = params![team_id, user_id, role.as_str(), act.at];
    if !tx.hit(INSERT, params)? {
        return Err(Refusal::AlreadyMember.into());
    }
    let facts = json!({"role": role});
    Ok(act.record_team(tx, team_id, "member.joined", user_id, facts)?)
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
    tx.must(SET_ROLE, params![team_id, user_id, role.as_str()])?;
    let facts = json!({"from": member.role, "to": role});
    act.record_team(tx, team_id, "member.role_changed", user_id, facts)?;
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
    tx.must(DELETE, params![team_id, user_id])?;
    let facts = json!({"role": member.role});
    Ok(act.record_team(tx, team_id, "member.removed", user_id, facts)?)
}

fn require(tx: &mut dyn Tx, team_id: &TeamId, user_id: &str) -> Result<Member, Abort> {
    let member = tx.one(GET, params![team_id, user_id], decode)?;
    Ok(member.ok_or(Refusal::NotFound("member"))?)
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
    if !tx.exists(OTHER_OWNER, params![team_id, user_id])? {
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
        assert_eq!(leave(&ann.id), Err(Refusal::NotFound("member").into()));
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
