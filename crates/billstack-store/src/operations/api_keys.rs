//! API keys of a team: made and revoked.

use billstack_core::event::Event;
use billstack_core::ids::{IdKind, TeamId};

use super::projects;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Place, Tx};
use crate::tables::{api_keys, events};

pub use crate::tables::api_keys::{ApiKey, NewApiKey, held, list};

/// Makes a key for every project of a team, or for one that exists.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    new: &NewApiKey,
) -> Result<ApiKey, Abort> {
    if let Some(project_id) = &new.project_id {
        let place = Place::new(team_id.clone(), project_id.clone());
        if !projects::exists(tx, &place)? {
            return Err(Refusal::NotFound(Thing::Project).into());
        }
    }
    let id = act.id(IdKind::ApiKey);
    api_keys::insert(tx, team_id, &id, new, act.at)?;
    let event = Event::ApiKeyCreated {
        expires_at: new.expires_at,
        project_id: new.project_id.as_ref(),
        scopes: &new.scopes,
    };
    events::record_of_team(tx, act, team_id, &id, &event)?;
    Ok(ApiKey {
        id,
        name: new.name.clone(),
        prefix: new.prefix.clone(),
        project_id: new.project_id.clone(),
        scopes: new.scopes.clone(),
        expires_at: new.expires_at,
        revoked_at: None,
        created_at: act.at,
        last_used_on: None,
    })
}

/// Revokes a key. Doing it again changes nothing.
pub fn revoke(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId, id: &str) -> Result<ApiKey, Abort> {
    if api_keys::revoke(tx, team_id, id, act.at)? {
        events::record_of_team(tx, act, team_id, id, &Event::ApiKeyRevoked {})?;
    }
    let key = api_keys::get(tx, team_id, id)?;
    Ok(key.ok_or(Refusal::NotFound(Thing::ApiKey))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, page};
    use billstack_core::access::Scopes;
    use billstack_core::ids::ProjectId;

    fn new_key(key_hash: &str, project_id: Option<&ProjectId>) -> NewApiKey {
        NewApiKey {
            key_hash: key_hash.to_owned(),
            name: "Backend".to_owned(),
            prefix: "bs_0000".to_owned(),
            project_id: project_id.cloned(),
            scopes: Scopes::all(),
            expires_at: None,
        }
    }

    #[test]
    fn a_key_is_revoked_once_and_by_its_own_team() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        let (team, other) = (bench.team(&user).id, bench.team(&user).id);
        let key = bench
            .run(|tx, act| create(tx, act, &team, &new_key("one", None)))
            .unwrap();
        let foreign = bench.run(|tx, act| revoke(tx, act, &other, &key.id));
        assert_eq!(foreign, Err(Refusal::NotFound(Thing::ApiKey).into()));
        let revoked = bench
            .run(|tx, act| revoke(tx, act, &team, &key.id))
            .unwrap();
        assert!(revoked.revoked_at.is_some());
        let again = bench
            .run(|tx, act| revoke(tx, act, &team, &key.id))
            .unwrap();
        assert_eq!(again, revoked);
        assert_eq!(
            bench.read(|tx| list(tx, &team, &page(10, None))).rows,
            [revoked]
        );
    }

    #[test]
    fn a_key_is_limited_to_a_project_of_its_team_only() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        let (team, other) = (bench.team(&user).id, bench.team(&user).id);
        let project = bench
            .run(|tx, act| projects::create(tx, act, &team, "Shop"))
            .unwrap()
            .id;
        let make = |team_id: &TeamId, hash: &str| {
            bench.run(|tx, act| create(tx, act, team_id, &new_key(hash, Some(&project))))
        };
        assert_eq!(
            make(&team, "one").unwrap().project_id,
            Some(project.clone())
        );
        assert_eq!(
            make(&other, "two"),
            Err(Refusal::NotFound(Thing::Project).into())
        );
    }
}
