//! A team's connection to Stripe: made, ended, its webhook secret rolled.

use billstack_core::event::Event;
use billstack_core::ids::TeamId;
use billstack_core::time::Micros;

use super::refusal::{Abort, Refusal};
use crate::seam::{Act, Tx};
use crate::tables::{events, stripe_connections};

pub use crate::tables::stripe_connections::{
    Connection, NewConnection, active, get, holds_secrets, modes_differ,
};

/// Connects a team, in place of any earlier connection. No earlier webhook secret stays valid;
/// keeping one for a while is what [`roll`] is for.
pub fn connect(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    new: &NewConnection,
) -> Result<Connection, Abort> {
    stripe_connections::put(tx, team_id, new, act.at)?;
    let event = Event::StripeConnected {
        account_id: new.account_id.as_deref(),
        livemode: new.livemode,
        with_secret_key: new.secret_key.is_some(),
    };
    events::record_of_team(tx, act, team_id, team_id.as_str(), &event)?;
    require(tx, team_id)
}

/// Disconnects a team: from now on nothing of it can be read or verified.
pub fn disconnect(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<(), Abort> {
    if !stripe_connections::deactivate(tx, team_id)? {
        return Err(Refusal::StripeNotConnected.into());
    }
    let event = Event::StripeDisconnected {};
    Ok(events::record_of_team(
        tx,
        act,
        team_id,
        team_id.as_str(),
        &event,
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
    if !stripe_connections::roll(tx, team_id, webhook_secret, old_valid_until)? {
        return Err(Refusal::StripeNotConnected.into());
    }
    let event = Event::StripeWebhookSecretRolled { old_valid_until };
    events::record_of_team(tx, act, team_id, team_id.as_str(), &event)?;
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
