//! Ranges of events that somebody wants sent again: a part of one becomes deliveries, then the next.

use billstack_store::webhooks::replay::{self, Rest};
use billstack_store::work::Leased;
use billstack_store::{Abort, Actor};

use super::Next;
use crate::app::App;

/// Has the next part of a range sent. The deliveries and how far it has come are kept by one transaction, so that none
/// is made twice.
pub(super) async fn work(app: &App, leased: &Leased) -> Result<Next, Abort> {
    let settled = app.store.settled_before(app.now()).await?;
    let leased = leased.clone();
    let origin = app.origin(Actor::System, "job:webhook_replay");
    let carried = app.store.write(origin, move |tx, act| {
        Ok(replay::carry_on(tx, act, &leased, settled)?)
    });
    Ok(match carried.await? {
        Rest::Nothing => Next::Done,
        Rest::Later => Next::AsItIs,
    })
}
