//! Asking Stripe whether the referee of a referral was new, where it had no answer when the code was applied.

use billstack_store::newness::{self, Answer, Answered};
use billstack_store::work::{self, Leased};
use billstack_store::{Abort, Actor};
use tokio::time::Instant;

use super::Next;
use super::asking::LONGEST;
use crate::app::App;
use crate::error::{ApiError, Reason};

/// Asks once, and takes the answer in.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let place = work::place_of(&leased.work)?;
    let subject = leased.key.subject.clone();
    let look = {
        let (place, id) = (place.clone(), subject.clone());
        app.store
            .point(move |tx| Ok(newness::question(tx, &place, &id)?))
    };
    let answer = match look.await? {
        None => Answer::NobodyToAsk,
        Some(asked) => {
            let deadline = Instant::now() + LONGEST;
            let asking = app.subscriptions_in_stripe(&place, &asked);
            match app.in_time(&place.team_id, deadline, asking).await {
                Ok(Some(told)) => Answer::Told(asked, told),
                Ok(None) => Answer::NobodyToAsk,
                Err(error) => return Ok(Next::PutOff(why(&error))),
            }
        }
    };
    let origin = app.origin(Actor::System, "job:newness");
    let taken = app.store.write(origin, move |tx, act| {
        newness::answer(tx, act, &place, &subject, &answer)
    });
    Ok(match taken.await? {
        Answered::Closed => Next::Done,
        Answered::StillOpen(why) => Next::PutOff(why.to_owned()),
    })
}

/// Why it has to be asked again. A key that Stripe does not take is the team's to mend, and is warned of.
fn why(error: &ApiError) -> String {
    if error.reason == Reason::StripeRefused {
        tracing::warn!(%error, "a referral waits, because Stripe does not tell whether the customer was new");
    }
    error.to_string()
}
