//! Each team's connection to Stripe: key, permissions, endpoint, events, deliveries.

use billstack_core::attention::{SILENT_AFTER, silent_since};
use billstack_core::ids::TeamId;
use billstack_core::time::{HOUR, Micros, span};
use billstack_store::Abort;
use billstack_store::credits::delivery;
use billstack_store::list::Page;
use billstack_store::received::{self, EventFilter};
use billstack_store::stripe_connection::{self, Connection};

use super::Finding;
use super::data::unread;
use crate::app::App;
use crate::error::ApiError;
use crate::stripe::{Probed, StripeError};

/// A credit that is on its way to Stripe for longer has something in its way.
const LATE: i64 = HOUR;

/// Looks at each team that is connected.
pub(super) async fn look(app: &App) -> Vec<Finding> {
    let active = app
        .store
        .scan(|tx| Ok(stripe_connection::active(tx)?))
        .await;
    let active = match active {
        Ok(active) => active,
        Err(abort) => return vec![unread(abort)],
    };
    if active.is_empty() {
        return vec![Finding::look(
            "stripe",
            "no team is connected, so nothing converts",
            format!(
                "Connect it on the page Stripe of a team: {}/t",
                app.base_url()
            ),
        )];
    }
    let mut found = Vec::new();
    for (team_id, connection) in active {
        let of_team = match team(app, &team_id, &connection).await {
            Ok(of_team) => of_team,
            Err(abort) => vec![unread(abort)],
        };
        found.extend(of_team.into_iter().map(|one| one.of_team(team_id.as_str())));
    }
    found
}

async fn team(app: &App, id: &TeamId, connection: &Connection) -> Result<Vec<Finding>, Abort> {
    let mut found = vec![last_event(app, id, connection).await?];
    found.extend(waiting(app, id, connection).await?);
    found.extend(key(app, id, connection).await);
    Ok(found)
}

async fn last_event(app: &App, id: &TeamId, connection: &Connection) -> Result<Finding, Abort> {
    let team_id = id.clone();
    let newest = Page::first(1);
    let last = app.store.scan(move |tx| {
        Ok(received::list(
            tx,
            &team_id,
            &EventFilter::default(),
            &newest,
        )?)
    });
    let last = last.await?.rows.pop();
    let last = last.map(|event| event.received_at);
    Ok(heard(connection.connected_at, last, app.now()))
}

/// What it means when Stripe was last heard of at a time.
fn heard(connected_at: Micros, last: Option<Micros>, now: Micros) -> Finding {
    let Some(last) = last else {
        return Finding::look(
            "events",
            "none has come yet",
            "Let Stripe send one (`stripe trigger customer.updated`); if it does not come, see its list of deliveries",
        );
    };
    let said = format!("the last came {} ago", span(now.since(last)));
    match silent_since(connected_at, Some(last), now) {
        Some(_) => Finding::look(
            "events",
            format!("{said}; Stripe tries for {}", span(SILENT_AFTER)),
            "See in Stripe whether the endpoint is on and what it was answered; what was missed can be sent again from there",
        ),
        None => Finding::ok("events", said),
    }
}

/// Credits on their way into balances.
async fn waiting(
    app: &App,
    id: &TeamId,
    connection: &Connection,
) -> Result<Option<Finding>, Abort> {
    if let Some(pause) = &connection.pause {
        let lacks = pause.lacks.as_deref();
        let why = lacks.map_or(String::new(), |lacks| format!(" ({lacks})"));
        return Ok(Some(Finding::wrong(
            "credits",
            format!("none is delivered: {}{why}", pause.reason.as_str()),
            format!("Connect a secret key that may do it: {}", page(app, id)),
        )));
    }
    let team_id = id.clone();
    let pending = app
        .store
        .scan(move |tx| Ok(delivery::pending(tx, &team_id)?));
    let (number, oldest) = pending.await?;
    let age = oldest.map_or(0, |oldest| app.now().since(oldest));
    Ok((age > LATE).then(|| {
        Finding::look(
            "credits",
            format!("{number} are not delivered, the oldest since {}", span(age)),
            "Those that wait for a person are on the page Attention of their project",
        )
    }))
}

/// What Stripe says of the key, and of the endpoint that sends events here.
async fn key(app: &App, id: &TeamId, connection: &Connection) -> Vec<Finding> {
    let cure = format!("Connect the team anew with a secret key: {}", page(app, id));
    let key = match app.key_of(id, connection) {
        Ok(Some(key)) => key,
        Ok(None) => {
            return vec![Finding::look(
                "stripe",
                "connected by a webhook secret alone, so neither endpoint nor events can be looked at",
                "With a secret key credits can be delivered, and missed events found",
            )];
        }
        Err(error) => return vec![Finding::wrong("stripe", error.to_string(), cure)],
    };
    let account = match app.stripe.account(&key).await {
        Ok(account) => account,
        Err(StripeError::Unavailable { .. }) => {
            return vec![Finding::wrong(
                "stripe",
                "it does not answer",
                "Look at the way out of this machine, and at status.stripe.com",
            )];
        }
        Err(StripeError::InvalidKey | StripeError::Refused { .. }) => {
            return vec![Finding::wrong("stripe", "it does not take the key", cure)];
        }
    };
    let endpoint = connection.endpoint_id.as_deref();
    let probed = app.probe_key(id, &key, account.is_some(), endpoint).await;
    match probed {
        Ok(probed) => judged(
            &probed,
            &app.webhook_url(id),
            app.settings.base_url.is_some(),
        ),
        Err(error) => vec![Finding::wrong(
            "stripe",
            ApiError::from(error).to_string(),
            cure,
        )],
    }
}

/// Where a team is connected.
fn page(app: &App, id: &TeamId) -> String {
    format!("{}/t/{id}/stripe", app.base_url())
}

fn judged(probed: &Probed, url: &str, knows_address: bool) -> Vec<Finding> {
    let mut found = vec![permissions(probed)];
    if !knows_address {
        // Nobody can say which endpoint would be the one.
        return found;
    }
    let Some(endpoint) = &probed.endpoint else {
        found.push(Finding::wrong(
            "endpoint",
            format!("Stripe has none that sends to {url}, or the key may not read them"),
            "Connect the team anew with a key that may write webhook endpoints, or add one by hand",
        ));
        return found;
    };
    let version = endpoint.api_version.as_deref();
    let version = version.unwrap_or("the account's own");
    let said = format!("{} sends events of the version {version}", endpoint.id);
    found.push(match (&*endpoint.missing_events, endpoint.linkable) {
        ([], Some(false)) => Finding::look(
            "endpoint",
            format!("{said}, which do not tell which invoice a refund is about"),
            "Let it send a newer version, or see that the key may read invoices and payments",
        ),
        ([], _) => Finding::ok("endpoint", said),
        (missing, _) => Finding::wrong(
            "endpoint",
            format!("{} does not send {}", endpoint.id, missing.join(", ")),
            "Add them to the endpoint in Stripe, or connect the team anew",
        ),
    });
    found
}

fn permissions(probed: &Probed) -> Finding {
    let missing = probed.permissions.iter().filter(|(_, has)| !**has);
    let missing: Vec<_> = missing.map(|(name, _)| name.as_str()).collect();
    match missing.is_empty() {
        true => Finding::ok("stripe", "the key works, and may do all that is of use"),
        false => Finding::look(
            "stripe",
            format!("the key works, and lacks {}", missing.join(", ")),
            "Add them to the key in Stripe, if what they are for is wanted",
        ),
    }
}

#[cfg(test)]
mod tests {
    use billstack_core::time::DAY;

    use super::*;
    use crate::cli::doctor::Verdict;

    #[test]
    fn days_of_silence_are_looked_at() {
        let at = |days: i64| Micros(days * DAY);
        let verdict = |last, now| heard(at(0), last, at(now)).verdict;
        assert_eq!(verdict(None, 1), Verdict::Look);
        assert_eq!(verdict(Some(at(1)), 4), Verdict::Ok);
        assert_eq!(verdict(Some(at(1)), 7), Verdict::Look);
        // Whoever has just connected anew has not been waiting.
        assert_eq!(heard(at(6), Some(at(1)), at(7)).verdict, Verdict::Ok);
    }
}
