//! A team's connection to Stripe: made, ended, its webhook secret rolled, its key looked into.

use billstack_core::event::Event;
use billstack_core::ids::TeamId;
use billstack_core::time::{DAY, Micros};

use super::credits::delivery::cure as delivery;
use super::payments::asking;
use super::refusal::{Abort, Refusal};
use super::work::{self, Key};
use super::{intake, newness, reconcile};
use crate::seam::{Act, Fault, Tx};
use crate::tables::{events, stripe_connections};

pub use crate::tables::stripe_connections::{
    Connection, NewConnection, active, get, has_secret_key, holds_secrets, modes_differ, probe,
    probed,
};

/// The kind of work that finds out what the key of a team may do.
pub const PROBE_KIND: &str = "stripe_probe";

/// How often that is found out.
pub const PROBE_EVERY: i64 = DAY;

/// The name that two who make an endpoint for a team share.
const NAME: &str = "stripe connection";

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
    if new.secret_key.is_some() {
        let wait = new.probe.as_ref().map_or(0, |_| PROBE_EVERY);
        look_into(tx, act, team_id, wait)?;
        ask_at_once(tx, act, team_id)?;
        delivery::connected(tx, act, team_id)?;
        reconcile::every_day(tx, act, team_id)?;
    }
    require(tx, team_id)
}

/// Connects a team if it is still connected as it was `seen`: what is new was made in Stripe in view of that. Tells
/// whether it was.
pub fn connect_after(
    tx: &mut dyn Tx,
    act: &mut Act,
    team_id: &TeamId,
    seen: Option<&Connection>,
    new: &NewConnection,
) -> Result<bool, Abort> {
    act.hold(tx, team_id, vec![NAME.to_owned()])?;
    if get(tx, team_id)?.as_ref() != seen {
        return Ok(false);
    }
    connect(tx, act, team_id, new)?;
    Ok(true)
}

/// What the key before did not get an answer to is asked with the new one, however long the next try was put off.
fn ask_at_once(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<(), Fault> {
    work::hasten_all(tx, act, team_id, intake::TO_FETCH)?;
    work::hasten_all(tx, act, team_id, asking::KIND)?;
    work::hasten_in_projects(tx, act, team_id, newness::KIND)
}

/// Has the queue find out what the key of a team may do, so much later.
fn look_into(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId, wait: i64) -> Result<(), Fault> {
    let key = Key::of_team(team_id, PROBE_KIND, team_id.as_str());
    let due = act.at.plus(wait);
    if !work::enqueue(tx, act, &key, "{}", due)? {
        work::later(tx, &key, "{}", due, None)?;
    }
    Ok(())
}

/// The team that such work is about.
pub fn team_to_probe(key: &Key) -> TeamId {
    TeamId::from(key.subject.as_str())
}

/// Disconnects a team: from now on nothing of it can be read or verified. Returns what it was connected with.
pub fn disconnect(tx: &mut dyn Tx, act: &mut Act, team_id: &TeamId) -> Result<Connection, Abort> {
    let before = require(tx, team_id)?;
    if !stripe_connections::deactivate(tx, team_id)? {
        return Err(Refusal::StripeNotConnected.into());
    }
    let event = Event::StripeDisconnected {};
    events::record_of_team(tx, act, team_id, team_id.as_str(), &event)?;
    Ok(before)
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
            webhook_secret: Some(webhook_secret.to_owned()),
            livemode: Some(false),
            account_id: Some("acct_1".to_owned()),
            account_name: None,
            endpoint_id: None,
            probe: None,
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

        let before = bench.run(|tx, act| disconnect(tx, act, &team)).unwrap();
        assert_eq!(secrets(before), (text("four"), None));
        let left = bench.read(|tx| get(tx, &team)).unwrap();
        assert!(!left.is_active && left.secret_key.is_none());
        assert_eq!(secrets(left), (None, None));
        assert_eq!(
            bench.run(|tx, act| disconnect(tx, act, &team)),
            Err(none.clone())
        );
        assert_eq!(roll("five"), Err(none));
    }

    #[test]
    fn what_was_made_in_stripe_counts_only_for_the_connection_it_was_made_for() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        let after = |seen: Option<&Connection>, secret: &str| {
            let new = NewConnection {
                endpoint_id: Some(format!("we_{secret}")),
                ..with(secret)
            };
            let after = bench.run(|tx, act| connect_after(tx, act, &team, seen, &new));
            after.unwrap()
        };
        let now = || bench.read(|tx| get(tx, &team));
        assert!(after(None, "one"));
        assert!(!after(None, "two"), "somebody was faster");
        let seen = now();
        assert!(after(seen.as_ref(), "three"));
        assert!(!after(seen.as_ref(), "four"));
        let ours = Some("we_three".to_owned());
        assert_eq!(now().unwrap().endpoint_id, ours);
        // Whoever connects by hand does not make us forget what we made.
        let by_hand = bench.run(|tx, act| connect(tx, act, &team, &with("five")));
        assert_eq!(by_hand.unwrap().endpoint_id, ours);
        let before = bench.run(|tx, act| disconnect(tx, act, &team)).unwrap();
        assert_eq!(before.endpoint_id, ours);
        assert_eq!(now().unwrap().endpoint_id, None);
    }

    #[test]
    fn what_a_key_may_do_is_kept_for_that_key() {
        let bench = Bench::new();
        let team = bench.team(&bench.user("a@example.com")).id;
        let keep = |key: &str, text: &str| {
            bench
                .run(|tx, _| Ok(probed(tx, &team, key, text)?))
                .unwrap()
        };
        let kept = || bench.read(|tx| probe(tx, &team));
        assert!(!keep("sealed key", "{}"));
        bench
            .run(|tx, act| connect(tx, act, &team, &with("one")))
            .unwrap();
        assert_eq!(kept(), None);
        let due = |bench: &Bench| {
            let now = bench.time();
            bench.read(|tx| work::due(tx, PROBE_KIND, now, 9))
        };
        let key = due(&bench).pop().expect("it is to be found out at once");
        assert_eq!(team_to_probe(&key), team);
        assert!(!keep("another key", "{}"));
        assert!(keep("sealed key", "{}"));
        assert_eq!(kept().as_deref(), Some("{}"));
        let found_out = NewConnection {
            probe: Some("{}".to_owned()),
            ..with("two")
        };
        bench
            .run(|tx, act| connect(tx, act, &team, &found_out))
            .unwrap();
        assert_eq!(due(&bench), [], "it was found out already");
        bench.run(|tx, act| disconnect(tx, act, &team)).unwrap();
        assert_eq!(kept(), None);
    }
}
