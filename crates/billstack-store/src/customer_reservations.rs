//! Customers being created in Stripe: their id is fixed before the call.
//!
//! A reservation is made and committed, Stripe is asked outside of any transaction, and the
//! customer is created together with [`finish`]. When the process dies in between, or Stripe does,
//! the next try finds the same id, and so the same customer in Stripe.

use billstack_core::ids::IdKind;
use billstack_core::time::{MINUTE, Micros};

use crate::act::{Act, Place};
use crate::customers;
use crate::refusal::Refusal;
use crate::tx::{Abort, Fault, Tx};
use crate::{params, statements};

statements! {
    GET = "SELECT customer_id, attempt FROM customer_reservations \
        WHERE team_id = $1 AND project_id = $2 AND email = $3";
    // Makes the reservation, or claims one that nobody works on.
    CLAIM = "INSERT INTO customer_reservations (team_id, project_id, email, customer_id, attempt, \
        claimed_until, created_at) VALUES ($1, $2, $3, $4, 1, $5, $6) \
        ON CONFLICT (team_id, project_id, email) DO UPDATE \
        SET claimed_until = excluded.claimed_until \
        WHERE customer_reservations.claimed_until <= excluded.created_at";
    NEXT_ATTEMPT = "UPDATE customer_reservations SET attempt = attempt + 1, claimed_until = $4 \
        WHERE team_id = $1 AND project_id = $2 AND email = $3";
    RELEASE = "UPDATE customer_reservations SET claimed_until = $4 \
        WHERE team_id = $1 AND project_id = $2 AND email = $3";
    FINISH = "DELETE FROM customer_reservations \
        WHERE team_id = $1 AND project_id = $2 AND email = $3";
}

/// How long a claim holds when nobody gives it up: longer than the calls to Stripe may take.
const CLAIM_LASTS: i64 = MINUTE;

/// The end of a claim that is over.
const FREE: Micros = Micros(0);

/// The fixed id of a customer that is being created.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reservation {
    /// The id that the customer will have, `pc_…`.
    pub customer_id: String,
    /// 1 at first. It goes into the idempotency key for Stripe, which keeps an error as an answer:
    /// after one, only another key gets another answer.
    pub attempt: i64,
}

/// Fixes the id of the customer that will have this normalised e-mail address, and claims the work
/// of creating it.
pub fn reserve(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    email: &str,
) -> Result<Reservation, Abort> {
    let (team_id, project_id) = (&place.team_id, &place.project_id);
    let id = act.id(IdKind::Customer);
    let until = act.at.plus(CLAIM_LASTS);
    let claimed = tx.hit(
        CLAIM,
        params![team_id, project_id, email, &id, until, act.at],
    )?;
    // Only now: the claim has waited for a call that was finishing, whose customer is seen here.
    if let Some(existing) = customers::get_by_email(tx, place, email)? {
        return Err(Refusal::CustomerExists(place.clone(), Box::new(existing)).into());
    }
    if !claimed {
        return Err(Refusal::CustomerBeingCreated.into());
    }
    let found = tx.one(GET, params![team_id, project_id, email], |row| {
        let (customer_id, attempt) = (row.string(0)?, row.int(1)?);
        Ok(Reservation {
            customer_id,
            attempt,
        })
    })?;
    Ok(found.ok_or_else(|| Fault::Defect("a claimed reservation is gone".to_owned()))?)
}

/// Gives the claim up after Stripe answered with an error, so that the next try is a new attempt;
/// tells whether there was a reservation.
pub fn next_attempt(tx: &mut dyn Tx, place: &Place, email: &str) -> Result<bool, Fault> {
    let params = params![&place.team_id, &place.project_id, email, FREE];
    tx.hit(NEXT_ATTEMPT, params)
}

/// Gives the claim up when Stripe did not answer: what became of the attempt is unknown, and the
/// next try repeats it. Tells whether there was a reservation.
pub fn release(tx: &mut dyn Tx, place: &Place, email: &str) -> Result<bool, Fault> {
    let params = params![&place.team_id, &place.project_id, email, FREE];
    tx.hit(RELEASE, params)
}

/// Ends the reservation, in the transaction that creates the customer; tells whether there was one.
pub fn finish(tx: &mut dyn Tx, place: &Place, email: &str) -> Result<bool, Fault> {
    tx.hit(FINISH, params![&place.team_id, &place.project_id, email])
}

#[cfg(test)]
mod tests {
    use billstack_core::referral::GRACE;

    use super::*;
    use crate::customers::NewCustomer;
    use crate::projects;
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
        let being_created = Abort::from(Refusal::CustomerBeingCreated);

        let first = claim().unwrap();
        assert_eq!(first.attempt, 1);
        assert_eq!(claim(), Err(being_created.clone()));
        assert_eq!(bench.run(|tx, _| Ok(release(tx, &place, EMAIL)?)), Ok(true));
        assert_eq!(claim(), Ok(first.clone()));
        assert_eq!(
            bench.run(|tx, _| Ok(next_attempt(tx, &place, EMAIL)?)),
            Ok(true)
        );
        let second = claim().unwrap();
        assert_eq!(
            (&second.customer_id, second.attempt),
            (&first.customer_id, 2)
        );

        // The claim of a process that died ends by itself, to the microsecond.
        let ends = bench.time().plus(CLAIM_LASTS);
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
            customers::create(tx, act, &place, &new, GRACE)
        });
        let exists = Refusal::CustomerExists(place.clone(), Box::new(customer.unwrap()));
        assert_eq!(claim(), Err(exists.into()));
        // The refusal took back what the claim wrote.
        assert_eq!(bench.count("customer_reservations"), 0);
        assert_eq!(
            bench.run(|tx, _| Ok(release(tx, &place, EMAIL)?)),
            Ok(false)
        );
    }
}
