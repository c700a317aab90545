//! The end of a referral that nothing has converted in time: a row of `work` that is due then.

use billstack_core::event::Event;
use billstack_core::referral::{Referral, Status};
use billstack_core::time::MINUTE;

use super::test_clock;
use super::work::facts_of;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::referrals::Advance;
use crate::tables::work::{self, Key};
use crate::tables::{events, referrals};

/// The kind of work: a referral that is still pending is closed. Its subject is the referral.
pub const KIND: &str = "end_of_referral";

/// After how many microseconds it is tried again while Stripe is still to tell whether the referee was new: until
/// then no event can convert the referral.
pub const WHILE_UNANSWERED: i64 = MINUTE;

/// What came of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// It is closed, or had converted.
    Over,
    /// Stripe has not told yet whether the referee was new.
    Unanswered,
}

/// Puts the end of a new referral into the queue, if its terms know one.
pub(super) fn begin(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referral: &Referral,
) -> Result<(), Fault> {
    let Some(until) = referral.expires_at() else {
        return Ok(());
    };
    let key = Key::new(&place.team_id, &place.project_id, KIND, &referral.id);
    let facts = facts_of(place)?;
    work::enqueue(tx, act, &key, &facts, until).map(drop)
}

/// Closes a referral whose time has come and that is still pending.
pub fn end(tx: &mut dyn Tx, act: &mut Act, place: &Place, id: &str) -> Result<Ended, Fault> {
    test_clock::enter(tx, act, place)?;
    let Some(referral) = referrals::get(tx, place, id)? else {
        return Ok(Ended::Over);
    };
    if referral.status != Status::Pending {
        return Ok(Ended::Over);
    }
    if referral.question_since.is_some() {
        return Ok(Ended::Unanswered);
    }
    // One that converts at this very moment is converted.
    if let Some(mut chapter) = referrals::advance(tx, act, place, id, Advance::Expired, 1)? {
        let event = Event::ReferralExpired {
            customer_id: &referral.referee_customer_id,
            reason: "not converted in time",
        };
        events::record_in_story(tx, act, place, &mut chapter, id, &event)?;
    }
    Ok(Ended::Over)
}
