//! Deciding anew about kept events, once there is somebody whose they may be.

use billstack_core::attribution::{Outcome, Reconsider};
use billstack_core::ids::TeamId;
use billstack_core::stripe_event::Start;

use super::evidence::gather;
use super::settle::settle;
use super::to_reconsider::ToReconsider;
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::customers::{self, Customer, names_of};
use crate::tables::stripe_connections::{self, modes_differ};
use crate::tables::stripe_events::{self, KeptStart};
use crate::tables::subscription_starts::events_of;

/// How many names are followed from event to event. Whoever is reached by more is left for another time, but
/// for the customer whom the operation is about: their names come first, so they are always followed.
const MOST_FOLLOWED: usize = 64;

/// Decides anew about the kept events that may belong to a customer, now that there is something new about
/// them, and about those of everybody who is linked by that.
pub(crate) fn again(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer: &Customer,
    which: Reconsider,
) -> Result<(), Fault> {
    let mut list = ToReconsider::default();
    list.is_about(&customer.id);
    of_customer(tx, act, &mut list, place, customer, which)?;
    finish(tx, act, &mut list)
}

/// Decides anew about the kept events of everybody on the list. Deciding may link further customers, each
/// of them once, so the list comes to an end.
pub(crate) fn finish(tx: &mut dyn Tx, act: &mut Act, list: &mut ToReconsider) -> Result<(), Fault> {
    while let Some((place, id)) = list.next() {
        if let Some(customer) = customers::get(tx, &place, &id)? {
            of_customer(tx, act, list, &place, &customer, Reconsider::Open)?;
        }
    }
    Ok(())
}

fn of_customer(
    tx: &mut dyn Tx,
    act: &mut Act,
    list: &mut ToReconsider,
    place: &Place,
    customer: &Customer,
    which: Reconsider,
) -> Result<(), Fault> {
    for name in names_of(&customer.id, customer.stripe_customer_id.as_deref()) {
        for event_id in events_of(tx, &place.team_id, &[name])? {
            if !list.is_decided(&event_id) {
                decide(tx, act, list, (place, customer), &event_id, which)?;
            }
        }
    }
    Ok(())
}

/// Decides anew about one kept event, if it is one of `which`.
fn decide(
    tx: &mut dyn Tx,
    act: &mut Act,
    list: &mut ToReconsider,
    (place, customer): (&Place, &Customer),
    event_id: &str,
    which: Reconsider,
) -> Result<(), Fault> {
    let team_id = &place.team_id;
    list.decided(event_id);
    let Some(kept) = stripe_events::kept_start(tx, team_id, event_id)? else {
        return Ok(());
    };
    if !which.includes(kept.outcome) || is_of_other_mode(tx, team_id, &kept)? {
        return Ok(());
    }
    // Everybody the event names must be held, as when it came in: it may be another customer's as
    // well, whose own call decides about it at this moment. It came in after we took the names.
    if !act.holds(&kept.start.match_keys()) {
        let was_followed = act.held_names() <= MOST_FOLLOWED || list.has_subject(&customer.id);
        if was_followed {
            return Err(Fault::Conflict("an event came in meanwhile".to_owned()));
        }
        return Ok(());
    }
    let evidence = gather(tx, team_id, kept.telling(event_id))?;
    let settled = settle(tx, act, &evidence, list)?;
    if kept.outcome == Outcome::Recorded && settled.outcome != Outcome::Converted {
        // As a fact about payments it was taken in all the same.
        return Ok(());
    }
    stripe_events::set_outcome(tx, team_id, event_id, &settled)
}

/// Adds the names of everybody who may be concerned when the events kept under these names are decided
/// anew: those whom an event names, and the Stripe customers of customers it names.
///
/// They are taken in one order, before anything else. Taken one by one later, two calls about
/// customers whom one event names would wait for each other until PostgreSQL ends one of them, which
/// it does only after a second.
pub(crate) fn foresee(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    names: &mut Vec<String>,
) -> Result<(), Fault> {
    let mut followed = 0;
    while followed < names.len().min(MOST_FOLLOWED) {
        let upto = names.len().min(MOST_FOLLOWED);
        let kept = events_of(tx, team_id, &names[followed..upto])?;
        followed = upto;
        for event_id in &kept {
            if let Some(kept) = stripe_events::kept_start(tx, team_id, event_id)? {
                add_names(tx, team_id, &kept.start, names)?;
            }
        }
    }
    Ok(())
}

/// Adds the names that a start gives, and those under which the customers it names are known besides.
pub(crate) fn add_names(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    start: &Start,
    names: &mut Vec<String>,
) -> Result<(), Fault> {
    let mut found = start.match_keys();
    for id in [&start.client_reference_id, &start.billstack_customer_id]
        .into_iter()
        .flatten()
    {
        for customer in customers::of_id(tx, team_id, id)? {
            found.extend(names_of(id, customer.stripe_customer_id.as_deref()));
        }
    }
    found.retain(|name| !names.contains(name));
    found.sort_unstable();
    found.dedup();
    names.extend(found);
    Ok(())
}

/// Adds the names of those who are known to be the Stripe customer that a start tells of.
pub(crate) fn add_payers(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    start: &Start,
    names: &mut Vec<String>,
) -> Result<(), Fault> {
    for stripe_id in start.stripe_ids() {
        for customer in customers::of_stripe(tx, team_id, stripe_id)? {
            let found = names_of(&customer.customer_id, None).into_iter();
            let new: Vec<_> = found.filter(|name| !names.contains(name)).collect();
            names.extend(new);
        }
    }
    Ok(())
}

/// Whether an event is of another mode than the team is connected in now. It may have come in before that
/// was known.
pub(crate) fn is_of_other_mode(
    tx: &mut dyn Tx,
    team_id: &TeamId,
    kept: &KeptStart,
) -> Result<bool, Fault> {
    let ours = stripe_connections::livemode(tx, team_id)?;
    Ok(modes_differ(ours, kept.livemode))
}

#[cfg(test)]
mod tests {
    use billstack_core::stripe_event::{Eligibility, Source};
    use billstack_core::time::Micros;

    use super::*;
    use crate::operations::customers::{NewCustomer, create};
    use crate::operations::intake::{self, Delivery, Incoming};
    use crate::operations::projects;
    use crate::operations::refusal::Abort;
    use crate::testing::Bench;

    fn start(at: Micros) -> Start {
        Start {
            object_id: "sub_1".to_owned(),
            source: Source::Subscription,
            subscription_id: None,
            eligibility: Eligibility::Counts,
            reason: None,
            began_at: at,
            occurred_at: at,
            ended_at: None,
            stripe_customer_id: Some("cus_1".to_owned()),
            stripe_customer_account: None,
            client_reference_id: None,
            buyer_email: None,
            is_trial: false,
            invoice: None,
            billstack_customer_id: None,
            project_id: None,
        }
    }

    /// With more names than are followed, an event of somebody else may wait. One of the customer itself may
    /// not, or nobody would ever look at it again: it came in after the names were taken.
    #[test]
    fn an_event_of_the_customer_itself_is_never_left_out() {
        let bench = Bench::new();
        let user = bench.user("a@example.com");
        let team_id = bench.team(&user).id;
        let made = bench.run(|tx, act| projects::create(tx, act, &team_id, "Shop"));
        let place = Place::new(team_id.clone(), made.unwrap().id);
        let kept = bench.run(|tx, act| {
            let event = Incoming::asked(&start(act.at), act.at);
            intake::receive(tx, act, &team_id, &event, Delivery::Delivered)
        });
        assert_eq!(kept.unwrap().unwrap().outcome, Outcome::NoCustomer);
        let new = NewCustomer {
            id: None,
            email: "b@example.com".to_owned(),
            name: None,
            external_id: None,
            stripe_customer_id: Some("cus_1".to_owned()),
            metadata: "{}".to_owned(),
            stripe_note: None,
        };
        let made = bench.run(|tx, act| {
            let others = (0..=MOST_FOLLOWED).map(|number| format!("stripe:cus_other{number}"));
            act.pretend_to_hold(others.collect());
            create(tx, act, &place, &new)
        });
        assert!(
            matches!(made, Err(Abort::Fault(Fault::Conflict(_)))),
            "{made:?}"
        );
    }
}
