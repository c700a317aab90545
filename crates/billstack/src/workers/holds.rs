//! The end of a hold: what is held of a credit becomes the customer's.

use billstack_store::payments::{self, Ended};
use billstack_store::work::{self, Leased};
use billstack_store::{Abort, Actor};

use super::Next;
use crate::app::App;

/// Releases the credit, unless its payment is disputed. A person may have released or reversed it meanwhile, which
/// leaves nothing to do.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let place = work::place_of(&leased.work)?;
    let id = leased.key.subject.clone();
    let origin = app.origin(Actor::System, "job:end_of_hold");
    let ended = app.store.write(origin, move |tx, act| {
        Ok(payments::end_hold(tx, act, &place, &id)?)
    });
    Ok(match ended.await? {
        Ended::Over => Next::Done,
        Ended::PutOff => Next::AsItIs,
    })
}
