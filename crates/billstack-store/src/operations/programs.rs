//! The referral program of a project: whether it runs, and what it promises.

use billstack_core::event::{Event, ProgramFacts};
use billstack_core::ids::IdKind;
use billstack_core::program::{Change, CreditDelivery, Program};
use billstack_core::referral::Terms;

use super::refusal::{Abort, Refusal};
use crate::seam::{Act, Place, Tx};
use crate::tables::{events, program_budgets, programs, stripe_connections, terms};

pub use crate::tables::programs::get;

/// Makes the default program of a new project. It promises nothing and is switched off.
pub(crate) fn create_default(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<(), Abort> {
    let (id, terms_id) = (act.id(IdKind::Program), act.id(IdKind::Terms));
    programs::insert(tx, place, &id, &terms_id, act.at)?;
    let promise = Terms::default();
    terms::insert(tx, &place.team_id, &terms_id, &id, &promise, act.at)?;
    Ok(())
}

/// Sets the default program of a project, and returns it. Referrals that exist keep the terms they were promised. A
/// change that changes nothing leaves no trace.
pub fn put(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    change: impl Into<Change>,
) -> Result<Program, Abort> {
    // Two changes of different members must not undo each other.
    tx.lock(&place.team_id, &[&format!("program:{}", place.project_id)])?;
    let before = get(tx, place)?;
    let program = tried(tx, place, before.clone(), change.into())?;
    if program == before {
        return Ok(program);
    }
    let id = programs::default_of(tx, place)?;
    let terms_id = act.id(IdKind::Terms);
    terms::insert(tx, &place.team_id, &terms_id, &id, &program.terms, act.at)?;
    programs::update(tx, place, &id, &program, &terms_id, act.at)?;
    if program.budget != before.budget {
        // After the update, which waits for conversions that saw the budget before.
        program_budgets::forget(tx, place, &id)?;
    }
    let event = Event::ProgramUpdated {
        program: ProgramFacts::from(&program),
    };
    events::record(tx, act, place, place.project_id.as_str(), &event)?;
    Ok(program)
}

/// What a change makes of a program, if it may be made; nothing is written.
pub fn tried(
    tx: &mut dyn Tx,
    place: &Place,
    program: Program,
    change: Change,
) -> Result<Program, Abort> {
    if change.credit_delivery == Some(CreditDelivery::StripeBalance) {
        require_stripe_key(tx, place)?;
    }
    Ok(change.of(program).map_err(Refusal::ImpossibleProgram)?)
}

/// Nothing reaches a balance in Stripe without a key for it.
fn require_stripe_key(tx: &mut dyn Tx, place: &Place) -> Result<(), Abort> {
    let connection = stripe_connections::get(tx, &place.team_id)?;
    match connection.is_some_and(|connection| connection.secret_key.is_some()) {
        true => Ok(()),
        false => Err(Refusal::StripeKeyRequired.into()),
    }
}
