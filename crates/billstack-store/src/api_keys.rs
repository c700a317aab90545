//! API keys of a team. The key itself is never stored, only its hash and how it begins.

use billstack_core::access::Scopes;
use billstack_core::ids::{IdKind, ProjectId, TeamId};
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::{Act, Place};
use crate::list::{Cursor, List, Order, Page, Part, Texts};
use crate::projects::{self, project_of};
use crate::refusal::Refusal;
use crate::teams::team_of;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

statements! {
    FIND = concat!("SELECT id, name, prefix, ", project_of!("api_keys"), ", scopes, \
        expires_at, revoked_at, created_at, ", team_of!("api_keys"), " \
        FROM api_keys WHERE key_hash = $1");
    EXPIRY = "SELECT expires_at FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL";
    GET = concat!("SELECT id, name, prefix, ", project_of!("api_keys"), ", scopes, \
        expires_at, revoked_at, created_at FROM api_keys WHERE team_id = $1 AND id = $2");
    INSERT = "INSERT INTO api_keys (key_hash, team_id, id, name, prefix, project_id, scopes, \
        expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    REVOKE = "UPDATE api_keys SET revoked_at = $3 \
        WHERE team_id = $1 AND id = $2 AND revoked_at IS NULL";
}

/// Every list of keys.
pub(crate) const LISTS: &[&List] = &[&LIST];

static LIST: List = List {
    name: "api keys",
    select: concat!(
        "SELECT id, name, prefix, ",
        project_of!("api_keys"),
        ", scopes, expires_at, revoked_at, created_at FROM api_keys WHERE team_id = $1"
    ),
    scope: 1,
    filters: &[],
    keys: ["created_at", "id"],
    order: Order::NewestFirst,
    texts: Texts::new(),
};

/// An API key, but for the secret.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiKey {
    /// `key_…`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// How the key begins, to recognise it by.
    pub prefix: String,
    /// The one project it is good for; `None` means every project of the team.
    pub project_id: Option<ProjectId>,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Micros>,
    /// When it was revoked.
    pub revoked_at: Option<Micros>,
    /// When it was made.
    pub created_at: Micros,
}

/// A key and the team it speaks for.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyOwner {
    /// The key.
    pub key: ApiKey,
    /// The team.
    pub team_id: TeamId,
}

fn decode(row: &dyn Row) -> Result<ApiKey, Fault> {
    Ok(ApiKey {
        id: row.string(0)?,
        name: row.string(1)?,
        prefix: row.string(2)?,
        project_id: row.opt_project_id(3)?,
        scopes: row.parsed(4, Scopes::from_text)?,
        expires_at: row.opt_time(5)?,
        revoked_at: row.opt_time(6)?,
        created_at: row.time(7)?,
    })
}

/// The key with this hash, even one that is revoked or expired: the caller is told which.
pub fn find(tx: &mut dyn Tx, key_hash: &str) -> Result<Option<KeyOwner>, Fault> {
    tx.one(FIND, params![key_hash], |row| {
        Ok(KeyOwner {
            key: decode(row)?,
            team_id: row.team_id(8)?,
        })
    })
}

/// Whether the key with this hash is neither revoked nor expired.
pub fn is_valid(tx: &mut dyn Tx, key_hash: &str, now: Micros) -> Result<bool, Fault> {
    let expiry = tx.one(EXPIRY, params![key_hash], |row| row.opt_time(0))?;
    Ok(expiry.is_some_and(|expiry| expiry.is_none_or(|at| at > now)))
}

/// Keys of a team, the newest first, those that are revoked among them.
pub fn list(tx: &mut dyn Tx, team_id: &TeamId, page: &Page) -> Result<Part<ApiKey>, Fault> {
    LIST.read(tx, params![team_id], &[], page, decode, |key| Cursor {
        at: key.created_at.0,
        key: key.id.clone(),
    })
}

/// What a new key is made of.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// The hash of the key.
    pub key_hash: String,
    /// Display name.
    pub name: String,
    /// How the key begins.
    pub prefix: String,
    /// The one project it is good for.
    pub project_id: Option<ProjectId>,
    /// What it may do.
    pub scopes: Scopes,
    /// From when on it is refused.
    pub expires_at: Option<Micros>,
}

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
            return Err(Refusal::NotFound("project").into());
        }
    }
    let id = act.id(IdKind::ApiKey);
    tx.must(
        INSERT,
        params![
            &new.key_hash,
            team_id,
            &id,
            &new.name,
            &new.prefix,
            new.project_id.as_ref(),
            &new.scopes.to_text(),
            new.expires_at,
            act.at,
        ],
    )?;
    let facts = json!({
        "projectId": new.project_id, "scopes": new.scopes, "expiresAt": new.expires_at,
    });
    act.record_team(tx, team_id, "api_key.created", &id, facts)?;
    Ok(ApiKey {
        id,
        name: new.name.clone(),
        prefix: new.prefix.clone(),
        project_id: new.project_id.clone(),
        scopes: new.scopes.clone(),
        expires_at: new.expires_at,
        revoked_at: None,
        created_at: act.at,
    })
}

/// Revokes a key. Doing it again changes nothing.
pub fn revoke(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId, id: &str) -> Result<ApiKey, Abort> {
    if tx.hit(REVOKE, params![team_id, id, act.at])? {
        act.record_team(tx, team_id, "api_key.revoked", id, json!({}))?;
    }
    let key = tx.one(GET, params![team_id, id], decode)?;
    Ok(key.ok_or(Refusal::NotFound("api key"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, page};

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
        let found = bench.read(|tx| find(tx, "one")).unwrap();
        assert_eq!((&found.key, &found.team_id), (&key, &team));

        let foreign = bench.run(|tx, act| revoke(tx, act, &other, &key.id));
        assert_eq!(foreign, Err(Refusal::NotFound("api key").into()));
        let revoked = bench
            .run(|tx, act| revoke(tx, act, &team, &key.id))
            .unwrap();
        assert!(revoked.revoked_at.is_some());
        let again = bench
            .run(|tx, act| revoke(tx, act, &team, &key.id))
            .unwrap();
        assert_eq!(again, revoked);
        assert_eq!(bench.read(|tx| find(tx, "one")).unwrap().key, revoked);
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
            Err(Refusal::NotFound("project").into())
        );
    }
}
