//! Customers being created in Stripe: their id is fixed before the call.
//!
//! A row of `work` with the id is committed under a lease, Stripe is asked outside of any transaction, and
//! the customer is created together with [`finish`]. When the process dies in between, or Stripe does, the
//! next try finds the same id, and so the same customer in Stripe.

use billstack_core::ids::IdKind;
use billstack_core::time::{DAY, MINUTE, Micros};
use serde::{Deserialize, Serialize};

use super::refusal::{Abort, Refusal};
use crate::seam::{Act, Fault, Place, Tx};
use crate::tables::customers::{self, Customer};
use crate::tables::work::{self, Key, When};

/// The kind of work. It is due when nobody has finished it for so long that it is given up.
pub const KIND: &str = "customer_creation";

/// How long a lease holds when nobody gives it up: longer than the calls to Stripe may take.
const LEASE: i64 = MINUTE;

/// How long a customer may remain half created in Stripe. Stripe itself forgets the idempotency key
/// of the call after a day at the earliest, so a retry that late is a new call anyway
/// (<https://docs.stripe.com/api/idempotent_requests>).
const GIVEN_UP_AFTER: i64 = 7 * DAY;

/// What the work knows.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Facts {
    customer_id: String,
    /// See [`Reservation::attempt`].
    attempt: i64,
}

impl Facts {
    fn text(&self) -> Result<String, Fault> {
        serde_json::to_string(self).map_err(|e| Fault::Defect(e.to_string()))
    }

    fn read(text: &str) -> Result<Facts, Fault> {
        serde_json::from_str(text).map_err(|e| Fault::Defect(e.to_string()))
    }
}

/// The fixed id of a customer that is being created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// The id that the customer will have, `pc_…`.
    pub customer_id: String,
    /// 1 at first. It is part of the idempotency key for Stripe, which replays even an error under the same
    /// key: only another key gets another answer.
    pub attempt: i64,
}

/// Fixes the id of the customer that will have this normalised e-mail address, and takes the lease on
/// creating it.
pub fn reserve(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    email: &str,
) -> Result<Reservation, Abort> {
    let key = key(place, email);
    let first = Facts {
        customer_id: act.id(IdKind::Customer),
        attempt: 1,
    };
    work::enqueue(tx, act, &key, &first.text()?, given_up(act.at))?;
    let leased = work::lease(tx, &key, act.real(), act.real().plus(LEASE), When::AnyTime)?;
    // Not earlier: taking the lease may wait for a call that is just finishing, and this must see its
    // customer.
    if let Some(existing) = customers::get_by_email(tx, place, email)? {
        return Err(Refusal::CustomerExists(place.clone(), Box::new(existing)).into());
    }
    if !leased {
        return Err(Refusal::CustomerBeingCreated.into());
    }
    let found = work::get(tx, &key)?;
    let work = found.ok_or_else(|| Fault::Defect("leased work is gone".to_owned()))?;
    let Facts {
        customer_id,
        attempt,
    } = Facts::read(&work.facts)?;
    Ok(Reservation {
        customer_id,
        attempt,
    })
}

/// What the next try is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NextTry {
    /// Stripe did not answer: what became of the attempt is unknown, and the next try repeats it.
    Same,
    /// Stripe answered with an error, which stays its answer to this attempt.
    Another,
}

/// Gives the lease up; tells whether there was such work.
pub fn release(
    tx: &mut dyn Tx,
    act: &Act,
    place: &Place,
    email: &str,
    next: NextTry,
) -> Result<bool, Fault> {
    let key = key(place, email);
    let Some(work) = work::get(tx, &key)? else {
        return Ok(false);
    };
    let mut facts = Facts::read(&work.facts)?;
    if next == NextTry::Another {
        facts.attempt += 1;
    }
    work::later(tx, &key, &facts.text()?, given_up(act.real()), None)
}

/// Ends the work, in the transaction that creates the customer; tells whether there was any.
pub fn finish(tx: &mut dyn Tx, place: &Place, email: &str) -> Result<bool, Fault> {
    work::done(tx, &key(place, email))
}

/// Removes what would keep the address of a customer who is erased.
pub(crate) fn forget(tx: &mut dyn Tx, place: &Place, customer: &Customer) -> Result<(), Fault> {
    work::done(tx, &key(place, &customer.email)).map(|_| ())
}

fn key(place: &Place, email: &str) -> Key {
    Key::new(&place.team_id, &place.project_id, KIND, email)
}

fn given_up(at: Micros) -> Micros {
    at.plus(GIVEN_UP_AFTER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::customers::{self, NewCustomer};
    use crate::operations::projects;
    use crate::testing::Bench;

    const EMAIL: &str = "c@example.com";

    fn place(bench: &Bench) -> Place {
        let team_id = bench.team(&bench.user("a@example.com")).id;
        let project = bench.run(|tx, act| projects::create(tx, act, &team_id, "Shop"));
        Place::new(team_id, project.unwrap().id)
    }

    #[test]
    fn a_retry_finishes_the_same_customer() {
        let bench = Bench::new();
        let place = place(&bench);
        let claim = || bench.run(|tx, act| reserve(tx, act, &place, EMAIL));
        let give_up = |next| bench.run(|tx, act| Ok(release(tx, act, &place, EMAIL, next)?));
        let being_created = Abort::from(Refusal::CustomerBeingCreated);

        let first = claim().unwrap();
        assert_eq!(first.attempt, 1);
        assert_eq!(claim(), Err(being_created.clone()));
        assert_eq!(give_up(NextTry::Same), Ok(true));
        assert_eq!(claim(), Ok(first.clone()));
        assert_eq!(give_up(NextTry::Another), Ok(true));
        let second = claim().unwrap();
        assert_eq!(
            (&second.customer_id, second.attempt),
            (&first.customer_id, 2)
        );

        // The lease of a process that died ends by itself, to the microsecond.
        let ends = bench.time().plus(LEASE);
        bench.set_time(ends.plus(-1));
        assert_eq!(claim(), Err(being_created));
        bench.set_time(ends);
        assert_eq!(claim(), Ok(second.clone()));

        let customer = bench.run(|tx, act| {
            finish(tx, &place, EMAIL)?;
            let new = NewCustomer {
                id: Some(second.customer_id.clone()),
                email: EMAIL.to_owned(),
                name: None,
                external_id: None,
                stripe_customer_id: Some("cus_1".to_owned()),
                metadata: "{}".to_owned(),
                stripe_note: None,
            };
            customers::create(tx, act, &place, &new)
        });
        let exists = Refusal::CustomerExists(place.clone(), Box::new(customer.unwrap()));
        assert_eq!(claim(), Err(exists.into()));
        // The refusal took back what the reservation wrote.
        assert_eq!(bench.count("work"), 0);
        assert_eq!(give_up(NextTry::Same), Ok(false));
    }
}
