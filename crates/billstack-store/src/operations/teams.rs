//! Teams: made with their first owner.

use billstack_core::access::Role;
use billstack_core::event::Event;
use billstack_core::ids::{IdKind, TeamId};

use super::refusal::{Abort, Refusal, Thing};
use super::{members, users};
use crate::seam::{Act, Tx};
use crate::tables::{events, teams};

pub use crate::tables::teams::{Team, TeamOfUser, few, get, list_of_user};

/// The team with this id, or the refusal that there is none.
pub(crate) fn require(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Team, Abort> {
    Ok(get(tx, team_id)?.ok_or(Refusal::NotFound(Thing::Team))?)
}

/// Creates a team with its first owner.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    name: &str,
    owner_user_id: &str,
) -> Result<Team, Abort> {
    let owner = users::require(tx, owner_user_id)?;
    let team = Team {
        id: TeamId::from(act.id(IdKind::Team)),
        name: name.to_owned(),
        created_at: act.at,
    };
    teams::insert(tx, &team)?;
    let event = Event::TeamCreated { name };
    events::record_of_team(tx, act, &team.id, team.id.as_str(), &event)?;
    members::add(tx, act, &team.id, &owner.id, Role::Owner)?;
    Ok(team)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, page};

    #[test]
    fn a_user_sees_their_own_teams_page_by_page() {
        let bench = Bench::new();
        let (ann, bob) = (bench.user("a@example.com"), bench.user("b@example.com"));
        let one = bench.team(&ann);
        let two = bench.team(&ann);
        bench.team(&bob);

        let first = bench.read(|tx| list_of_user(tx, &ann.id, &page(1, None)));
        let role = Role::Owner;
        assert_eq!(first.rows, [TeamOfUser { team: two, role }]);
        let second = bench.read(|tx| list_of_user(tx, &ann.id, &page(1, first.next.clone())));
        assert_eq!(second.rows, [TeamOfUser { team: one, role }]);
        assert_eq!(second.next, None);
    }
}
