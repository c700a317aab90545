//! What a person decides about the delivery of a credit.

use billstack_core::credit::by_hand::NotMoved;
use billstack_core::delivery::{DeliveryState, State};
use billstack_core::event::Event;

use super::back::given_to;
use super::cure::go_on;
use super::{balance_changed, sync};
use crate::operations::credits::book::{require, tell};
use crate::operations::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Place, Tx};
use crate::tables::credits::{self, Credit};
use crate::tables::{stripe_connections, stripe_operations};

/// Puts a credit that stands in our books alone into the balance that its customer has in Stripe.
pub fn deliver(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit_id: &str,
    reason: &str,
) -> Result<Credit, Abort> {
    let mut credit = hold(tx, place, credit_id)?;
    if credit.by_stripe || credit.parts.held + credit.parts.available == 0 {
        return Err(Refusal::NotMoved(NotMoved::IllegalTransition).into());
    }
    if !stripe_connections::has_secret_key(tx, &place.team_id)? {
        return Err(Refusal::NothingToDeliverWith.into());
    }
    credit.by_stripe = true;
    sync(tx, act, place, &mut credit)?;
    let event = Event::DeliveryRequested {
        credit_id: &credit.id,
        reason,
    };
    tell(tx, act, place, &credit, &event)?;
    Ok(credit)
}

/// Lets the delivery of a credit go on that needs attention.
pub fn retry(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    credit_id: &str,
    reason: &str,
) -> Result<Credit, Abort> {
    let mut credit = hold(tx, place, credit_id)?;
    if credit.delivery != DeliveryState::NeedsAttention {
        return Err(Refusal::NotMoved(NotMoved::IllegalTransition).into());
    }
    sync(tx, act, place, &mut credit)?;
    let operations = stripe_operations::of_credit(tx, place, &credit.id)?;
    for (customer, _) in given_to(&operations) {
        balance_changed(tx, act, &place.team_id, &customer)?;
    }
    for operation in operations {
        if operation.progress.state == State::NeedsAttention {
            go_on(tx, act, &place.team_id, operation)?;
        }
    }
    let event = Event::DeliveryRetried {
        credit_id: &credit.id,
        reason,
    };
    tell(tx, act, place, &credit, &event)?;
    require(tx, place, credit_id)
}

fn hold(tx: &mut dyn Tx, place: &Place, credit_id: &str) -> Result<Credit, Abort> {
    if !credits::hold(tx, place, credit_id)? {
        return Err(Refusal::NotFound(Thing::Credit).into());
    }
    require(tx, place, credit_id)
}
