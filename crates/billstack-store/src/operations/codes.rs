//! Referral codes: made for a customer, and deactivated.

pub mod names;

use billstack_core::event::Event;

use super::customers;
use super::refusal::{Abort, Refusal, Thing};
use crate::seam::{Act, Place, Tx};
use crate::tables::{codes, events, programs};

pub use crate::tables::codes::{ActiveOnly, Code, Listed, Names, get, get_active, list};

/// How many fresh codes one run tries before it gives up.
const TRIES: usize = 8;

/// Makes a code for a customer that has no active one.
pub fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    customer_id: &str,
) -> Result<Code, Abort> {
    // Erasing the customer deactivates its code; the two must not run side by side.
    tx.lock(&place.team_id, &[&format!("customer:{customer_id}")])?;
    customers::require(tx, place, customer_id)?;
    let program_id = programs::default_of(tx, place)?;
    for _ in 0..TRIES {
        let code = Code {
            code: act.ids.code(),
            customer_id: customer_id.to_owned(),
            is_active: true,
            created_at: act.at,
            names: Names::default(),
        };
        if codes::insert(tx, place, &code, &program_id)? {
            let event = Event::CodeCreated { customer_id };
            events::record(tx, act, place, &code.code, &event)?;
            return Ok(code);
        }
        if let Some(existing) = get_active(tx, place, customer_id)? {
            return Err(Refusal::ActiveCodeExists(place.clone(), Box::new(existing)).into());
        }
    }
    Err(Refusal::CodeCollision.into())
}

/// Deactivates a code. Doing it again changes nothing.
pub fn deactivate(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    code: &str,
) -> Result<Code, Abort> {
    if codes::deactivate(tx, place, code, act.at)? {
        events::record(tx, act, place, code, &Event::CodeDeactivated {})?;
    }
    Ok(get(tx, place, code)?.ok_or(Refusal::NotFound(Thing::Code))?)
}
