//! Comparing operations with the lines of balances in Stripe, after payments that lead nowhere were told.
//!
//! What differs is looked for a second time before it is told, with the operations as they are by then: what is being
//! written meanwhile is no difference.

mod found;

use billstack_core::reconcile::walk::{Stage, Walk};
use billstack_store::reconcile::balances::{self, Found, Looked};
use billstack_store::reconcile::{Run, unlinked as payments};
use tokio::time::Instant;

use super::{Means, Trouble, trouble, write};
use crate::stripe::{BalanceLine, CustomerState, Failure, Silent};

/// How many customers are read from the database at once.
const AT_ONCE: i64 = 50;

/// How many pages of lines are read of a customer.
const MOST_PAGES: usize = 150;

/// What Stripe says of a customer.
enum Theirs {
    /// It was deleted, with all that it had.
    Deleted,
    /// The account does not know it.
    Unknown,
    /// It is there, with these lines, the newest first.
    There(CustomerState, Vec<BalanceLine>),
}

/// Looks at what is left to be looked at, one by one, until a time. Returns the run when it is through.
pub(super) async fn look(
    means: &Means<'_>,
    mut run: Run,
    until: Instant,
) -> Result<Option<Run>, Trouble> {
    loop {
        if run.walk.stage == Stage::Over {
            return Ok(Some(run));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        let is_ours = match run.walk.stage {
            Stage::Unlinked => unlinked(means, &mut run).await?,
            Stage::Payments => super::payments::some(means, &mut run, until).await?,
            _ => some(means, &mut run, until).await?,
        };
        // Whoever has carried it on meanwhile goes on with it.
        if !is_ours {
            return Ok(None);
        }
    }
}

/// Looks at some payments that lead nowhere; tells whether nobody else did meanwhile.
async fn unlinked(means: &Means<'_>, run: &mut Run) -> Result<bool, Trouble> {
    let (team_id, before) = (means.team_id.clone(), run.clone());
    let looked = write(means.app, move |tx, act| {
        payments::look(tx, act, &team_id, &before)
    });
    let Some(walk) = looked.await? else {
        return Ok(false);
    };
    run.walk = walk;
    Ok(true)
}

/// Looks at some customers, until a time; tells whether nobody else did meanwhile.
async fn some(means: &Means<'_>, run: &mut Run, until: Instant) -> Result<bool, Trouble> {
    let customers = next(means, run).await?;
    if customers.is_empty() {
        let walk = run.walk.clone().next(run.is_whole);
        return pass(means, run, walk, 0).await;
    }
    let count = i64::try_from(customers.len()).unwrap_or(i64::MAX);
    for (customer, number) in customers.iter().zip(1..) {
        if Instant::now() >= until {
            break;
        }
        if !look_at(means, run, customer, count - number).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn next(means: &Means<'_>, run: &Run) -> Result<Vec<String>, Trouble> {
    let (team_id, run) = (means.team_id.clone(), run.clone());
    let next = means
        .app
        .store
        .scan(move |tx| Ok(balances::next(tx, &team_id, &run, AT_ONCE)?));
    Ok(next.await?)
}

async fn pass(means: &Means<'_>, run: &mut Run, walk: Walk, left: i64) -> Result<bool, Trouble> {
    let (team_id, before, to) = (means.team_id.clone(), run.clone(), walk.clone());
    let passed = write(means.app, move |tx, _| {
        Ok(balances::pass(tx, &team_id, &before, &to, left)?)
    });
    run.walk = walk;
    Ok(passed.await?)
}

/// Looks at a customer, after whom so many more are known to be left; tells whether nobody else did meanwhile.
async fn look_at(
    means: &Means<'_>,
    run: &mut Run,
    customer: &str,
    left: i64,
) -> Result<bool, Trouble> {
    let known = known(means, customer).await?;
    let has_changed = known.iter().any(|one| one.has_changed());
    if has_changed && run.walk.stage == Stage::Sample && !run.is_whole {
        // It was looked at a moment ago, or has changed since: the next run begins with it.
        let walk = run.walk.clone().passing(customer);
        return pass(means, run, walk, left).await;
    }
    let (mut compared, mut found) = compare(means, customer).await?;
    if !found.is_empty() {
        let first = found;
        (compared, found) = compare(means, customer).await?;
        found.retain(|one| first.iter().any(|before| before.is_same(one)));
    }
    let walk = run.walk.clone().past(customer);
    let looked = Looked {
        compared,
        found,
        walk: walk.clone(),
        left,
    };
    let (team_id, before) = (means.team_id.clone(), run.clone());
    let concluded = write(means.app, move |tx, act| {
        balances::conclude(tx, act, &team_id, &before, &looked)
    });
    run.walk = walk;
    Ok(concluded.await?)
}

async fn known(
    means: &Means<'_>,
    customer: &str,
) -> Result<Vec<balances::StripeOperation>, Trouble> {
    let (team_id, customer) = (means.team_id.clone(), customer.to_owned());
    let known = means
        .app
        .store
        .scan(move |tx| Ok(balances::on_balance(tx, &team_id, &customer)?));
    Ok(known.await?)
}

/// Reads the operations, then the lines, then the operations again, and compares them.
async fn compare(
    means: &Means<'_>,
    customer: &str,
) -> Result<(Vec<balances::StripeOperation>, Vec<Found>), Trouble> {
    let before = known(means, customer).await?;
    let theirs = read(means, customer)
        .await
        .map_err(|why| failed(means, why))?;
    let mut operations = known(means, customer).await?;
    let is_settled = |one: &balances::StripeOperation| before.iter().any(|old| one.is_as(old));
    let mut found = match &theirs {
        Theirs::Deleted => Vec::new(),
        Theirs::Unknown => found::of_nobody(customer, &operations),
        Theirs::There(state, lines) => found::found(state, lines, &operations, is_settled),
    };
    confirm(means, &mut found).await?;
    operations.retain(|one| is_settled(one) && !one.progress.is_open());
    Ok((operations, found))
}

/// Drops what is not missing after all: a list may not show yet what was just written.
async fn confirm(means: &Means<'_>, found: &mut Vec<Found>) -> Result<(), Trouble> {
    let mut confirmed = Vec::new();
    for one in found.drain(..) {
        if let (true, Some(operation)) = (found::is_missing(&one), &one.operation) {
            let (customer, line) = (&operation.stripe_customer_id, &operation.transaction_id);
            let line = line.as_deref().unwrap_or_default();
            wait(means).await;
            let there = means.app.stripe.balance_line(means.key, customer, line);
            if there.await.map_err(|why| failed(means, why))?.is_some() {
                continue;
            }
        }
        confirmed.push(one);
    }
    *found = confirmed;
    Ok(())
}

async fn read(means: &Means<'_>, customer: &str) -> Result<Theirs, Failure> {
    let stripe = &means.app.stripe;
    wait(means).await;
    let state = match stripe.customer_state(means.key, customer).await {
        Ok(state) if state.deleted => return Ok(Theirs::Deleted),
        Err(Failure::NotFound) => return Ok(Theirs::Unknown),
        state => state?,
    };
    let (mut lines, mut after) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        wait(means).await;
        let page = stripe.balance_lines(means.key, customer, None, after.as_deref());
        let page = page.await?;
        lines.extend(page.rows);
        after = page.after;
        if after.is_none() {
            return Ok(Theirs::There(state, lines));
        }
    }
    // A part of them would be taken for all.
    Err(Failure::Unknown(Silent::Unreadable))
}

async fn wait(means: &Means<'_>) {
    means.app.stripe_rates.wait(means.team_id).await;
}

fn failed(means: &Means<'_>, failure: Failure) -> Trouble {
    if let Failure::RateLimited { .. } = failure {
        means.app.stripe_rates.slow_down(means.team_id);
    }
    trouble(failure)
}
