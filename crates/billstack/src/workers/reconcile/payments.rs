//! Asking about the payments that credits depend on, conversion by conversion.

use billstack_core::reconcile::walk::Walk;
use billstack_store::reconcile::payments::{self, Asked, Conversion};
use billstack_store::reconcile::{Run, balances};
use tokio::time::Instant;

use super::super::payment_questions::Asking;
use super::{Means, Trouble, write};
use crate::error::{ApiError, Reason};

/// Asks about some conversions, until a time; tells whether nobody else did meanwhile.
pub(super) async fn some(
    means: &Means<'_>,
    run: &mut Run,
    until: Instant,
) -> Result<bool, Trouble> {
    let Some(some) = next(means, run).await? else {
        let walk = run.walk.clone().next(run.is_whole);
        return pass(means, run, walk).await;
    };
    let count = i64::try_from(some.conversions.len()).unwrap_or(i64::MAX);
    for (conversion, number) in some.conversions.into_iter().zip(1..) {
        if Instant::now() >= until {
            return Ok(true);
        }
        if !ask(means, run, conversion, count - number).await? {
            return Ok(false);
        }
    }
    let walk = run.walk.clone().passing(&some.walk.after);
    pass(means, run, walk).await
}

async fn next(means: &Means<'_>, run: &Run) -> Result<Option<payments::Some>, Trouble> {
    let (team_id, run, now) = (means.team_id.clone(), run.clone(), means.app.now());
    let next = means
        .app
        .store
        .scan(move |tx| Ok(payments::next(tx, &team_id, &run, now)?));
    Ok(next.await?)
}

async fn pass(means: &Means<'_>, run: &mut Run, walk: Walk) -> Result<bool, Trouble> {
    let (team_id, before, to) = (means.team_id.clone(), run.clone(), walk.clone());
    let passed = write(means.app, move |tx, _| {
        Ok(balances::pass(tx, &team_id, &before, &to, 0)?)
    });
    run.walk = walk;
    Ok(passed.await?)
}

/// Asks about a conversion, after which so many more are known to be left; tells whether nobody else did meanwhile.
async fn ask(
    means: &Means<'_>,
    run: &mut Run,
    conversion: Conversion,
    left: i64,
) -> Result<bool, Trouble> {
    let mut asking = Asking::new(means.app, means.team_id, means.key);
    let asked = asking.conversion(&conversion.known, &conversion.subscription);
    asked.await.map_err(trouble)?;
    if let Some(lacks) = asking.lacks {
        return Err(Trouble::Hopeless(lacks));
    }
    let asked = Asked {
        told: asking.told,
        at: asking.asked_at,
        conversion,
        left,
    };
    let walk = asked.walk(run);
    let (team_id, before) = (means.team_id.clone(), run.clone());
    let concluded = write(means.app, move |tx, act| {
        payments::conclude(tx, act, &team_id, &before, &asked)
    });
    run.walk = walk;
    Ok(concluded.await?)
}

/// What a failed call means for a run.
fn trouble(error: ApiError) -> Trouble {
    match error.reason {
        Reason::StripeRefused => Trouble::Hopeless(error.to_string()),
        _ => Trouble::Passing(error),
    }
}
