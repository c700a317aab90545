//! A team's connection to Stripe. Secrets come and go sealed; the store cannot read them.

use billstack_core::ids::TeamId;
use billstack_core::time::Micros;
use serde_json::json;

use crate::act::Act;
use crate::refusal::Refusal;
use crate::teams::team_of;
use crate::tx::{Abort, Fault, Row, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT is_active, secret_key, publishable_key, webhook_secret, old_webhook_secret, \
        old_valid_until, livemode, account_id, account_name, connected_at \
        FROM stripe_connections WHERE team_id = $1";
    /// The connections of all teams, for the server's own look at their secrets.
    ACTIVE = concat!("SELECT is_active, secret_key, publishable_key, webhook_secret, \
        old_webhook_secret, old_valid_until, livemode, account_id, account_name, connected_at, ",
        team_of!("stripe_connections"), " FROM stripe_connections WHERE is_active \
        ORDER BY team_id LIMIT 1000");
    LIVEMODE = "SELECT livemode FROM stripe_connections WHERE team_id = $1 AND is_active";
    /// Finds a team that is connected with a secret key.
    WITH_SECRET_KEY = "SELECT team_id FROM stripe_connections \
        WHERE team_id = $1 AND is_active AND secret_key IS NOT NULL";
    PUT = "INSERT INTO stripe_connections (team_id, is_active, secret_key, publishable_key, \
        webhook_secret, livemode, account_id, account_name, connected_at) \
        VALUES ($1, TRUE, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (team_id) DO UPDATE SET is_active = excluded.is_active, \
        secret_key = excluded.secret_key, publishable_key = excluded.publishable_key, \
        webhook_secret = excluded.webhook_secret, old_webhook_secret = NULL, \
        old_valid_until = NULL, livemode = excluded.livemode, \
        account_id = excluded.account_id, account_name = excluded.account_name, \
        connected_at = excluded.connected_at";
    DISCONNECT = "UPDATE stripe_connections SET is_active = FALSE, secret_key = NULL, \
        publishable_key = NULL, webhook_secret = NULL, old_webhook_secret = NULL, \
        old_valid_until = NULL WHERE team_id = $1 AND is_active";
    ROLL = "UPDATE stripe_connections SET webhook_secret = $2, \
        old_webhook_secret = webhook_secret, old_valid_until = $3 \
        WHERE team_id = $1 AND is_active";
}

/// How a team is, or was, connected to Stripe.
#[derive(Clone, Debug, PartialEq)]
pub struct Connection {
    /// Whether it is in use; a connection that is not has no keys and no secrets.
    pub is_active: bool,
    /// The secret API key, sealed.
    pub secret_key: Option<String>,
    /// The publishable API key.
    pub publishable_key: Option<String>,
    /// The secret that webhooks are signed with, sealed.
    pub webhook_secret: Option<String>,
    /// The one before it, sealed.
    pub old_webhook_secret: Option<String>,
    /// From when on the one before it is not valid any more.
    pub old_valid_until: Option<Micros>,
    /// Whether the keys are live ones; `None` when nothing tells.
    pub livemode: Option<bool>,
    /// The Stripe account, when a secret key told it.
    pub account_id: Option<String>,
    /// The name of that account.
    pub account_name: Option<String>,
    /// When it was last connected.
    pub connected_at: Micros,
}

fn decode(row: &dyn Row) -> Result<Connection, Fault> {
    Ok(Connection {
        is_active: row.flag(0)?,
        secret_key: row.opt_string(1)?,
        publishable_key: row.opt_string(2)?,
        webhook_secret: row.opt_string(3)?,
        old_webhook_secret: row.opt_string(4)?,
        old_valid_until: row.opt_time(5)?,
        livemode: row.opt_flag(6)?,
        account_id: row.opt_string(7)?,
        account_name: row.opt_string(8)?,
        connected_at: row.time(9)?,
    })
}

/// The team's connection, active or not; `None` when there never was one.
pub fn get(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<Connection>, Fault> {
    tx.one(GET, params![team_id], decode)
}

/// Whether an event is of another mode than a team is connected in, as far as both are known.
pub fn modes_differ(ours: Option<bool>, theirs: Option<bool>) -> bool {
    ours.zip(theirs)
        .is_some_and(|(ours, theirs)| ours != theirs)
}

/// Whether the team is connected in live mode; `None` where nothing tells.
pub(crate) fn livemode(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Option<bool>, Fault> {
    Ok(tx
        .one(LIVEMODE, params![team_id], |row| row.opt_flag(0))?
        .flatten())
}

/// The teams that are connected, up to a thousand of them.
pub fn active(tx: &mut dyn Tx) -> Result<Vec<(TeamId, Connection)>, Fault> {
    tx.all(ACTIVE, params![], |row| {
        Ok((row.team_id(10)?, decode(row)?))
    })
}

/// Refuses to go on when the connection is not as it was `seen` any more.
pub fn recheck(tx: &mut dyn Tx, team_id: &TeamId, seen: &Connection) -> Result<(), Abort> {
    match get(tx, team_id)? {
        Some(now) if now == *seen => Ok(()),
        _ => Err(Refusal::StripeConnectionChanged.into()),
    }
}

/// What a team is connected with.
#[derive(Clone, Debug)]
pub struct NewConnection {
    /// The secret API key, sealed.
    pub secret_key: Option<String>,
    /// The publishable API key.
    pub publishable_key: Option<String>,
    /// The secret that webhooks are signed with, sealed.
    pub webhook_secret: String,
    /// Whether the keys are live ones.
    pub livemode: Option<bool>,
    /// The Stripe account.
    pub account_id: Option<String>,
    /// The name of that account.
    pub account_name: Option<String>,
}

/// Connects a team, in place of any earlier connection. No earlier webhook secret stays valid;
/// keeping one for a while is what [`roll`] is for.
pub fn connect(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    new: &NewConnection,
) -> Result<Connection, Abort> {
    tx.must(
        PUT,
        params![
            team_id,
            new.secret_key.as_deref(),
            new.publishable_key.as_deref(),
            &new.webhook_secret,
            new.livemode,
            new.account_id.as_deref(),
            new.account_name.as_deref(),
            act.at,
        ],
    )?;
    let facts = json!({
        "accountId": new.account_id,
        "livemode": new.livemode,
        "withSecretKey": new.secret_key.is_some(),
    });
    act.record_team(tx, team_id, "stripe.connected", team_id.as_str(), facts)?;
    require(tx, team_id)
}

/// Disconnects a team: from now on nothing of it can be read or verified.
pub fn disconnect(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<(), Abort> {
    if !tx.hit(DISCONNECT, params![team_id])? {
        return Err(Refusal::StripeNotConnected.into());
    }
    Ok(act.record_team(
        tx,
        team_id,
        "stripe.disconnected",
        team_id.as_str(),
        json!({}),
    )?)
}

/// Replaces the webhook secret; the one before stays valid until `old_valid_until`. Of two that
/// are replaced in a row, only the later is kept.
pub fn roll(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    webhook_secret: &str,
    old_valid_until: Micros,
) -> Result<Connection, Abort> {
    if !tx.hit(ROLL, params![team_id, webhook_secret, old_valid_until])? {
        return Err(Refusal::StripeNotConnected.into());
    }
    let facts = json!({"oldValidUntil": old_valid_until});
    act.record_team(
        tx,
        team_id,
        "stripe.webhook_secret_rolled",
        team_id.as_str(),
        facts,
    )?;
    require(tx, team_id)
}

fn require(tx: &mut dyn Tx, team_id: &TeamId) -> Result<Connection, Abort> {
    Ok(get(tx, team_id)?.ok_or(Refusal::StripeNotConnected)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    fn with(webhook_secret: &str) -> NewConnection {
        NewConnection {
            secret_key: Some("sealed key".to_owned()),
            publishable_key: Some("pk_test_1".to_owned()),
            webhook_secret: webhook_secret.to_owned(),
            livemode: Some(false),
            account_id: Some("acct_1".to_owned()),
            account_name: None,
        }
    }

    #[test]
    fn the_old_secret_lives_on_after_a_roll_only() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        let until = Micros(i64::MAX);
        let roll = |secret: &str| bench.run(|tx, act| roll(tx, act, &team, secret, until));
        let secrets = |connection: Connection| {
            assert_eq!(
                connection.old_valid_until.is_some(),
                connection.old_webhook_secret.is_some()
            );
            (connection.webhook_secret, connection.old_webhook_secret)
        };
        let text = |text: &str| Some(text.to_owned());

        let none = Abort::from(Refusal::StripeNotConnected);
        assert_eq!(roll("one"), Err(none.clone()));
        bench
            .run(|tx, act| connect(tx, act, &team, &with("one")))
            .unwrap();
        assert_eq!(secrets(roll("two").unwrap()), (text("two"), text("one")));
        assert_eq!(
            secrets(roll("three").unwrap()),
            (text("three"), text("two"))
        );
        let anew = bench.run(|tx, act| connect(tx, act, &team, &with("four")));
        assert_eq!(secrets(anew.unwrap()), (text("four"), None));

        assert_eq!(bench.run(|tx, act| disconnect(tx, act, &team)), Ok(()));
        let left = bench.read(|tx| get(tx, &team)).unwrap();
        assert!(!left.is_active && left.secret_key.is_none());
        assert_eq!(secrets(left), (None, None));
        assert_eq!(
            bench.run(|tx, act| disconnect(tx, act, &team)),
            Err(none.clone())
        );
        assert_eq!(roll("five"), Err(none));
    }
}
