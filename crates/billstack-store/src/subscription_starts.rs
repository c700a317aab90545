//! What is known of subscriptions, findable by everyone they may belong to.

use billstack_core::stripe_event::Standing;
use billstack_core::time::Micros;

use crate::conversion::{BY_ID, Sign, by_stripe_id};
use crate::customers::Customer;
use crate::tx::{Fault, Row, Tx};
use crate::{params, statements};

statements! {
    REMEMBER = "INSERT INTO subscription_starts (team_id, match_key, object_id, event_id, \
        began_at, counted_at, existed, project_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
        ON CONFLICT (team_id, match_key, object_id) DO NOTHING";
    /// The first event that counts, or a later one by which the team says that another project is meant.
    REMEMBER_COUNTED = "UPDATE subscription_starts SET event_id = $4, counted_at = $5, \
        existed = TRUE, project_id = $6 WHERE team_id = $1 AND match_key = $2 AND object_id = $3 \
        AND (counted_at IS NULL OR (counted_at <= $5 AND project_id IS DISTINCT FROM $6))";
    REMEMBER_EXISTED = "UPDATE subscription_starts SET existed = TRUE \
        WHERE team_id = $1 AND match_key = $2 AND object_id = $3 AND NOT existed";
    /// The subscriptions known under two names. With one name they are seen twice, which changes
    /// neither answer. Two selects, because SQLite builds a table for `IN`, at twice the price.
    KNOWN_STARTS = "SELECT COUNT(*), MIN(CASE WHEN existed \
        AND (project_id IS NULL OR project_id = $4) THEN began_at END) FROM (\
        SELECT existed, project_id, began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $2 UNION ALL \
        SELECT existed, project_id, began_at FROM subscription_starts \
        WHERE team_id = $1 AND match_key = $3) AS known";
}

/// Keeps what an event tells, findable by everyone it may belong to.
pub(crate) fn remember(tx: &mut dyn Tx, sign: &Sign<'_>) -> Result<(), Fault> {
    let (team_id, start) = (sign.team_id, sign.start);
    let counted_at = (start.standing == Standing::Counts).then_some(start.occurred_at);
    let existed = matches!(start.standing, Standing::Counts | Standing::Past);
    for key in names_spoken_for(tx, sign)? {
        let object_id = &start.object_id;
        let inserted = tx.hit(
            REMEMBER,
            params![
                team_id,
                &key,
                object_id,
                sign.event_id,
                start.customer_since(),
                counted_at,
                existed,
                sign.project_id.as_ref()
            ],
        )?;
        if inserted {
            continue;
        }
        if let Some(at) = counted_at {
            tx.hit(
                REMEMBER_COUNTED,
                params![
                    team_id,
                    &key,
                    object_id,
                    sign.event_id,
                    at,
                    sign.project_id.as_ref()
                ],
            )?;
        } else if existed {
            tx.hit(REMEMBER_EXISTED, params![team_id, &key, object_id])?;
        }
    }
    Ok(())
}

/// The names of those to whom an event may belong. Buyers can set `client_reference_id`: what is subscribed
/// to under another's id makes that one no customer, when it is known that it is not theirs.
fn names_spoken_for(tx: &mut dyn Tx, sign: &Sign<'_>) -> Result<Vec<String>, Fault> {
    let mut names = sign.start.match_keys();
    let reference = sign.start.client_reference_id.as_deref();
    let Some(id) = reference.filter(|id| sign.start.billstack_customer_id.as_deref() != Some(id))
    else {
        return Ok(names);
    };
    if pays_as_another(tx, sign, id)? || is_of_another(tx, sign, id)? {
        names.retain(|name| name.strip_prefix("customer:") != Some(id));
    }
    Ok(names)
}

/// Whether the Stripe customer of the customer with this id is known, and is not the one that subscribed.
fn pays_as_another(tx: &mut dyn Tx, sign: &Sign<'_>, id: &str) -> Result<bool, Fault> {
    let linked = tx.all(BY_ID, params![sign.team_id, id], |row| row.opt_string(2))?;
    let is_another = |linked: &Option<String>| {
        linked
            .as_deref()
            .is_some_and(|linked| sign.start.stripe_ids().all(|id| id != linked))
    };
    Ok(!linked.is_empty() && linked.iter().all(is_another))
}

/// Whether the Stripe customer that subscribed is known to be somebody else's than this customer's.
fn is_of_another(tx: &mut dyn Tx, sign: &Sign<'_>, id: &str) -> Result<bool, Fault> {
    let owners = by_stripe_id(tx, sign)?.customers;
    Ok(!owners.is_empty() && owners.iter().all(|(_, owner)| owner != id))
}

/// What is known of a customer's subscriptions.
#[derive(Default)]
pub(crate) struct KnownStarts {
    /// Whether there is any event to look at again.
    pub(crate) any: bool,
    /// When the oldest one in the customer's project began.
    pub(crate) earliest: Option<Micros>,
}

/// A row of [`KNOWN_STARTS`].
pub(crate) fn decode_starts(row: &dyn Row) -> Result<KnownStarts, Fault> {
    Ok(KnownStarts {
        any: row.int(0)? > 0,
        earliest: row.opt_time(1)?,
    })
}

/// The names under which events of a customer are kept, one or two.
pub(crate) fn names_of(customer: &Customer) -> Vec<String> {
    let stripe = customer
        .stripe_customer_id
        .iter()
        .map(|id| format!("stripe:{id}"));
    stripe
        .chain([format!("customer:{}", customer.id)])
        .collect()
}
