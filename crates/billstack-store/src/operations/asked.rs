//! What Stripe tells of a referee when it is asked, in the request that applies a code or later.

use billstack_core::attribution::Reconsider;
use billstack_core::referral::{Referral, Status};
use billstack_core::stripe_event::Start;

use super::intake::{self, Delivery, Incoming};
use super::reconsider;
use super::refusal::Abort;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::customers::Customer;
use crate::tables::referrals;

/// Whom Stripe is asked about: a person may be several customers there.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The normalised e-mail address: whoever has its mailbox may have subscribed before.
    pub email: String,
    /// The customer (`cus_…`) or account (`acct_…`) that the person is linked to. Only its subscriptions convert.
    pub stripe_customer_id: Option<String>,
}

impl Asked {
    pub(super) fn about(customer: &Customer) -> Asked {
        Asked {
            email: customer.email.clone(),
            stripe_customer_id: customer.stripe_customer_id.clone(),
        }
    }
}

/// Decides a referral by the events that came before, and else by the subscription that Stripe told of. Returns
/// it as it is then.
pub(super) fn convert_by_known(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    referee: &Customer,
    referral_id: &str,
    counting: Option<&Start>,
) -> Result<Referral, Abort> {
    reconsider::again(tx, act, place, referee, Reconsider::Open)?;
    let known = read_back(tx, place, referral_id)?;
    // A subscription that an event has already told of is not stored twice.
    let (Status::Pending, Some(start)) = (known.status, counting) else {
        return Ok(known);
    };
    let found = Incoming::asked(start, act.real());
    intake::receive(tx, act, &place.team_id, &found, Delivery::Delivered)?;
    Ok(read_back(tx, place, referral_id)?)
}

fn read_back(tx: &mut dyn Tx, place: &Place, id: &str) -> Result<Referral, Fault> {
    let known = referrals::get(tx, place, id)?;
    known.ok_or_else(|| Fault::Defect(format!("no referral {id}")))
}
