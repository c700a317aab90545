//! The referral program of a project: whether it runs, and what it promises.

use billstack_core::event::Event;
use billstack_core::ids::IdKind;
use billstack_core::program::{Change, Program};

use super::refusal::Abort;
use crate::seam::{Act, Place, Tx};
use crate::tables::{events, programs, terms};

pub use crate::tables::programs::get;

/// Makes the default program of a new project. It promises nothing and is switched off.
pub(crate) fn create_default(tx: &mut dyn Tx, act: &mut Act, place: &Place) -> Result<(), Abort> {
    let (id, terms_id) = (act.id(IdKind::Program), act.id(IdKind::Terms));
    programs::insert(tx, place, &id, &terms_id, act.at)?;
    let promise = Program::default().terms();
    terms::insert(tx, &place.team_id, &terms_id, &id, &promise, act.at)?;
    Ok(())
}

/// Sets the default program of a project, and returns it. Referrals that exist keep the terms they were promised.
pub fn put(
    tx: &mut dyn Tx,
    act: &mut Act,
    place: &Place,
    change: impl Into<Change>,
) -> Result<Program, Abort> {
    // Two changes of different members must not undo each other.
    tx.lock(&place.team_id, &[&format!("program:{}", place.project_id)])?;
    let program = change.into().of(&get(tx, place)?);
    let id = programs::default_of(tx, place)?;
    let terms_id = act.id(IdKind::Terms);
    terms::insert(tx, &place.team_id, &terms_id, &id, &program.terms(), act.at)?;
    programs::update(tx, place, &id, program.enabled, &terms_id, act.at)?;
    let event = Event::ProgramUpdated {
        currency: program.currency,
        enabled: program.enabled,
        hold_days: program.hold_days,
        referee_credit_amount: program.referee_credit_amount,
        referrer_credit_amount: program.referrer_credit_amount,
    };
    events::record(tx, act, place, place.project_id.as_str(), &event)?;
    Ok(program)
}
