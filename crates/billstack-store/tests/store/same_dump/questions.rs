//! Answers to what Stripe was asked about a referee.

use billstack_core::referral::GRACE;
use billstack_core::stripe_event::Subscriptions;
use billstack_store::newness::{self, Answer, Answered};
use billstack_store::{Abort, Act, Place, Tx, referrals};

use super::{Command, Draw};
use crate::model::{At, Model};

/// Answers the question about whoever this is the referee of, if there is one.
pub(super) fn answer(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referee: &str,
    was_old: bool,
) -> Result<(), Abort> {
    let Some(referral) = referrals::of_referee(tx, place, referee)? else {
        return Ok(());
    };
    let began = referral.created_at.plus(-GRACE - 1);
    let told = Subscriptions {
        earliest: was_old.then_some(began),
        counting: None,
    };
    let answer = match newness::question(tx, place, &referral.id)? {
        Some(asked) => Answer::Told(asked, told),
        None => Answer::NobodyToAsk,
    };
    let left = newness::answer(tx, act, place, &referral.id, &answer)?;
    assert_eq!(left, Answered::Closed);
    Ok(())
}

impl Draw {
    /// An answer about somebody whom Stripe was asked about, if there is anybody.
    pub(super) fn answer(&mut self, model: &Model, at: At) -> Command {
        let open: Vec<_> = model.referrals.iter().filter(|r| r.open).collect();
        let was_old = self.random.one_in(3);
        match self.random.pick(&open) {
            Some(referral) => {
                Command::Answer(referral.at.clone(), referral.referee.clone(), was_old)
            }
            None => self.with_customer(model, at, |at, id, _| Command::Answer(at, id, was_old)),
        }
    }
}
