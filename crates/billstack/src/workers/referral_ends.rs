//! The end of a referral that nothing has converted in time.

use billstack_store::expiry::{self, Ended};
use billstack_store::work::{self, Leased};
use billstack_store::{Abort, Actor};

use super::Next;
use crate::app::App;

/// Closes the referral. It may have converted meanwhile, which leaves nothing to do.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let place = work::place_of(&leased.work)?;
    let id = leased.key.subject.clone();
    let origin = app.origin(Actor::System, "job:end_of_referral");
    let ended = app.store.write(origin, move |tx, act| {
        Ok(expiry::end(tx, act, &place, &id)?)
    });
    Ok(match ended.await? {
        Ended::Over => Next::Done,
        Ended::Unanswered => {
            let at = app.now().plus(expiry::WHILE_UNANSWERED);
            Next::Again(at, leased.work.facts.clone())
        }
    })
}
